"""Plain methods that block, in threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator

import pytest

from capnweb_runtime import connect, in_thread, serve
from capnweb_runtime.driving.attending import Terms
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.driving.threads import threads_of
from capnweb_runtime.transports.memory import join, pair
from examples.demo.server import Accounts, Authed, Front
from generated.accounts import PublicApiStub
from tests.runtime.example import DeskStub
from tests.runtime.example import DeskTarget as Desk

USER: contextvars.ContextVar[str] = contextvars.ContextVar("USER", default="nobody")


class Blocking(Desk):
    """Its `add` waits for the test."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.begun = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.users: list[str] = []
        self.threads: set[str] = set()

    @in_thread
    def add(self, a: int, b: int) -> int:
        self.threads.add(threading.current_thread().name)
        self.users.append(USER.get())
        USER.set("somebody")
        self.loop.call_soon_threadsafe(self.begun.set)
        if a == 0:
            raise ValueError("nothing to add to")
        self.may_go.wait()
        return a + b

    def nothing(self) -> None:
        self.users.append(USER.get())


class TestInThread:
    async def test_others_are_answered_while_it_blocks(self) -> None:
        target = Blocking()
        client, _ = pair(None, target)
        desk = client.main(DeskStub)
        blocked = desk.add(1, 2)
        await desk.nothing()
        await target.begun.wait()
        await desk.nothing()
        target.may_go.set()
        assert await blocked == 3
        assert threading.current_thread().name not in target.threads

    async def test_it_has_a_copy_of_the_calls_context(self) -> None:
        USER.set("ada")
        target = Blocking()
        target.may_go.set()
        client, _ = pair(None, target)
        desk = client.main(DeskStub)
        assert await desk.add(1, 2) == 3
        await desk.nothing()
        assert target.users == ["ada", "ada"]

    async def test_what_it_raises_is_the_calls_error(self) -> None:
        client, _ = pair(None, Blocking())
        with pytest.raises(ValueError, match="nothing to add to"):
            await client.main(DeskStub).add(0, 2)

    def test_it_is_for_functions_that_block(self) -> None:
        async def waits() -> None: ...

        async def streams() -> AsyncIterator[int]:
            yield 1

        def generates() -> Iterator[int]:
            yield 1

        for function, hint in ((waits, "leave @in_thread out"), (streams, "leave @in_thread out"), (generates, "list")):
            with pytest.raises(TypeError, match=hint):
                in_thread(function)


class Plain(Desk):
    """A plain method that waits for another call of its session."""

    def __init__(self) -> None:
        self.second = threading.Event()
        self.users: list[str] = []
        self.threads: set[str] = set()

    def add(self, a: int, b: int) -> int:
        self.threads.add(threading.current_thread().name)
        self.users.append(USER.get())
        if a == 1:
            self.second.wait()
        else:
            self.second.set()
        return a + b

    async def nothing(self) -> None:
        self.threads.add(f"async in {threading.current_thread().name}")


class TestServingInThreads:
    async def test_plain_methods_run_side_by_side_and_async_ones_on_the_loop(self) -> None:
        target = Plain()

        def main(peer: object) -> Plain:
            USER.set("ada")
            return target

        async with serve(main, "127.0.0.1", 0, threads=2) as server, connect(server.url, DeskStub) as desk:
            first, second = desk.add(1, 2), desk.add(2, 2)
            assert (await first, await second) == (3, 4)
            await desk.nothing()
        assert target.users == ["ada", "ada"]
        assert {name.partition("_")[0] for name in target.threads} == {
            "capnweb",
            f"async in {threading.current_thread().name}",
        }

    async def test_its_threads_end_with_the_server(self) -> None:
        before = {*threading.enumerate()}  # of other tests, whose threads may just be ending
        async with serve(lambda peer: Plain(), "127.0.0.1", 0, threads=1) as server:
            async with connect(server.url, DeskStub) as desk:
                await desk.add(2, 2)
            made = {*threading.enumerate()} - before
            (thread,) = [one for one in made if one.name.startswith("capnweb_")]
        thread.join(30)
        assert not thread.is_alive()

    def test_there_is_at_least_one(self) -> None:
        with pytest.raises(ValueError, match="threads has to be at least 1, not 0"):
            _ = serve(lambda peer: Plain(), "127.0.0.1", 0, threads=0)


