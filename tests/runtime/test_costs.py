"""`Limits.cost` in sessions: what is counted, what is refused, and what peers are told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from capnweb_runtime import CallInfo, CostExceeded, CostLeft, Proceed, connect, cost_left, serve
from capnweb_runtime.core.target_hooks import AttendedTargetHook
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.limits import Limits
from capnweb_runtime.plans import gt, plan, repeat, size, when
from capnweb_runtime.testing import pair
from tests.gen.golden.costs.expected import OnHitStub, SearchStub, SearchTarget
from tests.runtime.example import Desk, DeskStub
from tests.runtime.pair import Recording


class Search(SearchTarget):
    """Finds what there is: find costs 25, each 5 and its callback 2, names 3, all else 1."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.left: list[CostLeft | None] = []

    def find(self, word: str, limit: int = 10) -> list[int]:
        self.calls.append(f"find {word}")
        self.left.append(cost_left())
        return [1, 2, 3]

    def words(self) -> list[str]:
        self.calls.append("words")
        return ["a", "b", "c"]

    async def each(self, word: str, on_hit: OnHitStub) -> int:
        self.calls.append(f"each {word}")
        return int(await on_hit(1))

    def count(self, numbers: list[int]) -> int:
        self.calls.append("count")
        return len(numbers)

    @property
    def names(self) -> set[str]:
        self.calls.append("names")
        self.left.append(cost_left())
        return {"a"}

    async def follow(self, word: str) -> AsyncIterator[int]:
        yield 1


def bounded(cost: int, window: float = 60.0) -> Limits:
    return Limits(cost=cost, cost_window=window)


async def refused(awaitable: Any) -> CostExceeded:
    with pytest.raises(CostExceeded) as caught:
        await awaitable
    return caught.value


