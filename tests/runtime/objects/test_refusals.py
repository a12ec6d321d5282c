"""Operators that a promise or a mapper's placeholder refuses, instead of silently doing the wrong thing."""

from __future__ import annotations

import asyncio
import math
import operator
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime import AnyPromise, AnyStub
from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.errors import RpcError
from capnweb_runtime.objects.refusals import Refusals, refuse
from tests.runtime.conftest import Join
from tests.runtime.example import Book, BookPromise, Counter, CounterPromise, Desk, DeskStub
from tests.runtime.pair import Pair, begin

REFUSED: list[tuple[str, Callable[[Any], Any], str]] = [
    ("bool", bool, "test whether a value is true"),
    ("not", operator.not_, "test whether a value is true"),
    ("and", lambda p: p and 1, "test whether a value is true"),
    ("iter", iter, "loop over a value"),
    ("for", lambda p: list(p), "loop over a value"),
    ("unpack", lambda p: (lambda a, b: 0)(*p), "loop over a value"),
    ("in", lambda p: 1 in p, "look into a value"),
    ("len", len, "count a value's items"),
    ("<", lambda p: p < 1, "compare values"),
    ("<=", lambda p: p <= 1, "compare values"),
    (">", lambda p: p > 1, "compare values"),
    (">=", lambda p: p >= 1, "compare values"),
    ("==", lambda p: p == 1, "compare values"),
    ("reversed ==", lambda p: operator.eq(1, p), "compare values"),
    ("!=", lambda p: p != "no", "compare values"),
    ("== of a model", lambda p: p == Book(title="Emma", pages=474), "compare values"),
    ("in a list with a value", lambda p: 3 in [p], "compare values"),
    ("sorted", lambda p: sorted([p, 1]), "compare values"),
    ("format", lambda p: f"{p:>10}", "put a value into text"),
    ("f-string", lambda p: f"{p}", "put a value into text"),
    ("str", str, "put a value into text"),
    ("int", int, "convert a value"),
    ("float", float, "convert a value"),
    ("index", lambda p: [1, 2][p], "convert a value"),
    ("range", lambda p: range(p), "convert a value"),
    ("isnan", math.isnan, "convert a value"),
    ("+", lambda p: p + 1, "calculate with a value"),
    ("reversed +", lambda p: 1 + p, "calculate with a value"),
    ("-", lambda p: p - 1, "calculate with a value"),
    ("reversed -", lambda p: 1 - p, "calculate with a value"),
    ("*", lambda p: p * 2, "calculate with a value"),
    ("reversed *", lambda p: 2 * p, "calculate with a value"),
    ("/", lambda p: p / 2, "calculate with a value"),
    ("reversed /", lambda p: 2 / p, "calculate with a value"),
    ("%", lambda p: p % 2, "calculate with a value"),
    ("negative", operator.neg, "calculate with a value"),
    ("sum", lambda p: sum([p]), "calculate with a value"),
]
CASES = [pytest.param(use, verb, id=name) for name, use, verb in REFUSED]


@pytest.fixture
def promise() -> AnyPromise:
    return AnyPromise(ErrorHook(RpcError("never")))


@pytest.mark.parametrize(("use", "verb"), CASES)
def test_a_promise_says_to_await_it_first(promise: AnyPromise, use: Callable[[Any], Any], verb: str) -> None:
    with pytest.raises(TypeError) as caught:
        use(promise)
    assert str(caught.value) == f"a promise stands for a value that has not arrived: await it, then {verb}"


@pytest.mark.parametrize(("use", "verb"), CASES)
def test_a_placeholder_says_what_can_be_done_in_a_mapper(use: Callable[[Any], Any], verb: str) -> None:
    pair = Pair(None, Desk())
    ints = pair.a.main(DeskStub).ints(3)
    with pytest.raises(TypeError) as caught:
        _ = ints.map(use)
    assert str(caught.value).startswith(f"inside map() one cannot {verb}: the function runs once, on a placeholder")
    assert f"{verb} once the result has been awaited" in str(caught.value)