class TestWatching:
    async def test_in_debug_mode_a_method_that_holds_the_loop_is_named(self, caplog: pytest.LogCaptureFixture) -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.0
        client, _ = pair(None, Holding())
        await client.main(DeskStub).add(1, 2)
        loop.set_debug(False)
        told = [record.getMessage() for record in caplog.records if record.name == "capnweb_runtime"]
        assert told[0].startswith("Holding.add held up every session for ")
        assert "@in_thread" in told[0]

    @pytest.mark.parametrize("on_terms", [False, True])
    @pytest.mark.parametrize("in_threads", [False, True])
    async def test_so_is_each_step_of_an_async_method(
        self, in_threads: bool, on_terms: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        asyncio.get_running_loop().slow_callback_duration = 0.0
        client = Connection()
        server = Connection(
            Stepping(),
            threads=threads_of(1) if in_threads else None,
            terms=Terms(cancel_lost=True) if on_terms else None,
            debug=True,
        )
        join(client, server)
        desk = client.main(DeskStub)
        assert await desk.add(1, 2) == 3
        with pytest.raises(ValueError, match="nothing to add to"):
            await desk.add(0, 2)
        told = [one for one in messages(caplog) if one.startswith("Stepping.add held up every session for ")]
        assert len(told) == 4  # before and behind each of the two waits
        assert told[0].endswith(": between two waits: await what takes long, or give it to asyncio.to_thread")
        desk.dispose()
        if server.host.threads is not None:
            server.host.threads.shutdown()

    @pytest.mark.parametrize("in_threads", [False, True])
    async def test_so_is_each_step_of_a_stream(self, in_threads: bool, caplog: pytest.LogCaptureFixture) -> None:
        asyncio.get_running_loop().slow_callback_duration = 0.0
        client = Connection()
        closed = asyncio.Event()
        server = Connection(Flowing(closed), threads=threads_of(1) if in_threads else None, debug=True)
        join(client, server)
        front = client.main(PublicApiStub)
        authed = await front.authenticate("secret")
        assert [chunk async for chunk in authed.download("a")] == [b"1", b"2"]
        told = [one for one in messages(caplog) if one.startswith("Flow.download held up every session for ")]
        assert len(told) >= 3
        await closed.wait()
        closed.clear()
        async with await authed.download("b") as chunks:
            assert await anext(chunks) == b"1"
        async with asyncio.timeout(10):
            await closed.wait()
        authed.dispose()
        front.dispose()
        if server.host.threads is not None:
            server.host.threads.shutdown()

    async def test_so_is_an_async_method_in_the_clothes_of_a_plain_one(self, caplog: pytest.LogCaptureFixture) -> None:
        asyncio.get_running_loop().slow_callback_duration = 0.0
        client, _ = pair(None, Clothed(), debug=True)
        desk = client.main(DeskStub)
        assert await desk.add(1, 2) == 3
        told = [one for one in messages(caplog) if one.startswith("Clothed.add held up every session for ")]
        assert [one.partition(": ")[2].partition(":")[0] for one in told] == [
            "await what takes long, or mark it with @in_thread",
            *["between two waits"] * 2,
        ]
        desk.dispose()

    async def test_what_is_called_is_the_same(self) -> None:
        client, _ = pair(None, Stepping(), debug=True)
        desk = client.main(DeskStub)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await desk.add(1, 2)
        assert await asyncio.gather(*(desk.add(one, 1) for one in range(1, 4))) == [2, 3, 4]
        desk.dispose()

    async def test_otherwise_nothing_is_watched(self, caplog: pytest.LogCaptureFixture) -> None:
        asyncio.get_running_loop().slow_callback_duration = 0.0
        client, _ = pair(None, Holding())
        await client.main(DeskStub).add(1, 2)
        assert not [record for record in caplog.records if record.name == "capnweb_runtime"]


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "capnweb_runtime"]


class Stepping(Desk):
    async def add(self, a: int, b: int) -> int:
        await asyncio.sleep(0)
        if a == 0:
            raise ValueError("nothing to add to")
        return a + b


class Clothed(Desk):
    def add(self, a: int, b: int) -> Awaitable[int]:
        return Stepping().add(a, b)


class Flow(Authed):
    def __init__(self, closed: asyncio.Event) -> None:
        super().__init__(Accounts(), 1)
        self._closed = closed

    async def download(self, name: str) -> AsyncIterator[bytes]:
        try:
            yield b"1"
            await asyncio.sleep(0)
            yield b"2"
        finally:
            self._closed.set()


class Flowing(Front):
    def __init__(self, closed: asyncio.Event) -> None:
        super().__init__(Accounts())
        self._closed = closed

    def authenticate(self, token: str) -> Flow:
        return Flow(self._closed)


class Holding(Desk):
    def add(self, a: int, b: int) -> int:
        return a + b
