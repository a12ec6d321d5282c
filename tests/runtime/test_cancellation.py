"""Calls whose results nobody wants any more, over whole sessions: those of methods that are declared `@cancellable` are
cancelled, and no others.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from capnweb_runtime import RpcError, SessionClosed, connect, in_thread, serve
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.transports.memory import pair
from tests.gen.golden.cancellable.expected import OnHitStub, SearchStub, SearchTarget

PATIENCE = 10


class Search(SearchTarget):
    """Tells when a call has begun and how it ended, and lets it end when the test says so."""

    def __init__(self, parent: Search | None = None) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.ended = asyncio.Event()
        self.how = ""
        self.counted: list[list[int]] = []
        self.parent = parent
        self.insist = False

    async def find(self, word: str, limit: int = 10) -> list[int]:
        return [await self._wait()]

    async def each(self, word: str, on_hit: OnHitStub) -> int:
        call = asked(on_hit(1))
        await self.may_end.wait()
        call.cancel()
        return 1

    async def inside(self, word: str) -> Search:
        await self._wait()
        return Search(self)

    async def follow(self, word: str) -> AsyncIterator[int]:
        try:
            yield 1
            await self._wait()
        finally:
            self.ended.set()

    async def count(self, numbers: list[int]) -> int:
        self.counted.append(numbers)
        return await self._wait()

    async def _wait(self) -> int:
        self.begun.set()
        try:
            while not self.may_end.is_set():
                try:
                    await self.may_end.wait()
                except asyncio.CancelledError:
                    if not self.insist:
                        raise
            self.how = "returned"
        except asyncio.CancelledError:
            self.how = "cancelled"
            raise
        finally:
            self.ended.set()
        return 7

    async def outcome(self) -> str:
        async with asyncio.timeout(PATIENCE):
            await self.ended.wait()
        return self.how


def asked(promise: Awaitable[Any]) -> asyncio.Task[Any]:
    """A task that waits for a promise, whatever that comes to."""

    async def wait() -> Any:
        return await promise

    task = asyncio.create_task(wait())
    task.add_done_callback(lambda task: task.cancelled() or task.exception())
    return task


def with_find(find: Callable[..., Any]) -> Search:
    """A target with another `find`."""
    made: Search = type("Finding", (Search,), {"find": find})()
    return made


class Joined:
    """A client and a server within this process."""

    def __init__(self, target: SearchTarget | None = None) -> None:
        self.target = Search()
        self.a, self.b = pair(None, target or self.target)
        self.search = self.a.main(SearchStub)

    async def all_said(self) -> None:
        """Waits until neither side has anything to say."""
        while True:
            before = self._said()
            for _ in range(3):
                await asyncio.sleep(0)
            if self._said() == before:
                return

    def _said(self) -> tuple[int, int]:
        return self.a.stats().messages_sent, self.b.stats().messages_sent


@pytest.fixture
async def joined() -> Joined:
    return Joined()


class TestReleased:
    async def test_a_call_whose_result_was_asked_for_is_cancelled(self, joined: Joined) -> None:
        found = joined.search.find("x")
        waiting = asked(found)
        await joined.target.begun.wait()
        found.dispose()
        assert await joined.target.outcome() == "cancelled"
        with pytest.raises(RpcError, match="disposed"):
            await waiting
        await joined.all_said()
        assert joined.b.host.running == 0

    async def test_a_call_that_had_to_wait_for_its_arguments_is_cancelled(self) -> None:
        known = asyncio.Event()

        class Slow(Search):
            async def count(self, numbers: list[int]) -> int:
                await known.wait()
                return 3

        target = Slow()
        joined = Joined(target)
        found = joined.search.find("x", joined.search.count([]))
        _ = asked(found)
        await joined.all_said()
        assert not target.begun.is_set()
        known.set()
        async with asyncio.timeout(PATIENCE):
            await target.begun.wait()
        found.dispose()
        assert await target.outcome() == "cancelled"
        await joined.all_said()
        assert joined.b.host.running == 0

    async def test_a_call_that_was_never_asked_for_runs_to_its_end(self, joined: Joined) -> None:
        joined.search.find("x").dispose()
        await joined.target.begun.wait()
        await joined.all_said()
        assert joined.b.stats().exports == 1
        joined.target.may_end.set()
        assert await joined.target.outcome() == "returned"

    async def test_what_is_not_declared_runs_to_its_end(self, joined: Joined) -> None:
        counted = joined.search.count([])
        _ = asked(counted)
        await joined.target.begun.wait()
        counted.dispose()
        await joined.all_said()
        joined.target.may_end.set()
        assert await joined.target.outcome() == "returned"

    async def test_it_never_begins_if_it_is_given_up_with_the_message_that_made_it(self, joined: Joined) -> None:
        found = joined.search.inside("x").find("y")
        _ = asked(found)
        await joined.target.begun.wait()
        found.dispose()
        await joined.all_said()
        joined.target.may_end.set()
        assert await joined.target.outcome() == "returned"  # the call was to be made
        await joined.all_said()
        assert joined.b.stats().calls == 0

    async def test_twice_is_once(self, joined: Joined) -> None:
        found = joined.search.find("x")
        _ = asked(found)
        await joined.target.begun.wait()
        found.dispose()
        found.dispose()
        assert await joined.target.outcome() == "cancelled"
        await joined.all_said()
        assert not joined.b.session.closed

    async def test_at_the_moment_of_the_result_nothing_goes_wrong(self, joined: Joined) -> None:
        found = joined.search.find("x")
        _ = asked(found)
        await joined.target.begun.wait()
        joined.target.may_end.set()
        found.dispose()
        await joined.all_said()
        assert joined.target.how in {"returned", "cancelled"}
        assert joined.b.stats().exports == 1
        assert not joined.b.session.closed

    async def test_a_task_that_goes_on_all_the_same_is_counted_until_it_ends(self, joined: Joined) -> None:
        joined.target.insist = True
        inside = joined.search.inside("x")
        _ = asked(inside)
        await joined.target.begun.wait()
        inside.dispose()
        await joined.all_said()
        assert joined.b.host.running == 1
        joined.target.may_end.set()
        assert await joined.target.outcome() == "returned"
        await joined.all_said()
        assert joined.b.host.running == 0
        assert joined.b.stats().exports == 1

    async def test_what_the_task_does_in_the_end_is_not_interrupted(self) -> None:
        cleared = asyncio.Event()

        class Clearing(Search):
            async def find(self, word: str, limit: int = 10) -> list[int]:
                try:
                    return await super().find(word, limit)
                finally:
                    await asyncio.sleep(0)
                    cleared.set()

        target = Clearing()
        joined = Joined(target)
        found = joined.search.find("x")
        _ = asked(found)
        await target.begun.wait()
        found.dispose()
        async with asyncio.timeout(PATIENCE):
            await cleared.wait()

    async def test_a_method_without_async_that_returns_an_awaitable_is_cancelled(self) -> None:
        target = with_find(lambda self, word, limit=10: Search.find(self, word, limit))
        joined = Joined(target)
        found = joined.search.find("x")
        _ = asked(found)
        await target.begun.wait()
        found.dispose()
        assert await target.outcome() == "cancelled"

    async def test_a_plain_method_just_runs(self) -> None:
        assert await Joined(with_find(lambda self, word, limit: [limit])).search.find("x", 3) == [3]

    async def test_a_thread_cannot_be_interrupted(self) -> None:
        may_end, begun, ended = threading.Event(), asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        @in_thread
        def find(self: Search, word: str, limit: int = 10) -> list[int]:
            loop.call_soon_threadsafe(begun.set)
            may_end.wait(PATIENCE)
            loop.call_soon_threadsafe(ended.set)
            return []

        joined = Joined(with_find(find))
        found = joined.search.find("x")
        _ = asked(found)
        await begun.wait()
        found.dispose()
        await joined.all_said()
        assert joined.b.host.running == 1  # so that a peer cannot have any number of threads busy
        may_end.set()
        await ended.wait()


class TestStillWanted:
    async def test_by_a_call_of_the_result(self, joined: Joined) -> None:
        inside = joined.search.inside("x")
        _ = asked(inside)
        _ = inside.count([1])
        await joined.target.begun.wait()
        inside.dispose()
        await joined.all_said()
        joined.target.may_end.set()
        assert await joined.target.outcome() == "returned"

    async def test_by_a_call_with_the_result(self, joined: Joined) -> None:
        found = joined.search.find("x")
        _ = asked(found)
        counted = joined.search.count(found)
        await joined.target.begun.wait()
        found.dispose()
        await joined.all_said()
        joined.target.may_end.set()
        assert await counted == 7
        assert joined.target.counted == [[7]]

    async def test_by_nobody_once_that_has_been_given_up_too(self, joined: Joined) -> None:
        found = joined.search.find("x")
        _ = asked(found)
        item = found[0]
        _ = asked(item)
        await joined.target.begun.wait()
        await joined.all_said()
        found.dispose()
        await joined.all_said()
        assert not joined.target.ended.is_set()
        item.dispose()
        assert await joined.target.outcome() == "cancelled"

    async def test_by_a_map_over_it(self, joined: Joined) -> None:
        found = joined.search.find("x")
        _ = asked(found)
        mapped = found.map(lambda number: number)
        await joined.target.begun.wait()
        found.dispose()
        await joined.all_said()
        joined.target.may_end.set()
        assert await mapped == [7]

    async def test_by_whoever_waits_after_a_wait_was_given_up(self, joined: Joined) -> None:
        found = joined.search.find("x")
        first = asked(found)
        await joined.all_said()
        first.cancel()
        await joined.target.begun.wait()
        gc.collect()
        await joined.all_said()
        joined.target.may_end.set()
        assert await found == [7]


class TestWaitGivenUp:
    async def test_by_a_timeout(self, joined: Joined) -> None:
        async def wait() -> None:
            async with asyncio.timeout(None) as bound:
                asyncio.get_running_loop().call_soon(bound.reschedule, 0)
                await joined.search.find("x")

        with pytest.raises(TimeoutError):
            await wait()
        assert await joined.target.outcome() == "cancelled"

    async def test_by_wait_for(self, joined: Joined) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(joined.search.find("x"), 0.001)
        assert await joined.target.outcome() == "cancelled"

    async def test_by_a_task_that_is_cancelled(self, joined: Joined) -> None:
        async def wait() -> list[int]:
            return await joined.search.find("x")

        task = asyncio.create_task(wait())
        await joined.target.begun.wait()
        task.cancel()
        assert await joined.target.outcome() == "cancelled"

    async def test_by_one_of_two(self, joined: Joined) -> None:
        found = joined.search.find("x")

        async def wait() -> list[int]:
            return await found

        first, second = asyncio.create_task(wait()), asyncio.create_task(wait())
        await joined.target.begun.wait()
        first.cancel()
        await joined.all_said()
        joined.target.may_end.set()
        assert await second == [7]

    async def test_of_an_attribute(self, joined: Joined) -> None:
        async def wait() -> int:
            return await joined.search.find("x")[0]

        task = asyncio.create_task(wait())
        await joined.target.begun.wait()
        await joined.all_said()
        task.cancel()
        assert await joined.target.outcome() == "cancelled"


class TestCallbacks:
    async def test_one_is_cancelled_by_the_side_that_called_it(self, joined: Joined) -> None:
        begun, cancelled = asyncio.Event(), asyncio.Event()

        async def on_hit(number: int, *, last: bool = False) -> bool:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            return True

        each = joined.search.each("x", on_hit)
        waiting = asked(each)
        await begun.wait()
        joined.target.may_end.set()
        async with asyncio.timeout(PATIENCE):
            await cancelled.wait()
        assert await waiting == 1


class TestLostSession:
    async def test_a_call_that_was_asked_for_is_cancelled(self, joined: Joined) -> None:
        _ = asked(joined.search.find("x"))
        await joined.target.begun.wait()
        joined.search.dispose()
        assert await joined.target.outcome() == "cancelled"

    async def test_a_stream_that_is_being_read_is_closed(self, joined: Joined) -> None:
        stream = await joined.search.follow("x")
        assert await anext(stream) == 1
        await joined.target.begun.wait()
        joined.search.dispose()
        assert await joined.target.outcome() == "cancelled"

    async def test_what_is_not_declared_runs_to_its_end(self, joined: Joined) -> None:
        _ = asked(joined.search.count([]))
        await joined.target.begun.wait()
        joined.search.dispose()
        await joined.b.wait_closed()
        joined.target.may_end.set()
        assert await joined.target.outcome() == "returned"

    @pytest.mark.parametrize("threads", [None, 1])
    async def test_with_cancel_lost_every_call_is_cancelled(self, threads: int | None) -> None:
        target = Search()
        async with serve(lambda peer: target, "127.0.0.1", 0, cancel_lost=True, threads=threads) as server:
            async with connect(server.url, SearchStub) as search:
                lost = asked(search.count([]))
                await target.begun.wait()
            assert await target.outcome() == "cancelled"
            with pytest.raises(SessionClosed):
                await lost

    async def test_with_cancel_lost_a_release_cancels_what_is_declared_alone(self) -> None:
        target = Search()
        async with (
            serve(lambda peer: target, "127.0.0.1", 0, cancel_lost=True) as server,
            connect(server.url, SearchStub) as search,
        ):
            counted, found = search.count([]), search.find("x")
            waiting = asked(counted), asked(found)
            await target.begun.wait()
            counted.dispose()
            found.dispose()
            assert await target.outcome() == "cancelled"  # `find`: the other one still waits
            target.ended.clear()
            target.may_end.set()
            assert await target.outcome() == "returned"
            assert len(waiting) == 2


async def test_sessions_of_plain_servers_have_plain_hosts() -> None:
    assert Connection().host.attends is False
