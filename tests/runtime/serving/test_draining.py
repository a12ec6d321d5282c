"""Servers that go away: who is told what, and when, and which calls are whose."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect as stock_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from capnweb_runtime import ConnectionRefused, GoingAway, Peer, connect, serve
from capnweb_runtime.serving.serve import Serving
from tests.runtime.transports.example_api import Example, ExampleStub, Gates

SHUTDOWN = "The server is shutting down."


def serving(gates: Gates, **options: Any) -> Serving:
    return serve(lambda peer: Example(peer, gates), "127.0.0.1", 0, **options)


async def awaited(promise: Awaitable[Any]) -> Any:
    return await promise


class TestDraining:
    async def test_who_has_no_calls_in_progress_is_told_at_once_and_the_others_when_they_are_answered(self) -> None:
        gates = Gates()
        async with (
            asyncio.timeout(30),
            serving(gates) as server,
            connect(server.url, ExampleStub) as busy,
            connect(server.url, ExampleStub) as idle,
        ):
            await idle.add(1, 2)
            waiting = asyncio.create_task(awaited(busy.wait("gate")))
            await gates.come("gate").wait()
            draining = asyncio.create_task(server.drain())
            told = asyncio.get_running_loop().create_future()
            idle.on_broken(told.set_result)
            error = await told
            assert type(error) is GoingAway
            assert (error.code, error.url) == (1012, server.url)
            assert str(error) == f"Peer closed WebSocket: 1012 {SHUTDOWN} ({server.url})"
            with pytest.raises(GoingAway):
                await idle.add(1, 2)
            assert await busy.add(1, 2) == 3  # goes on as long as anything does
            assert not draining.done()
            gates.open("gate").set()
            assert await waiting == "gate"
            with pytest.raises(GoingAway):
                await busy.add(1, 2)
            await draining

    async def test_who_comes_meanwhile_is_refused_and_told_when_to_come_again(self) -> None:
        gates = Gates()
        async with asyncio.timeout(30), serving(gates) as server:
            async with connect(server.url, ExampleStub) as busy:
                waiting = asyncio.create_task(awaited(busy.wait("gate")))
                await gates.come("gate").wait()
                draining = asyncio.create_task(server.drain())
                with pytest.raises(InvalidStatus) as refused:
                    await stock_connect(server.url)
                response = refused.value.response
                assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
                async with aiohttp.ClientSession() as client, client.post(server.http_url, data="") as answer:
                    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
                for url in (server.url, server.http_url):
                    with pytest.raises(GoingAway) as told:
                        async with connect(url, ExampleStub) as late:
                            await late.add(1, 2)
                    assert (told.value.status, told.value.retry_after, told.value.url) == (503, 1.0, url)
                gates.open("gate").set()
                assert await waiting == "gate"
                await draining
            with pytest.raises(OSError, match=r"Connect call failed|Connection refused"):
                await asyncio.open_connection("127.0.0.1", server.port)

    async def test_whose_factory_still_waits_is_refused_at_once(self) -> None:
        asked = asyncio.Event()

        async def main(peer: Peer) -> Example:
            asked.set()
            await asyncio.Event().wait()
            return Example(peer)

        async with asyncio.timeout(30), serve(main, "127.0.0.1", 0) as server:
            opening = asyncio.ensure_future(stock_connect(server.url))
            await asked.wait()
            draining = asyncio.create_task(server.drain())
            with pytest.raises(InvalidStatus) as refused:
                await opening
            assert refused.value.response.headers["Retry-After"] == "1"
            await draining

    async def test_a_batch_is_answered_if_its_calls_end_in_time(self) -> None:
        gates = Gates()
        async with asyncio.timeout(30), serving(gates) as server, connect(server.http_url, ExampleStub) as api:
            waiting = asyncio.create_task(awaited(api.wait("gate")))
            await gates.come("gate").wait()
            draining = asyncio.create_task(server.drain())
            await asyncio.sleep(0)
            gates.open("gate").set()
            assert await waiting == "gate"
            await draining

    async def test_a_batch_whose_calls_do_not_is_told_that_the_server_goes_away(self) -> None:
        gates = Gates()
        async with asyncio.timeout(30), serving(gates) as server, connect(server.http_url, ExampleStub) as api:
            waiting = asyncio.create_task(awaited(api.wait("gate")))
            await gates.come("gate").wait()
            await server.drain(timeout=0)
            with pytest.raises(GoingAway) as told:
                await waiting
            assert (told.value.status, told.value.retry_after) == (503, 1.0)

    async def test_calls_that_are_cut_off_fail_with_the_same(self) -> None:
        gates = Gates()
        async with asyncio.timeout(30), serving(gates) as server, connect(server.url, ExampleStub) as api:
            waiting = asyncio.create_task(awaited(api.wait("gate")))
            await gates.come("gate").wait()
            await server.drain(timeout=0)
            with pytest.raises(GoingAway) as told:
                await waiting
            assert (told.value.code, told.value.status) == (1012, None)

    async def test_a_target_that_disposes_asynchronously_is_waited_for(self) -> None:
        disposed: list[str] = []
        begun, gate = asyncio.Event(), asyncio.Event()

        class Releasing(Example):
            async def dispose(self) -> None:
                begun.set()
                await gate.wait()
                disposed.append("released")

        async with (
            asyncio.timeout(30),
            serve(Releasing, "127.0.0.1", 0) as server,
            connect(server.url, ExampleStub) as api,
        ):
            await api.add(1, 2)
            draining = asyncio.create_task(server.drain())
            await begun.wait()
            assert not draining.done()
            gate.set()
            await draining
        assert disposed == ["released"]

    async def test_a_refusal_of_the_application_is_something_else(self) -> None:
        async with serve(Example, "127.0.0.1", 0, path="/rpc") as server:
            with pytest.raises(ConnectionRefused) as told:
                await connect(server.url + "/elsewhere", ExampleStub)
            assert (told.value.status, told.value.retry_after) == (404, None)


class TestCallsOfSessions:
    async def test_ending_the_calls_of_one_session_leaves_those_of_the_others_alone(self) -> None:
        gates, peers = Gates(), list[Peer]()

        def main(peer: Peer) -> Example:
            peers.append(peer)
            return Example(peer, gates)

        async with (
            asyncio.timeout(30),
            serve(main, "127.0.0.1", 0) as server,
            connect(server.url, ExampleStub) as one,
            connect(server.url, ExampleStub) as other,
        ):
            calls = [asyncio.create_task(awaited(api.wait(gate))) for api, gate in ((one, "one"), (other, "other"))]
            await gates.come("one").wait()
            await gates.come("other").wait()
            mine = next(peer.connection for peer in peers if peer.connection and len(peer.connection.host.tasks))
            assert mine is not None
            assert len(mine.host.tasks) == 1
            mine.host.cancel_all()
            with pytest.raises(Exception, match="The call was cancelled"):
                await calls[0]
            gates.open("other").set()
            assert await calls[1] == "other"

    @pytest.mark.parametrize("drains", [True, False], ids=["drain", "close"])
    async def test_calls_that_outlive_their_session_are_still_the_servers(self, drains: bool) -> None:
        ended: list[str] = []
        gates, peers = Gates(), list[Peer]()

        class Slow(Example):
            async def wait(self, gate: str) -> str:
                for step in (gate, "second"):
                    try:
                        await super().wait(step)
                        ended.append(step)
                    except asyncio.CancelledError:
                        ended.append("cancelled")
                        raise
                return gate

        def main(peer: Peer) -> Example:
            peers.append(peer)
            return Slow(peer, gates)

        async with asyncio.timeout(30), serve(main, "127.0.0.1", 0) as server:
            async with stock_connect(server.url) as peer:
                await peer.send('["push",["pipeline",0,["wait"],["gate"]]]')
                await gates.come("gate").wait()
                peer.transport.abort()
                with pytest.raises(ConnectionClosed):
                    await peer.recv()
            assert peers[0].connection is not None
            await peers[0].connection.wait_closed()
            ending = asyncio.create_task(server.drain() if drains else server.close())
            if drains:
                for gate in ("gate", "second"):
                    await gates.come(gate).wait()
                    assert not ending.done()
                    gates.open(gate).set()
            await ending
        assert ended == (["gate", "second"] if drains else ["cancelled"])


class TestLeaving:
    """Another server accepts at the same socket."""

    async def test_nobody_is_refused_and_whoever_comes_is_the_other_ones(self) -> None:
        gates = Gates()
        shared = socket.create_server(("127.0.0.1", 0))
        async with (
            asyncio.timeout(30),
            serve(lambda peer: Example(peer, gates), sock=shared.dup()) as first,
            connect(first.url, ExampleStub) as busy,
        ):
            waiting = asyncio.create_task(awaited(busy.wait("gate")))
            await gates.come("gate").wait()
            async with serve(lambda peer: Example(peer), sock=shared) as second:
                leaving = asyncio.create_task(first.leave())
                for _ in range(20):
                    async with connect(first.url, ExampleStub) as late:
                        assert await late.add(1, 2) == 3
                assert (first.totals().opened, second.totals().opened) == (1, 20)
                gates.open("gate").set()
                assert await waiting == "gate"
                await leaving

    async def test_who_was_accepted_before_has_the_first_answer(self) -> None:
        async with asyncio.timeout(30), serving(Gates()) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            async with connect(server.url, ExampleStub) as silent:
                leaving = asyncio.create_task(server.leave())
                await asyncio.sleep(0)
                writer.write(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
                assert not leaving.done()
                assert await silent.add(1, 2) == 3
            await leaving
            writer.close()

    async def test_a_connection_that_is_kept_has_one_more_batch_and_is_told_that_it_is_the_last(self) -> None:
        async with asyncio.timeout(30), serving(Gates()) as server, aiohttp.ClientSession() as client:
            batch = '["push",["pipeline",0,["add"],[1,2]]]\n["pull",1]'
            async with client.post(server.http_url, data=batch) as answer:
                assert (answer.status, answer.headers.get("Connection")) == (200, None)
            leaving = asyncio.create_task(server.leave())
            await asyncio.sleep(0)
            async with client.post(server.http_url, data=batch) as answer:
                assert (answer.status, answer.headers.get("Connection")) == (200, "close")
            await leaving

    async def test_who_says_nothing_is_waited_for_no_longer_than_calls_are(self) -> None:
        async with asyncio.timeout(30), serving(Gates()) as server, connect(server.url, ExampleStub) as silent:
            await server.leave(0.05)
            with pytest.raises(GoingAway):
                await silent.add(1, 2)
