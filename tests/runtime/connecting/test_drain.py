"""Clients that end their session when what is in progress has been answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from capnweb_runtime import DisposedError, SessionClosed, connect, connect_blocking, serve
from capnweb_runtime.blocking.stub import BlockingAnyStub
from capnweb_runtime.serving.serve import Serving
from tests.runtime.silent_peers import CLOSE, TEXT, Bare, bare_server
from tests.runtime.transports.example_api import Example, ExampleStub, Gates


def serving(gates: Gates) -> Serving:
    return serve(lambda peer: Example(peer, gates), "127.0.0.1", 0)


async def awaited(promise: Awaitable[Any]) -> Any:
    return await promise


async def test_calls_in_progress_are_answered_and_further_ones_fail() -> None:
    gates = Gates()
    async with asyncio.timeout(30), serving(gates) as server:
        connecting = connect(server.url, ExampleStub)
        async with connecting as api:
            waiting = [asyncio.create_task(awaited(api.wait(gate))) for gate in ("one", "two")]
            await gates.come("one").wait()
            await gates.come("two").wait()
            draining = asyncio.create_task(connecting.drain())
            await asyncio.sleep(0)
            with pytest.raises(SessionClosed, match="The session is being drained") as refused:
                await api.add(1, 2)
            assert type(refused.value) is SessionClosed
            for gate in ("one", "two"):
                assert not draining.done()
                gates.open(gate).set()
            assert await asyncio.gather(*waiting) == ["one", "two"]
            await draining
            with pytest.raises(DisposedError):
                await api.add(1, 2)


async def test_then_the_server_is_told_goodbye() -> None:
    frames: list[tuple[int, bytes]] = []

    async def answer(peer: Bare) -> None:
        for _ in range(2):
            assert (await peer.receive())[0] == TEXT
        asked.set()
        await answered.wait()
        peer.send(TEXT, b'["resolve",1,3]')
        while (frame := await peer.receive())[0] != CLOSE:
            frames.append(frame)
        frames.append(frame)

    asked, answered = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(30), bare_server(answer) as url:
        connecting = connect(url, ExampleStub)
        api = await connecting
        adding = asyncio.create_task(awaited(api.add(1, 2)))
        await asked.wait()
        draining = asyncio.create_task(connecting.drain())
        await asyncio.sleep(0)
        assert frames == []
        answered.set()
        assert await adding == 3
        await draining
    assert [frame[:7] if first == CLOSE else frame for first, frame in frames] == [
        b'["release",1,1]',
        (1000).to_bytes(2, "big") + b"RPC s",
    ]


async def test_calls_of_the_server_are_answered_too() -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def double(number: int) -> int:
        begun.set()
        await gate.wait()
        return 2 * number

    async with asyncio.timeout(30), serving(Gates()) as server:
        connecting = connect(server.url, ExampleStub)
        api = await connecting
        applied = asyncio.create_task(awaited(api.apply(double, 21)))
        await begun.wait()
        draining = asyncio.create_task(connecting.drain())
        await asyncio.sleep(0)
        gate.set()
        assert await applied == 42
        await draining


async def test_what_takes_too_long_fails() -> None:
    gates = Gates()
    async with asyncio.timeout(30), serving(gates) as server:
        connecting = connect(server.url, ExampleStub)
        api = await connecting
        waiting = asyncio.create_task(awaited(api.wait("gate")))
        await gates.come("gate").wait()
        await connecting.drain(timeout=0)
        with pytest.raises(SessionClosed, match="shut down by disposing the main stub"):
            await waiting


async def test_an_idle_session_ends_at_once_and_draining_again_does_nothing() -> None:
    async with asyncio.timeout(30), serving(Gates()) as server:
        connecting = connect(server.url, ExampleStub)
        async with connecting as api:
            assert await api.add(1, 2) == 3
            await connecting.drain()
            await connecting.drain()


async def test_a_session_that_is_lost_meanwhile_is_drained() -> None:
    gates = Gates()
    async with asyncio.timeout(30), serving(gates) as server:
        connecting = connect(server.url, ExampleStub)
        api = await connecting
        waiting = asyncio.create_task(awaited(api.wait("gate")))
        await gates.come("gate").wait()
        draining = asyncio.create_task(connecting.drain())
        await asyncio.sleep(0)
        await server.close()
        with pytest.raises(SessionClosed):
            await waiting
        await draining


async def test_a_batch_that_nobody_has_awaited_is_sent() -> None:
    added: list[int] = []

    class Adding(Example):
        def add(self, a: int, b: int) -> int:
            added.append(a + b)
            return a + b

    async with asyncio.timeout(30), serve(Adding, "127.0.0.1", 0) as server:
        connecting = connect(server.http_url, ExampleStub)
        api = await connecting
        adding = api.add(1, 2)
        await connecting.drain()
        assert added == [3]
        adding.dispose()


async def test_a_blocking_session_drains_for_other_threads() -> None:
    gates = Gates()
    async with asyncio.timeout(30), serving(gates) as server:
        session = await asyncio.to_thread(connect_blocking, server.url, BlockingAnyStub)
        waiting = asyncio.create_task(asyncio.to_thread(session.main.call, "wait", "gate"))
        await gates.come("gate").wait()
        draining = asyncio.create_task(asyncio.to_thread(session.drain))
        gates.open("gate").set()
        assert await waiting == "gate"
        await draining
        await asyncio.to_thread(session.close)


async def test_what_has_not_been_opened_cannot_be_drained() -> None:
    with pytest.raises(RuntimeError, match="the session has not been opened"):
        await connect("ws://127.0.0.1:1/", ExampleStub).drain()