class Clock:
    """Time that passes when it is told to."""

    time = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of all sessions."""
    clock = Clock()
    monkeypatch.setattr(AsyncioHost, "now", lambda host: clock.time)
    return clock


async def test_calls_cost_what_the_schema_says_and_are_refused_before_they_run(clock: Clock) -> None:
    search, seen = Search(), Recording()
    async with pair(search, SearchStub, limits=bounded(30), observer=seen) as api:
        assert await api.find("a") == [1, 2, 3]
        assert await api.count([1]) == 1
        error = await refused(api.find("b"))
        assert (error.cost, error.left, error.retry_after) == (25, 4, 60)
        assert error.message == (
            "Search.find costs 25, and 4 of the 30 are left that Limits.cost allows in 60 s: try again in 60 s"
        )
        assert await api.names == {"a"}
        assert (await refused(api.names)).left == 1
        clock.time += 60
        assert await api.names == {"a"}
    assert search.calls == ["find a", "count", "names", "names"]
    assert seen.failures == []  # a refusal is no failure of the application


async def test_methods_and_properties_are_told_what_is_left(clock: Clock) -> None:
    search = Search()
    async with pair(search, SearchStub, limits=bounded(30)) as api:
        await api.find("a")
        clock.time += 20
        await api.names
    assert search.left == [CostLeft(5, 30, 60.0), CostLeft(2, 30, 40.0)]


async def test_nothing_is_left_where_nothing_is_bounded_or_served() -> None:
    search = Search()
    async with pair(search, SearchStub) as api:
        await api.find("a")
    assert search.left == [None]
    assert cost_left() is None


async def test_a_session_that_is_opened_while_a_call_is_served_has_costs_of_its_own() -> None:
    inner = Search()

    class Outer(Search):
        async def each(self, word: str, on_hit: OnHitStub) -> int:
            async with pair(inner, SearchStub) as api:
                await api.find("a")
            return 1

    async with pair(Outer(), SearchStub, limits=bounded(30)) as api:
        await api.each("a", lambda number, *, last=False: True)
    assert inner.left == [None]


async def test_each_call_of_a_map_counts_and_the_first_that_cannot_be_afforded_fails_it() -> None:
    search = Search()
    async with pair(search, SearchStub, limits=bounded(80)) as api:
        error = await refused(api.find("a").map(lambda number: api.find("b")))
    assert (error.cost, error.left) == (25, 5)
    assert search.calls == ["find a", "find b", "find b"]


async def test_callbacks_cost_those_who_call_them() -> None:
    heard: list[int] = []

    def hit(number: int, *, last: bool = False) -> bool:
        heard.append(number)
        return True

    class Thrice(Search):
        async def each(self, word: str, on_hit: OnHitStub) -> int:
            for number in (1, 2, 3):
                await on_hit(number)
            return 1

    async with pair(Thrice(), SearchStub, limits=bounded(5)) as api:  # of both sides
        error = await refused(api.each("a", hit))
    assert (error.cost, error.left, heard) == (2, 1, [1, 2])


async def test_what_costs_more_than_there_ever_is_says_so() -> None:
    async with pair(Search(), SearchStub, limits=bounded(24)) as api:
        error = await refused(api.find("a"))
        assert error.retry_after is None
        assert "would never be let through" in error.message
        assert await api.count([]) == 0


async def test_what_was_passed_to_a_refused_call_is_given_back() -> None:
    async with pair(Search(), SearchStub, limits=bounded(4), no_leaks=True) as api:
        await refused(api.each("a", lambda number, *, last=False: True))


async def test_interceptors_are_told_what_was_refused() -> None:
    told: list[tuple[str, str, BaseException]] = []

    class Watching:
        async def __call__(self, call: CallInfo, proceed: Proceed, /) -> Any:
            return await proceed(call)

        def refused(self, call: CallInfo, error: BaseException, /) -> None:
            told.append((call.name, call.kind, error))

    async with pair(Search(), SearchStub, limits=bounded(25), interceptors=[Watching()]) as api:
        await api.find("a")
        await refused(api.find("a"))
        await refused(api.names)
    assert [(name, kind, type(error)) for name, kind, error in told] == [
        ("Search.find", "call", CostExceeded),
        ("Search.names", "get", CostExceeded),
    ]


async def test_calls_in_threads_count() -> None:
    search = Search()
    async with (
        serve(lambda peer: search, "127.0.0.1", 0, limits=bounded(30), threads=1) as server,
        connect(server.url, SearchStub) as api,
    ):
        await api.find("a")
        await refused(api.find("b"))
    (left,) = search.left
    assert left is not None
    assert left[:2] == (5, 30)


async def test_each_batch_over_http_is_a_session_of_its_own() -> None:
    async with serve(lambda peer: Search(), "127.0.0.1", 0, limits=bounded(30)) as server:
        url = server.url.replace("ws", "http", 1)
        for _ in range(2):
            async with connect(url, SearchStub) as api:
                first, second = await asyncio.gather(api.find("a"), api.find("b"), return_exceptions=True)
            assert first == [1, 2, 3]
            assert isinstance(second, CostExceeded)


async def test_calls_of_plans_count_and_the_error_says_where() -> None:
    desk = Desk()
    async with (
        serve(lambda peer: desk, "127.0.0.1", 0, limits=bounded(5), plans=True) as server,
        connect(server.url, DeskStub) as api,
    ):
        grown = plan(api, lambda p: repeat(p.add(1, 0), lambda n: gt(100, n), lambda n: p.add(n, 1), at_most=50))
        error = await refused(grown)
        assert error.message.startswith("plan[3].do[1]: Desk.add costs 1, and 0 of the 5 are left")
        assert (error.cost, error.left) == (1, 0)
        assert 0 < (error.retry_after or 0) <= 60


@contextlib.asynccontextmanager
async def served(search: Search, cost: int) -> AsyncIterator[SearchStub]:
    """A client of a server that takes plans."""
    async with (
        serve(lambda peer: search, "127.0.0.1", 0, limits=bounded(cost), plans=True) as server,
        connect(server.url, SearchStub) as api,
    ):
        yield api


class TestPlansAreWeighed:
    async def test_one_that_must_cost_more_than_is_left_is_refused_before_anything_of_it_runs(self) -> None:
        search = Search()
        async with served(search, 60) as api:
            await api.find("a")
            error = await refused(plan(api, lambda p: (p.count([1]), p.find("b"), p.find("c"))))
            assert (error.cost, error.left) == (51, 35)
            assert error.message.startswith("the plan costs at least 51, and 35 of the 60 are left")
            assert 0 < (error.retry_after or 0) <= 60
            assert await plan(api, lambda p: (p.count([1]), p.find("b"))) == (1, [1, 2, 3])
        assert search.calls == ["find a", "count", "find b"]

    async def test_of_two_arms_the_cheaper_one_is_taken(self) -> None:
        async with served(Search(), 5) as api:
            count = plan(api, lambda p: when(gt(p.count([1]), 0), lambda: p.count([2]), lambda: p.names))
            assert await count == 1
            dear = plan(api, lambda p: when(gt(p.count([1]), 0), lambda: size(p.find("a")), lambda: size(p.find("b"))))
            error = await refused(dear)
            assert (error.cost, error.left, error.retry_after) == (26, 3, None)

    async def test_lists_are_as_long_as_is_assumed_of_them(self) -> None:
        search = Search()
        async with served(search, 44) as api:
            error = await refused(plan(api, lambda p: p.find("a").map(lambda number: p.count([number]))))
            assert error.message.startswith("the plan is taken to cost 45, and Limits.cost allows 44 in 60 s")
            assert search.calls == []
        async with served(search, 45) as api:
            assert await plan(api, lambda p: p.find("a").map(lambda number: p.count([number]))) == [1, 1, 1]

    async def test_what_is_used_from_outside_is_known_too(self) -> None:
        search = Search()
        async with served(search, 24) as api:
            error = await refused(plan(api.names, lambda p: api.find("a")))
        assert error.message.startswith("the plan costs at least 28")  # 3 of them for what it is applied to
        assert search.calls == []

    async def test_nothing_is_refused_beforehand_where_nothing_is_bounded(self) -> None:
        search = Search()
        async with (
            serve(lambda peer: search, "127.0.0.1", 0, plans=True) as server,
            connect(server.url, SearchStub) as api,
        ):
            assert await plan(api, lambda p: p.find("a").map(lambda number: p.count([number]))) == [1, 1, 1]


def test_sessions_that_bound_no_costs_have_plain_targets() -> None:
    loop = asyncio.new_event_loop()
    try:
        for limits, attends in ((Limits(), False), (bounded(1), True)):
            connection = Connection(Desk(), loop=loop, limits=limits)
            assert isinstance(connection.session.main_hook, AttendedTargetHook) is attends
    finally:
        loop.close()


def test_bounds_that_allow_nothing_are_refused_when_a_server_is_made() -> None:
    with pytest.raises(ValueError, match=r"Limits\.cost has to be 1 or more"):
        _ = serve(lambda peer: Desk(), "127.0.0.1", 0, limits=bounded(0))
    with pytest.raises(ValueError, match=r"Limits\.cost_window has to be"):
        _ = serve(lambda peer: Desk(), "127.0.0.1", 0, limits=bounded(1, 0))