def test_nothing_is_sent_for_a_mapper_that_was_refused(join: Join) -> None:
    pair = join(None, Desk(), clean=False)
    desk: Any = pair.a.main(DeskStub)
    ints = desk.ints(3)
    with pytest.raises(TypeError):
        ints.map(lambda n: desk.add(n, 1) if n else n)
    assert pair.a.take() == ['["push",["pipeline",0,["ints"],[3]]]']


class SameHash(AnyPromise):
    """Of which sets and dictionaries have to compare any two."""

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)

    def __hash__(self) -> int:
        return 5


class TestIdentity:
    """What containers need, which compare their items to find one."""

    @pytest.mark.parametrize("kind", [AnyPromise, SameHash])
    def test_a_promise_equals_itself_and_no_other(self, kind: type[AnyPromise]) -> None:
        promise, other = kind(ErrorHook(RpcError("never"))), kind(ErrorHook(RpcError("never")))
        assert promise == promise
        assert promise != other
        assert len({promise, other, promise}) == 2
        assert {promise: 1, other: 2}[other] == 2
        promises = [other, promise]
        assert promise in promises
        assert promises.index(promise) == 1
        promises.remove(promise)
        assert promises == [other]

    async def test_it_stands_beside_what_is_compared_by_identity(self, promise: AnyPromise) -> None:
        async def nothing() -> None: ...

        task = asyncio.create_task(nothing())
        beside: list[Any] = [None, task, nothing, AnyStub(ErrorHook(RpcError("never"))), Counter(), promise]
        assert beside.index(promise) == len(beside) - 1
        assert promise in beside
        assert [one for one in beside if one == promise] == [promise]
        await task

    def test_it_can_be_referred_to_weakly(self, promise: AnyPromise) -> None:
        other = AnyPromise(ErrorHook(RpcError("never")))
        assert weakref.ref(promise) == weakref.ref(promise)
        assert weakref.ref(promise) != weakref.ref(other)
        assert promise in weakref.WeakSet([other, promise])


def test_a_placeholder_equals_itself_only(join: Join) -> None:
    pair = join(None, Desk())
    seen: list[bool] = []

    def same(n: Any) -> Any:
        seen.append(n == n)
        return n

    promise = pair.a.main(DeskStub).ints(2).map(same)
    assert pair.wait(promise) == [0, 1]
    assert seen == [True]


def test_awaiting_in_a_mapper_is_refused(join: Join) -> None:
    pair = join(None, Desk())

    def wait(n: Any) -> Any:
        begin(n)
        return n

    with pytest.raises(TypeError, match=r"inside map\(\) one cannot await a value"):
        _ = pair.a.main(DeskStub).ints(2).map(wait)


def test_a_promise_that_has_arrived_refuses_too(join: Join) -> None:
    pair = join(None, Desk())
    promise = pair.a.main(DeskStub).add(1, 2)
    assert pair.wait(promise) == 3
    with pytest.raises(TypeError, match="await it, then calculate with a value"):
        sum([promise])  # type: ignore[list-item]  # that is what is tested


@pytest.mark.parametrize("kind", [AnyPromise, CounterPromise, BookPromise])
def test_every_kind_of_promise_refuses(kind: type[Any]) -> None:
    assert Refusals in kind.__mro__
    with pytest.raises(TypeError, match="test whether a value is true"):
        bool(kind(ErrorHook(RpcError("never"))))


def test_showing_a_promise_is_allowed(promise: AnyPromise) -> None:
    assert repr(promise).startswith("<AnyPromise of ")
    assert f"{promise!r}" == repr(promise)
    assert str([promise]).startswith("[<AnyPromise")


def test_any_verb_fits_both_sentences() -> None:
    with pytest.raises(TypeError, match=r"await it, then dance$"):
        refuse(ErrorHook(RpcError("never")), "dance")
