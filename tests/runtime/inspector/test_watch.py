"""What a server that can be looked at does while somebody looks, and while nobody does."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.inspector import Inspector
from capnweb_runtime.inspector import watch as watch_module
from capnweb_runtime.serving.server import Server
from tests.runtime.inspector.looking import looking
from tests.runtime.transports.example_api import Example, ExampleStub


def tapped(server: Server) -> int:
    assert server._inspecting is not None
    return sum(watched.tap is not None for watched in server._inspecting.watch)


def traced(server: Server) -> int:
    return sum(bool(connection._taps) for connection in server._admission.connections)


async def test_nothing_is_taken_note_of_before_somebody_looks_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "PATIENCE", 0.05)
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
    ):
        await example.add(1, 2)
        assert (tapped(server), traced(server)) == (0, 0)
        await inspection.calls(0, None)
        assert (tapped(server), traced(server)) == (1, 1)
        assert server._inspecting is not None
        done = asyncio.Event()
        forget = server._inspecting.watch._tap_and_untap

        def forgets() -> None:
            forget()
            if not tapped(server):
                done.set()

        monkeypatch.setattr(server._inspecting.watch, "_tap_and_untap", forgets)
        await asyncio.wait_for(done.wait(), 30)
        assert traced(server) == 0
        assert await example.add(1, 2) == 3


async def test_of_one_session_alone_its_messages_are_taken_note_of() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as one,
        connect(server.url, ExampleStub) as other,
    ):
        await asyncio.gather(one.add(1, 2), other.add(1, 2))
        await inspection.calls(0, 2)
        assert tapped(server) == 1
        await asyncio.gather(one.add(1, 2), other.add(3, 4))
        [call] = (await inspection.calls(0, 2)).calls
        assert (call.session, call.outcome) == (2, "7")


async def test_what_comes_faster_than_it_can_be_read_is_skipped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "RESTS", 0.0)
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
    ):
        await inspection.frames(0, None)
        seen, read = await inspection.frames(0, None), 0
        for most in (watch_module.READ_AT_A_TIME, watch_module.READ_WHEN_BUSY, watch_module.READ_WHEN_BUSY):
            await asyncio.gather(*(example.add(1, number) for number in range(1_000)))
            seen = await inspection.frames(seen.at, None)
            assert 0 < len(seen.frames) <= most  # fewer where a look comes before the last releases
            read += len(seen.frames)
        assert seen.skipped + read >= 3 * 1_000 * 4 - 1_000  # the last releases may be on their way
        assert await example.add(1, 2) == 3
        last = (await inspection.calls(0, None)).calls[-1]
        assert (last.name, last.outcome) == ("Example.add", "3")


async def test_a_server_that_does_more_than_can_be_read_is_left_alone_until_shortly_before_the_next_look() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=Inspector(interval=1_000)) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
        connect(server.url, ExampleStub) as other,
    ):
        await inspection.calls(0, None)
        for alone in (False, True):
            await asyncio.gather(*(example.add(1, number) for number in range(1_000)))
            before = await inspection.calls(0, None)
            assert (traced(server) == 0) is alone
        await other.add(1, 2)
        assert (await inspection.calls(before.at, None)).calls == []
        assert traced(server) == 0
        assert server._inspecting is not None
        server._inspecting.watch._rested()
        assert traced(server) >= 1
        assert await example.add(40, 2) == 42
        after = await inspection.calls(before.at, None)
        assert [(call.name, call.outcome) for call in after.calls] == [("Example.add", "42")]
        assert after.skipped > before.skipped


async def test_what_is_remembered_is_bounded() -> None:
    settings = Inspector(calls=10, frames=20)
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=settings) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
    ):
        await inspection.frames(0, None)
        for _ in range(5):
            await asyncio.gather(*(example.add(1, number) for number in range(30)))
            assert len((await inspection.frames(0, None)).frames) <= 20
            assert len((await inspection.calls(0, None)).calls) <= 10


async def test_a_session_that_is_looked_at_may_end_in_the_middle_of_a_call() -> None:
    async with serve(Example, "127.0.0.1", 0, path="/rpc", inspector=True) as server, looking(server) as inspection:
        await inspection.calls(0, None)
        async with connect(server.url, ExampleStub) as example:
            waiting = example.wait("for ever")
            await example.add(1, 2)
            waiting.dispose()
        async with asyncio.timeout(30):
            while (await inspection.sessions("", "newest", 0, 1)).total:
                pass  # each is a turn of the server
        states = {call.name: call.state for call in (await inspection.calls(0, None)).calls}
    assert states == {"Example.add": "done", "Example.wait": "released"}
