"""Stubs and promises that are used elsewhere than where their session lives say so at once, and nothing is spoilt."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.objects.refusals import allow_disposal, refuse_elsewhere
from capnweb_runtime.objects.streams import ReadableStream
from capnweb_runtime.transports import memory
from tests.runtime.example import Counter, CounterStub, CounterTarget, Desk, DeskStub

T = TypeVar("T")


class Telling(Desk):
    """Tells when its counter has been given up."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = asyncio.Event()

    def counter(self, start: int = 0) -> CounterTarget:
        gone = self.gone

        class Gone(Counter):
            def dispose(self) -> None:
                gone.set()

        return Gone()


OTHER_THREAD = r"belongs to an event loop that runs in another thread: .*run_coroutine_threadsafe.*connect_blocking\(\)"
OTHER_LOOP = r"belongs to another event loop than the one that is running here: .* connect once more on this loop"
CLOSED = r"the event loop that this stub or promise belongs to has been closed: connect once more"


def same(promise: T) -> T:
    return promise


def in_thread(function: Callable[[], T]) -> T:
    """What a function gives in a thread without a loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(10)


def on_another_loop(use: Callable[[], Any]) -> Any:
    """What awaiting something gives on a loop that runs in another thread."""

    async def used() -> Any:
        return await use()

    return in_thread(lambda: asyncio.run(asyncio.wait_for(used(), 10)))


def uses(desk: DeskStub, counter: CounterStub) -> dict[str, Callable[[], Any]]:
    """Whatever sends something, or gives something back."""
    promise, ints = desk.counter(), desk.ints(3)
    return {
        "call": lambda: desk.add(1, 2),
        "call of a promise": lambda: promise.increment(),
        "call with a stub": lambda: desk.use(counter),
        "map": lambda: ints.map(lambda n: n),
        "map with a stub": lambda: ints.map(lambda n: desk.add(n, 1)),
        "dup": lambda: counter.dup(),
        "dispose": lambda: counter.dispose(),
        "dispose of a promise": lambda: promise.dispose(),
        "leaving a block": lambda: counter.__exit__(),
    }


USES = [
    *("call", "call of a promise", "call with a stub", "map", "map with a stub", "dup"),
    *("dispose", "dispose of a promise", "leaving a block"),
]


class TestAnotherThread:
    @pytest.mark.parametrize("debug", [False, True])
    @pytest.mark.parametrize("what", USES)
    async def test_every_use_says_so_and_the_session_stays_usable(self, what: str, debug: bool) -> None:
        asyncio.get_running_loop().set_debug(debug)
        target = Desk()
        a, b = memory.pair(None, target)
        desk = a.main(DeskStub)
        counter = await desk.counter(5)
        use = uses(desk, counter)[what]
        for _ in range(2):
            with pytest.raises(RuntimeError, match=OTHER_THREAD):
                await asyncio.to_thread(in_thread, use)
        assert await asyncio.wait_for(desk.add(1, 2), 10) == 3
        assert await asyncio.wait_for(counter.increment(), 10) == 6
        assert target.made[0].disposed == 0
        counter.dispose()
        desk.dispose()
        await asyncio.wait_for(b.wait_closed(), 10)
        assert target.made[0].disposed == 1

    async def test_awaiting_says_so_whether_it_is_asked_for_already_or_not(self) -> None:
        a, _ = memory.pair(None, Desk())
        desk = a.main(DeskStub)
        fresh, asked = desk.add(1, 2), desk.add(3, 4)
        waiting = asyncio.gather(asked)
        a.pause_writing()
        sent = a.stats().messages_sent
        for promise in (fresh, asked, desk.home, desk.book("Emma").title):
            with pytest.raises(RuntimeError, match=OTHER_THREAD):
                await asyncio.to_thread(on_another_loop, partial(same, promise))
        assert a.stats().messages_sent == sent + 1  # the call of `book`, which was made here
        a.resume_writing()
        assert list(await asyncio.wait_for(waiting, 10)) == [7]
        assert await asyncio.wait_for(fresh, 10) == 3
        desk.dispose()

    async def test_gathering_says_so(self) -> None:
        a, _ = memory.pair(None, Desk())
        desk = a.main(DeskStub)
        promise = desk.add(1, 2)
        with pytest.raises(RuntimeError, match=OTHER_THREAD):
            await asyncio.to_thread(on_another_loop, lambda: asyncio.gather(promise))
        assert await promise == 3
        assert await asyncio.to_thread(on_another_loop, lambda: asyncio.gather(promise)) == [3]
        desk.dispose()

    async def test_a_coroutine_that_is_handed_over_works(self) -> None:
        a, _ = memory.pair(None, Desk())
        desk = a.main(DeskStub)
        loop = asyncio.get_running_loop()

        async def ask() -> int:
            return await desk.add(1, 2)

        assert await asyncio.to_thread(lambda: asyncio.run_coroutine_threadsafe(ask(), loop).result(10)) == 3
        desk.dispose()

    async def test_what_has_arrived_may_be_had_anywhere(self) -> None:
        a, _ = memory.pair(None, Desk())
        desk = a.main(DeskStub)
        promise = desk.add(1, 2)
        assert await promise == 3
        assert await asyncio.to_thread(on_another_loop, lambda: promise) == 3
        desk.dispose()

    async def test_a_target_that_came_home_is_called_in_its_own_thread_too(self) -> None:
        a, _ = memory.pair(None, Desk())
        desk = a.main(DeskStub)
        mine = Counter()
        came_home = await desk.same(mine)
        with pytest.raises(RuntimeError, match=OTHER_THREAD):
            _ = await asyncio.to_thread(in_thread, came_home.increment)
        assert mine.count == 0
        assert await came_home.increment() == 1
        came_home.dispose()
        desk.dispose()

    async def test_reading_a_stream_says_so(self) -> None:
        async def numbers() -> AsyncIterator[int]:
            yield 1

        a, b = memory.pair(None, Desk())
        desk = a.main(DeskStub)
        stream: ReadableStream[int] = await rpc.AnyStub(desk._hook.dup()).call("echo", numbers())
        with pytest.raises(RuntimeError, match=OTHER_THREAD):
            await asyncio.to_thread(on_another_loop, lambda: anext(stream))
        assert [number async for number in stream] == [1]
        desk.dispose()
        await asyncio.wait_for(b.wait_closed(), 10)

    async def test_a_stub_that_is_dropped_there_is_given_back(self) -> None:
        target = Telling()
        a, b = memory.pair(None, target)
        desk = a.main(DeskStub)
        box = [await desk.counter()]
        box[0]._owned = False  # of which dropping it would warn
        await asyncio.to_thread(in_thread, box.clear)
        await asyncio.wait_for(target.gone.wait(), 10)
        desk.dispose()
        await asyncio.wait_for(b.wait_closed(), 10)


@pytest.fixture
def loops() -> Iterator[tuple[asyncio.AbstractEventLoop, asyncio.AbstractEventLoop]]:
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    yield first, second
    first.close()
    second.close()


Loops = tuple[asyncio.AbstractEventLoop, asyncio.AbstractEventLoop]


async def joined() -> tuple[Connection, DeskStub]:
    a, _ = memory.pair(None, Desk())
    return a, a.main(DeskStub)


class TestAnotherLoop:
    """Of the same thread, one after the other; as fixtures and tests may have."""

    def test_calling_and_awaiting_say_so_and_the_session_stays_usable(self, loops: Loops) -> None:
        first, second = loops
        _, desk = first.run_until_complete(joined())
        promise = desk.add(1, 2)

        async def call() -> int:
            return await desk.add(1, 2)

        async def wait() -> int:
            return await promise

        for elsewhere in (call, wait):
            with pytest.raises(RuntimeError, match=OTHER_LOOP):
                second.run_until_complete(asyncio.wait_for(elsewhere(), 10))
        assert first.run_until_complete(asyncio.wait_for(call(), 10)) == 3
        assert first.run_until_complete(asyncio.wait_for(wait(), 10)) == 3

    def test_a_promise_that_is_waited_for_already_says_so(self, loops: Loops) -> None:
        first, second = loops
        a, desk = first.run_until_complete(joined())
        promise = desk.add(1, 2)
        a.pause_writing()

        async def begin() -> Any:
            return asyncio.gather(promise)

        waiting = first.run_until_complete(begin())

        async def wait() -> int:
            return await promise

        with pytest.raises(RuntimeError, match=OTHER_LOOP):
            second.run_until_complete(asyncio.wait_for(wait(), 10))
        a.resume_writing()
        assert first.run_until_complete(waiting) == [3]

    def test_a_stub_of_one_session_is_not_passed_to_a_session_of_another_loop(self, loops: Loops) -> None:
        first, second = loops
        _, near = first.run_until_complete(joined())
        _, far = second.run_until_complete(joined())

        async def count() -> CounterStub:
            return await near.counter()

        async def use(counter: CounterStub) -> int:
            return await far.use(counter)

        counter = first.run_until_complete(count())
        with pytest.raises(RuntimeError, match=OTHER_LOOP):
            second.run_until_complete(use(counter))

        async def add() -> int:
            return await far.add(1, 2)

        assert second.run_until_complete(add()) == 3
        counter.dispose()

    def test_after_the_loop_has_been_closed_calls_say_so_and_disposing_is_done(self) -> None:
        loop = asyncio.new_event_loop()
        _, desk = loop.run_until_complete(joined())
        loop.close()
        for _ in range(2):
            with pytest.raises(RuntimeError, match=CLOSED):
                _ = desk.add(1, 2)

        async def elsewhere() -> int:
            return await desk.add(1, 2)

        with pytest.raises(RuntimeError, match=CLOSED):
            asyncio.run(elsewhere())
        desk.dispose()
        assert repr(desk) == "<DeskStub (disposed)>"


class TestBetweenRuns:
    """A loop that does not run leaves its session to the thread: calls may be made, and wait until it runs again."""

    def test_a_promise_is_run_until_it_is_complete(self, loops: Loops) -> None:
        loop, _ = loops
        _, desk = loop.run_until_complete(joined())
        promise: Any = desk.add(1, 2)
        assert promise.get_loop() is loop
        assert loop.run_until_complete(promise) == 3
        assert loop.run_until_complete(promise) == 3
        assert loop.run_until_complete(desk.book("Emma").title) == "Emma"
        failing: Any = desk.fail("no")
        with pytest.raises(ValueError, match="no"):
            loop.run_until_complete(failing)

    def test_one_that_failed_before_it_was_sent_fails_there(self, loops: Loops) -> None:
        loop, _ = loops
        _, desk = loop.run_until_complete(joined())
        desk.dispose()
        with pytest.raises(Exception, match="had been disposed"):
            loop.run_until_complete(desk.add(1, 2))

    def test_of_a_session_that_has_ended_too(self, loops: Loops) -> None:
        loop, _ = loops
        a, desk = loop.run_until_complete(joined())
        a.abort(SessionClosed("over"))
        promise = desk.add(1, 2)
        with pytest.raises(SessionClosed, match="over"):
            loop.run_until_complete(promise)

    def test_another_loop_refuses_it_as_it_does_a_future(self, loops: Loops) -> None:
        loop, other = loops
        _, desk = loop.run_until_complete(joined())
        promise: Any = desk.add(1, 2)
        with pytest.raises(ValueError, match="different loop"):
            other.run_until_complete(promise)
        assert loop.run_until_complete(promise) == 3


class TestRefuseElsewhere:
    async def test_at_home_nothing_is_refused(self) -> None:
        loop = asyncio.get_running_loop()
        refuse_elsewhere(loop)
        allow_disposal(loop)
        allow_disposal(None)

    def test_while_the_loop_runs_other_threads_are_refused(self, loops: Loops) -> None:
        loop, _ = loops
        refuse_elsewhere(loop)
        thread = threading.Thread(target=loop.run_forever)
        running = threading.Event()
        loop.call_soon(running.set)
        thread.start()
        assert running.wait(60)
        for check in (refuse_elsewhere, allow_disposal):
            with pytest.raises(RuntimeError, match=OTHER_THREAD):
                check(loop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        allow_disposal(loop)
        loop.close()
        allow_disposal(loop)
        with pytest.raises(RuntimeError, match=CLOSED):
            refuse_elsewhere(loop)
