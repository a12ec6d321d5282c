"""Order, once only, and no recursion."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from capnweb_runtime.core.cell import Cell, behind_what_is_due


def unexpected(outcome: object) -> None:
    raise AssertionError(f"called with {outcome!r}")


def test_a_waiter_gets_the_value() -> None:
    cell: Cell[int] = Cell()
    got: list[int] = []
    cell.then(got.append, unexpected)
    assert not cell.settled
    assert got == []
    cell.resolve(5)
    assert got == [5]
    assert cell.settled
    assert cell.fulfilled


def test_a_waiter_gets_the_error() -> None:
    cell: Cell[int] = Cell()
    got: list[BaseException] = []
    cell.then(unexpected, got.append)
    error = ValueError("no")
    cell.reject(error)
    assert got == [error]
    assert cell.settled
    assert not cell.fulfilled


def test_one_that_comes_late_is_called_at_once() -> None:
    resolved: Cell[int] = Cell()
    resolved.resolve(5)
    rejected: Cell[int] = Cell()
    error = ValueError("no")
    rejected.reject(error)
    got: list[object] = []
    resolved.then(got.append, unexpected)
    rejected.then(unexpected, got.append)
    assert got == [5, error]


def test_what_goes_on_later_stands_behind_what_is_due() -> None:
    settled: Cell[str] = Cell()
    settled.resolve("asked")
    order: list[str] = []

    def work(named: str) -> None:
        settled.then(order.append, unexpected)
        behind_what_is_due(order.append, "rest")
        order.append(named)

    behind_what_is_due(work, "begun")
    assert order == ["begun", "asked", "rest"]


def test_waiters_are_called_in_the_order_in_which_they_came() -> None:
    cell: Cell[int] = Cell()
    order: list[str] = []

    def named(name: str) -> Callable[[int], None]:
        return lambda value: order.append(f"{name} {value}")

    for name in "abcde":
        cell.then(named(name), unexpected)
    cell.resolve(1)
    cell.then(named("late"), unexpected)
    assert order == ["a 1", "b 1", "c 1", "d 1", "e 1", "late 1"]


def test_only_the_first_outcome_counts() -> None:
    got: list[object] = []
    resolved: Cell[int] = Cell()
    resolved.resolve(1)
    resolved.resolve(2)
    resolved.reject(ValueError("late"))
    resolved.then(got.append, unexpected)
    rejected: Cell[int] = Cell()
    error = ValueError("first")
    rejected.reject(error)
    rejected.resolve(3)
    rejected.then(unexpected, got.append)
    assert got == [1, error]


def test_each_waiter_is_called_once() -> None:
    cell: Cell[int] = Cell()
    got: list[int] = []
    cell.then(got.append, unexpected)
    cell.resolve(1)
    cell.resolve(1)
    cell.then(lambda value: None, unexpected)
    assert got == [1]


def test_none_is_a_value() -> None:
    cell: Cell[None] = Cell()
    got: list[None] = []
    cell.resolve(None)
    cell.then(got.append, unexpected)
    assert got == [None]


def test_what_is_due_already_runs_before_what_a_callback_settles() -> None:
    first: Cell[str] = Cell()
    second: Cell[str] = Cell()
    order: list[str] = []

    def settle_second(value: str) -> None:
        second.resolve("second")
        order.append("first callback done")

    first.then(settle_second, unexpected)
    first.then(lambda value: order.append("first's other waiter"), unexpected)
    second.then(lambda value: order.append("second's waiter"), unexpected)
    first.resolve("first")
    assert order == ["first callback done", "first's other waiter", "second's waiter"]


def test_a_settled_cell_calls_back_after_the_running_callback() -> None:
    first: Cell[int] = Cell()
    settled: Cell[int] = Cell()
    settled.resolve(2)
    order: list[str] = []

    def ask(value: int) -> None:
        settled.then(lambda inner: order.append("asked"), unexpected)
        order.append("asking is over")

    first.then(ask, unexpected)
    first.resolve(1)
    assert order == ["asking is over", "asked"]


def test_a_hundred_thousand_chained_cells_do_not_exhaust_the_stack() -> None:
    count = 100_000
    assert count > sys.getrecursionlimit()
    cells: list[Cell[int]] = [Cell() for _ in range(count)]
    for before, after in pairwise(cells):
        before.then(lambda value, after=after: after.resolve(value + 1), unexpected)  # type: ignore[misc]  # a bound variable
    got: list[int] = []
    cells[-1].then(got.append, unexpected)
    cells[0].resolve(0)
    assert got == [count - 1]


def test_a_callback_that_raises_does_not_stop_the_queue_for_good() -> None:
    broken: Cell[int] = Cell()
    got: list[int] = []
    broken.then(unexpected, unexpected)
    with pytest.raises(AssertionError, match="called with 1"):
        broken.resolve(1)
    fine: Cell[int] = Cell()
    fine.then(got.append, unexpected)
    fine.resolve(2)
    assert got == [2]


def test_each_thread_has_a_queue_of_its_own() -> None:
    inside: Cell[int] = Cell()
    got: list[str] = []

    def other_thread() -> None:
        cell: Cell[int] = Cell()
        cell.then(lambda value: got.append("other thread"), unexpected)
        cell.resolve(1)

    def run_another_thread(value: int) -> None:
        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
        got.append("this thread")

    inside.then(run_another_thread, unexpected)
    inside.resolve(1)
    assert got == ["other thread", "this thread"]
