"""Turns are shared out by what sessions have done, and each session's work stays in order; by a clock of the test's."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from capnweb_runtime.core.account import SLICE, Account
from capnweb_runtime.driving import turns
from capnweb_runtime.driving.turns import Line, Turns
from capnweb_runtime.limits import DEFAULT_LIMITS


class Loop:
    """Iterations and a clock that the test moves on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: list[Callable[[], Any]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], Any]) -> None:
        self.due.append(callback)

    def iterate(self) -> bool:
        """Lets the sockets say what they have, and then the session that is next; whether anything was due."""
        first = self.once()
        return self.once() or first

    def once(self, *sockets: Callable[[], Any]) -> bool:
        """Runs what is due, and behind it what sockets say; whether anything was."""
        due, self.due = self.due, []
        for callback in (*due, *sockets):
            callback()
        return bool(due)


class Sessions:
    """Sessions on one loop, whose work takes a millisecond a slice."""

    def __init__(self, *names: str) -> None:
        self.loop = Loop()
        self.turns = Turns(cast(asyncio.AbstractEventLoop, self.loop))
        self.accounts = {name: Account(DEFAULT_LIMITS) for name in names}
        self.lines = {name: Line(self.turns, account) for name, account in self.accounts.items()}
        self.log: list[str] = []

    def work(self, name: str, what: str = "", units: int = SLICE + 1) -> Callable[[], None]:
        """Work of a session, that has to be put off or done."""

        def do() -> None:
            self.loop.now += 0.001 * units / SLICE
            self.accounts[name].spent += units
            self.log.append(name + what)

        return do


@pytest.fixture(autouse=True)
def turns_of_a_known_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN", 0.005)
    monkeypatch.setattr(turns, "BRIEF", 0.001)


def test_a_turn_begins_when_somebody_looks_and_ends_with_the_iteration() -> None:
    loop = Loop()
    shared = Turns(cast(asyncio.AbstractEventLoop, loop))
    loop.now = 7.0
    assert not shared.are_over()
    loop.now = 7.0051
    assert shared.are_over()
    loop.iterate()
    assert not shared.are_over()
    loop.iterate()
    assert not loop.iterate()  # nobody waits, so that the loop has nothing to do


