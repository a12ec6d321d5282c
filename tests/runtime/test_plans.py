"""Plans as they are written: what is recorded, what it comes to over a session, and what is refused."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime import SessionClosed, connect, serve
from capnweb_runtime.core.plan import run_plan
from capnweb_runtime.driving import turns
from capnweb_runtime.mounts.mount import MountOptions
from capnweb_runtime.objects.stub import RpcPromise
from capnweb_runtime.plans import (
    contains,
    eq,
    ge,
    gt,
    is_none,
    keep,
    le,
    lt,
    ne,
    not_,
    plan,
    repeat,
    size,
    when,
)
from capnweb_runtime.transports.memory import pair
from tests.gen.golden.cancellable.expected import SearchStub
from tests.runtime.conftest import Join
from tests.runtime.example import CounterStub, Desk, DeskStub
from tests.runtime.pair import Pair, Side
from tests.runtime.test_cancellation import PATIENCE, Search, asked


def instructions(function: Callable[[DeskStub], Any]) -> Any:
    """What is recorded of a plan, the header left out."""
    side = Side()
    promise = plan(side.main(DeskStub), function)
    (push,) = [wire for wire in map(json.loads, side.take()) if wire[0] == "push"]
    promise.dispose()
    assert push[1][:4] == ["remap", 0, [], []]
    assert push[1][4][0] == ["plan", 1]
    return push[1][4][1:]


class TestRecording:
    def test_a_call_and_what_is_made_of_its_result(self) -> None:
        assert instructions(lambda p: p.counter(1).increment(2)) == [
            ["pipeline", 0, ["counter"], [1]],
            ["pipeline", 2, ["increment"], [2]],
            ["pipeline", 3],
        ]

    def test_both_arms_are_blocks_that_capture(self) -> None:
        assert instructions(lambda p: when(eq(p.add(1, 2), 3), lambda: p.counter(1).value, lambda: p.add(5, 5))) == [
            ["pipeline", 0, ["add"], [1, 2]],
            ["op", "eq", ["pipeline", 2], 3],
            [
                "if",
                ["pipeline", 3],
                [[["import", 0]], [["pipeline", -1, ["counter"], [1]], ["pipeline", 1, ["value"]]]],
                [[["import", 0]], [["pipeline", -1, ["add"], [5, 5]], ["pipeline", 1]]],
            ],
            ["pipeline", 4],
        ]

    def test_a_loop_and_a_filter(self) -> None:
        assert instructions(
            lambda p: repeat(p.add(1, 1), while_=lambda n: lt(n, 9), do=lambda n: p.add(n, n), at_most=4)
        )[1:] == [
            [
                "while",
                ["pipeline", 2],
                [[], [["op", "lt", ["pipeline", 0], 9], ["pipeline", 1]]],
                [[["import", 0]], [["pipeline", -1, ["add"], [["pipeline", 0], ["pipeline", 0]]], ["pipeline", 1]]],
                4,
            ],
            ["pipeline", 3],
        ]
        assert instructions(lambda p: keep(p.books(), lambda book: gt(book.pages, 100)))[1] == [
            "keep",
            ["pipeline", 2],
            [[], [["op", "gt", ["pipeline", 0, ["pageCount"]], 100], ["pipeline", 1]]],
        ]

    @pytest.mark.parametrize(
        ("function", "wire"),
        [
            *((function, ["op", function.__name__, ["pipeline", 2], 5]) for function in (eq, ne, lt, le, gt, ge)),
            (lambda n, _: is_none(n), ["op", "null", ["pipeline", 2]]),
            (lambda n, _: size(n), ["op", "len", ["pipeline", 2]]),
            (lambda n, _: not_(n), ["op", "not", ["pipeline", 2]]),
            (contains, ["op", "in", 5, ["pipeline", 2]]),
        ],
    )
    def test_each_operation(self, function: Any, wire: Any) -> None:
        assert instructions(lambda p: function(p.echo(1), 5))[1] == wire

    def test_each_function_is_called_once(self) -> None:
        called: list[str] = []

        def once(name: str, result: Any) -> Any:
            called.append(name)
            return result

        instructions(
            lambda p: when(
                once("if", eq(p.add(1, 1), 2)),
                lambda: once("then", p.add(1, 1)),
                lambda: repeat(
                    p.add(0, 0),
                    while_=lambda n: once("while", lt(n, 3)),
                    do=lambda n: once("do", p.add(n, 1)),
                    at_most=3,
                ),
            )
        )
        assert called == ["if", "then", "while", "do"]


async def _never() -> None:
    """Not awaited."""


class TestRefusals:
    @pytest.mark.parametrize(
        ("function", "why"),
        [
            (
                lambda p: p.add(1, 1) if p.add(1, 1) else p.add(2, 2),
                "inside plan.. one cannot test whether a value is true",
            ),
            (lambda p: p.add(1, 1) > 1, "inside plan.. one cannot compare values: .* Use when"),
            (lambda p: [*p.books()], "inside plan.. one cannot loop over a value"),
            (lambda p: len(p.books()), "inside plan.. one cannot count"),
            (lambda p: _never(), "cannot be async"),
            (lambda p: when(True, p.nothing, p.nothing), "works on promises, .* here is bool"),  # type: ignore[arg-type]  # refused
            (lambda p: when(p.echo(1), lambda: 5, p.nothing), "works on promises, .* here is int"),  # type: ignore[arg-type,return-value]  # refused
            (lambda p: keep([1], lambda n: eq(n, 1)), "works on promises, .* here is list"),  # type: ignore[arg-type]  # refused
            (lambda p: plan(p, lambda q: q.nothing()), "cannot stand in a plan"),
            (
                lambda p: p.books().map(lambda book: when(eq(book.pages, 1), p.nothing, p.nothing)),
                "cannot stand in a mapper",
            ),
            (lambda p: p.apply(lambda n: n, 5), "a function of a plan cannot pass a new target or callback"),
            (lambda p: eq(object(), 1), "Cannot serialize"),  # type: ignore[arg-type]  # refused
        ],
    )
    def test_what_cannot_be_recorded(self, function: Callable[[DeskStub], Any], why: str) -> None:
        side = Side()
        with pytest.raises(TypeError, match=why):
            plan(side.main(DeskStub), function)
        gc.collect()
        side.host.collect()
        assert side.take() == []
        side.assert_empty()

    def test_a_value_of_one_arm_in_the_other(self) -> None:
        side = Side()
        seen: list[Any] = []

        def first(p: DeskStub) -> RpcPromise[int]:
            seen.append(p.add(1, 1))
            return p.add(2, 2)

        with pytest.raises(TypeError, match="recorded in one function of a plan is not known in another"):
            _ = plan(
                side.main(DeskStub), lambda p: when(eq(p.add(1, 1), 2), lambda: first(p), lambda: p.add(seen[0], 1))
            )
        side.assert_empty()

    def test_outside_of_a_plan(self) -> None:
        with pytest.raises(TypeError, match=r"eq\(\) stands in the function that plan\(\) is given"):
            _ = eq(1, 1)
        with pytest.raises(TypeError, match=r"plan\(\) takes a stub or a promise of one, not int"):
            plan(5, lambda p: p)  # type: ignore[call-overload]  # refused

    def test_a_loop_without_turns(self) -> None:
        with pytest.raises(ValueError, match="at_most has to be 1 or more, not 0"):
            instructions(lambda p: repeat(p.add(1, 1), while_=lambda n: lt(n, 1), do=lambda n: n, at_most=0))


@pytest.fixture
def served(join: Join) -> Pair:
    pair = join(None, Desk())
    pair.b.session.begin_plan = run_plan
    return pair


class TestOverASession:
    def test_arms_of_different_types(self, served: Pair) -> None:
        desk = served.a.main(DeskStub)
        for number, expected in ((1, 1), (2, "Ulysses")):
            echoed = desk.add(number, 0)
            chosen = plan(desk, lambda p: when(eq(echoed, 1), lambda: p.add(0, 1), lambda: p.book("Ulysses").title))  # noqa: B023  (called at once)
            assert served.wait(chosen) == expected

    def test_a_capability_of_an_arm_is_used_and_disposed(self, served: Pair) -> None:
        desk = served.a.main(DeskStub)
        counter = served.wait(
            plan(desk, lambda p: when(eq(p.add(1, 1), 2), lambda: p.counter(5), lambda: p.counter(6)))
        )
        assert isinstance(counter, CounterStub)
        assert served.wait(counter.increment()) == 6
        counter.dispose()

    def test_a_stub_of_the_client_s_is_captured(self, served: Pair) -> None:
        desk = served.a.main(DeskStub)
        counter = served.wait(desk.counter(1))
        total = plan(desk, lambda p: when(eq(p.add(1, 1), 2), lambda: counter.increment(5), lambda: p.add(0, 0)))
        assert served.wait(total) == 6
        counter.dispose()

    def test_the_subject_may_be_a_promise(self, served: Pair) -> None:
        counter = served.a.main(DeskStub).counter(3)
        assert served.wait(plan(counter, lambda c: when(gt(c.value, 2), c.increment, lambda: c.value))) == 4

    def test_what_is_read_of_a_plan_takes_no_round_trip_more(self, served: Pair) -> None:
        desk = served.a.main(DeskStub)
        before = served.a.session.stats().round_trips
        names = plan(desk, lambda p: keep(p.books(), lambda book: gt(book.pages, 500)).map(lambda book: book.title))
        assert served.wait(names) == ["Ulysses"]
        assert served.a.session.stats().round_trips == before + 1

    def test_whatever_it_decides_it_takes_one_round_trip(self, join: Join) -> None:
        """Three branches a turn, six turns; call by call each of them has to be waited for."""

        def turn(p: DeskStub, n: RpcPromise[int]) -> RpcPromise[int]:
            return when(
                gt(n, 5),
                lambda: when(gt(n, 20), lambda: p.add(n, 20), lambda: p.add(n, 10)),
                lambda: when(eq(n, 1), lambda: p.add(n, 2), lambda: p.add(n, 4)),
            )

        trips = []
        for takes in (True, False):
            pair = join(None, Desk())
            pair.b.session.begin_plan = run_plan if takes else None
            desk = pair.a.main(DeskStub)
            pages = plan(
                desk,
                lambda p: repeat(p.add(0, 1), while_=lambda n: lt(n, 60), do=lambda n: turn(p, n), at_most=50),
            )
            assert pair.wait(pages) == 67
            trips.append(pair.a.session.stats().round_trips)
        assert trips[0] == 1
        assert trips[1] >= 6

    def test_an_error_names_the_place_and_keeps_its_type(self, served: Pair) -> None:
        desk = served.a.main(DeskStub)
        with pytest.raises(ValueError, match=r"^plan\[4\]\.then\[1\]: no(\n|$)"):
            served.wait(plan(desk, lambda p: when(eq(p.add(1, 1), 2), lambda: p.fail("no"), lambda: p.nothing())))


async def test_a_server_takes_plans_if_it_is_told_to() -> None:
    async with serve(lambda peer: Desk(), "127.0.0.1", 0, plans=True) as server:
        for url in (server.url, server.url.replace("ws", "http")):
            async with connect(url, DeskStub) as desk:
                doubled = plan(
                    desk,
                    lambda p: repeat(p.add(1, 1), while_=lambda n: lt(n, 100), do=lambda n: p.add(n, n), at_most=50),
                )
                assert await doubled == 128


async def test_with_a_server_that_is_not_told_to_a_plan_is_carried_out_from_here() -> None:
    async with serve(lambda peer: Desk(), "127.0.0.1", 0) as server, connect(server.url, DeskStub) as stub:
        assert await plan(stub, lambda p: when(gt(p.add(1, 1), 1), lambda: p.add(1, 2), lambda: p.add(0, 0))) == 3


async def test_but_not_within_a_batch() -> None:
    desk = Desk()
    async with (
        serve(lambda peer: desk, "127.0.0.1", 0) as server,
        connect(server.url.replace("ws", "http"), DeskStub) as stub,
    ):
        with pytest.raises(TypeError, match="unknown special value"):
            await plan(stub, lambda p: p.add(1, 1))
    assert desk.log == []


def test_a_mount_may_be_told_to() -> None:
    assert MountOptions(plans=True) == {"plans": True}


@pytest.mark.parametrize("cut", [False, True])
async def test_giving_a_plan_up_cancels_the_call_that_it_waits_for(*, cut: bool) -> None:
    search = Search()
    a, b = pair(None, search)
    b.session.begin_plan = run_plan
    async with asyncio.timeout(PATIENCE):
        promise = plan(
            a.main(SearchStub), lambda p: when(eq(size(p.find("a")), 1), lambda: p.count([1]), lambda: p.count([2]))
        )
        waiting = asked(promise)
        await search.begun.wait()
        if cut:
            a.session.abort(SessionClosed("cut"))
        else:
            promise.dispose()
        assert await search.outcome() == "cancelled"
        await asyncio.gather(waiting, return_exceptions=True)
    assert search.counted == []
    assert cut or (b.stats().exports, b.stats().calls) == (1, 0)
    a.session.abort(SessionClosed("the end"))


async def test_a_long_plan_lets_others_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN", 0.0)
    async with (
        serve(lambda peer: Desk(), "127.0.0.1", 0, plans=True) as server,
        connect(server.url, DeskStub) as busy,
        connect(server.url, DeskStub) as other,
    ):
        await other.add(1, 1)
        long = asyncio.ensure_future(
            plan(
                busy,
                lambda p: repeat(p.add(1, 1), while_=lambda n: lt(n, 1000), do=lambda n: p.add(n, 1), at_most=900),
            )
        )
        answered = 0
        while not long.done():
            assert await other.add(1, 1) == 2
            answered += 1
        assert await long == 902
        assert answered > 3
