"""What all sessions of a server come to, and what has become of who asked for one."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect as stock_connect

from capnweb_runtime import ConnectionRefused, Limits, Observer, Peer, Refuse, RpcError, SessionClosed, connect, serve
from tests.runtime.mounts.office import OfficeTarget
from tests.runtime.serving.test_bounds import until
from tests.runtime.silent_peers import TEXT, bare_client
from tests.runtime.transports.example_api import Example, ExampleStub, Gates

PATIENCE = 30


async def test_tables_of_all_sessions_are_added_up_for_as_long_as_they_last() -> None:
    gates = Gates()
    async with serve(lambda _: Example(gates=gates), "127.0.0.1", 0) as server:
        assert (server.totals().imports, server.totals().exports) == (0, 0)
        async with connect(server.url, ExampleStub) as one, connect(server.url, ExampleStub) as other:
            calls = [asyncio.ensure_future(example.wait(gate)) for example, gate in ((one, "a"), (other, "b"))]
            await gates.come("a").wait()
            await gates.come("b").wait()
            totals = server.totals()
            assert (totals.imports, totals.exports, totals.opened) == (2, 4, 2)  # the mains at both ends, and the calls
            gates.open("a").set()
            gates.open("b").set()
            assert await asyncio.gather(*calls) == ["a", "b"]
        await until(lambda: server.totals().exports == 0)
        async with connect(server.http_url, ExampleStub) as example:
            assert await example.add(1, 2) == 3
        assert (server.totals().imports, server.totals().opened) == (0, 3)


async def test_bytes_that_a_client_does_not_read_are_counted() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        serve(OfficeTarget, "127.0.0.1", 0, close_timeout=0.1) as server,
        bare_client(server.port) as client,
    ):
        assert server.totals().queued_bytes == 0
        for number in range(1, 9):
            client.send(TEXT, b'["push",["pipeline",0,["paper"],[1000000]]]')
            client.send(TEXT, b'["pull",%d]' % number)
        await until(lambda: server.totals().queued_bytes > 1_000_000)
        client.writer.transport.abort()
        await until(lambda: server.totals().queued_bytes == 0)


async def test_refusals_are_counted_by_the_status_that_is_told() -> None:
    def main(peer: Peer) -> Example:
        if peer.query == "failing":
            raise ValueError("no")
        if peer.query == "unknown":
            raise Refuse(401, "who?")
        return Example(peer)

    class Quiet(Observer):
        def sending_error(self, error: BaseException) -> BaseException:
            return RpcError("no") if isinstance(error, Refuse) else error

    async with serve(main, "127.0.0.1", 0, path="/rpc", observer=Quiet()) as server:
        for url in ("?unknown", "?unknown", "?failing", "/elsewhere"):
            with pytest.raises(ConnectionRefused):
                await connect(server.url + url, ExampleStub)
        async with connect(server.http_url + "?unknown", ExampleStub) as example:
            with pytest.raises(SessionClosed):
                await example.add(1, 2)
        assert server.totals().refused == {401: 3, 500: 1, 404: 1}
        assert server.totals().opened == 0


async def test_sessions_that_pass_a_bound_are_counted_and_others_that_end_badly_are_not() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, limits=Limits(message_size=10_000)) as server:
        async with stock_connect(server.url) as websocket:
            await websocket.send("nonsense")
            await websocket.recv()
        await until(lambda: not server.stats().sessions.now)
        assert (server.totals().opened, server.totals().ended_at_limits) == (1, 0)
        async with connect(server.url, ExampleStub) as example:
            with pytest.raises(SessionClosed):
                await example.echo("x" * 20_000)
        await until(lambda: server.totals().ended_at_limits == 1)