def test_between_two_turns_the_sockets_are_asked_who_has_something_to_say() -> None:
    sessions = Sessions("heavy")
    for number in range(20):
        sessions.lines["heavy"].put_off(sessions.work("heavy", str(number)))
    done: list[int] = []
    while sessions.loop.due:
        sessions.loop.once(lambda: done.append(len(sessions.log)))
    assert [after - before for before, after in zip(done[1::2], done[2::2], strict=False)] == [0] * (len(done) // 2 - 1)
    assert done[-1] == 20


def test_what_is_put_off_is_done_a_turn_at_a_time_and_in_order() -> None:
    sessions = Sessions("a")
    for number in range(20):
        sessions.lines["a"].put_off(sessions.work("a", str(number)))
    counts = []
    while sessions.loop.iterate():
        counts.append(len(sessions.log))
    assert sessions.log == [f"a{number}" for number in range(20)]
    assert all(4 <= after - before <= 7 for before, after in zip([0, *counts], counts[:3], strict=False))
    assert not sessions.accounts["a"].over


def test_the_session_that_has_done_least_goes_first() -> None:
    sessions = Sessions("greedy", "modest")
    for number in range(30):
        sessions.lines["greedy"].put_off(sessions.work("greedy", str(number)))
    sessions.loop.iterate()
    sessions.loop.iterate()
    sessions.lines["modest"].put_off(sessions.work("modest"))
    before = len(sessions.log)
    sessions.loop.iterate()
    assert "modest" in sessions.log[before : before + 7]


def test_a_session_that_comes_late_gets_no_more_than_its_share() -> None:
    sessions = Sessions("a", "b")
    for number in range(60):
        sessions.lines["a"].put_off(sessions.work("a", str(number)))
    for _ in range(5):
        sessions.loop.iterate()
    before = len(sessions.log)
    for number in range(60):
        sessions.lines["b"].put_off(sessions.work("b", str(number)))
    for _ in range(6):
        sessions.loop.iterate()
    done = [entry[0] for entry in sessions.log[before:]]
    assert 0.25 < done.count("a") / len(done) < 0.75


def test_what_work_puts_off_goes_before_what_came_after_it() -> None:
    sessions = Sessions("a")
    line = sessions.lines["a"]

    def parent() -> None:
        sessions.log.append("parent")
        line.put_off(sessions.work("a", " first child"))
        line.put_off(sessions.work("a", " second child"))

    line.put_off(parent)
    line.put_off(sessions.work("a", " later"))
    while sessions.loop.iterate():
        pass
    assert sessions.log == ["parent", "a first child", "a second child", "a later"]


def test_messages_are_taken_once_nothing_is_put_off_any_more() -> None:
    """A release that has come already must not overtake what was asked, before it, of what it releases."""
    sessions = Sessions("a")
    line = sessions.lines["a"]

    def message() -> None:
        sessions.log.append("message")
        line.take_later(sessions.work("a", " the rest of the message"))
        line.put_off(sessions.work("a", " asked by the message"))

    line.put_off(sessions.work("a", " first"))
    line.in_order(message)
    line.in_order(sessions.work("a", " message after that"))
    line.put_off(sessions.work("a", " second"))
    assert sessions.log == []
    while sessions.loop.iterate():
        pass
    assert sessions.log == [
        "a first",
        "a second",
        "message",
        "a asked by the message",
        "a the rest of the message",
        "a message after that",
    ]
    assert not sessions.accounts["a"].over


def test_something_in_order_is_done_at_once_where_nothing_waits() -> None:
    sessions = Sessions("a")
    line = sessions.lines["a"]
    line.in_order(sessions.work("a", "1"))
    assert sessions.log == ["a1"]
    line.put_off(sessions.work("a", "2"))
    line.in_order(sessions.work("a", "3"))
    assert sessions.log == ["a1"]
    sessions.loop.iterate()
    assert sessions.log == ["a1", "a2", "a3"]


def test_it_is_told_when_something_waits_and_when_nothing_does_any_more() -> None:
    sessions = Sessions("a")
    told: list[bool] = []
    line = sessions.lines["a"]
    line.on_wait = told.append
    for number in range(12):
        line.put_off(sessions.work("a", str(number)))
    assert told == [True]
    while sessions.loop.iterate():
        assert told == ([True] if len(sessions.log) < 12 else [True, False])


def test_a_session_may_work_on_until_the_turn_of_the_iteration_is_over() -> None:
    sessions = Sessions("a", "b")
    account = sessions.accounts["a"]
    while not (account.spent > account.look_at and account.is_over()):
        sessions.work("a")()
    assert 5 <= len(sessions.log) <= 7
    other = sessions.accounts["b"]
    sessions.work("b")()
    assert other.is_over()  # the others have no more in this iteration
    sessions.loop.iterate()
    assert not account.over
    assert not other.over


def test_each_turn_brings_a_session_on_however_slow_the_machine_is() -> None:
    sessions = Sessions("a")
    for number in range(3):
        sessions.lines["a"].put_off(sessions.work("a", str(number), 100 * SLICE))
    for done in (1, 2, 3):
        sessions.loop.iterate()
        assert len(sessions.log) == done


def test_work_that_raises_is_an_error_of_the_loop_and_the_rest_goes_on() -> None:
    sessions = Sessions("a")

    def fail() -> None:
        raise RuntimeError("work")

    sessions.lines["a"].put_off(fail)
    sessions.lines["a"].put_off(sessions.work("a"))
    with pytest.raises(RuntimeError, match="work"):
        sessions.loop.iterate()
    while sessions.loop.iterate():
        pass
    assert sessions.log == ["a"]


async def test_the_sessions_of_a_loop_share_its_turns_and_leave_nothing_behind() -> None:
    loop = asyncio.get_running_loop()
    shared = Turns.of(loop)
    assert Turns.of(loop) is shared
    del shared
    gc.collect()
    assert id(loop) not in turns._of_loops


def test_what_may_take_long_leaves_the_rest_of_a_turn() -> None:
    """So that sockets are asked after a millisecond, and what waits goes on in the next iteration."""
    sessions = Sessions("long", "other")
    account, line = sessions.accounts["long"], sessions.lines["long"]
    began: list[float] = []

    def plan() -> None:
        began.append(sessions.loop.now)
        while not account.is_over_for_long_work():
            sessions.work("long", units=50)()
        if len(began) < 5:
            line.put_off(plan)

    line.put_off(plan)
    iterations = 0
    while sessions.loop.iterate():
        iterations += 1
    assert iterations >= len(began) == 5
    taken = [after - before for before, after in pairwise(began)]
    assert all(0.001 <= seconds < 0.0013 for seconds in taken)
    assert not account.brief
