"""How sessions with the npm package end, both ways round, and what each side makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from websockets.asyncio.client import connect as stock_connect

from capnweb_runtime import ConnectionLost, Observer, PeerAborted, ProtocolError, SessionClosed, connect, serve
from capnweb_runtime.serving.server import Server
from capnweb_runtime.transports.keepalive import Keepalive
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
from tests.interop.node import PATIENCE, Program, accounts_server, program
from tests.needs import needs_node

pytestmark = needs_node


class Ends(Observer):
    """Keeps why sessions ended."""

    def __init__(self) -> None:
        self.reasons: asyncio.Queue[BaseException] = asyncio.Queue()

    def session_ended(self, reason: BaseException) -> None:
        self.reasons.put_nowait(reason)

    async def next(self) -> BaseException:
        return await asyncio.wait_for(self.reasons.get(), PATIENCE)


class Ours(NamedTuple):
    """A server of ours, and a client of the npm package that has a session with it."""

    server: Server
    ends: Ends
    client: Program


@pytest.fixture
async def ours() -> AsyncIterator[Ours]:
    ends = Ends()
    async with (
        serve(lambda peer: Front(Accounts()), "127.0.0.1", 0, observer=ends, keepalive=1.0) as server,
        program("ends.mjs", server.url) as client,
    ):
        assert await client.line() == "connected"
        yield Ours(server, ends, client)


async def test_the_npm_client_is_told_that_our_server_goes_away(ours: Ours) -> None:
    await ours.server.drain()
    assert await ours.client.line() == "broken: Peer closed WebSocket: 1012 The server is shutting down."


async def test_the_npm_client_says_goodbye_with_the_code_of_faults_and_is_understood(ours: Ours) -> None:
    await ours.client.tell("dispose")
    reason = await ours.ends.next()
    assert type(reason) is SessionClosed
    assert reason.code == 3000


async def test_the_npm_client_is_told_of_a_fault_by_an_abort_message(ours: Ours) -> None:
    await ours.client.tell("nonsense")
    assert isinstance(await ours.ends.next(), ProtocolError)
    assert (await ours.client.line()).startswith("broken: bad RPC message: ")


async def test_the_npm_client_that_is_killed_is_lost(ours: Ours) -> None:
    ours.client.process.kill()
    assert type(await ours.ends.next()) is ConnectionLost


async def test_the_npm_client_answers_pings(ours: Ours, monkeypatch: pytest.MonkeyPatch) -> None:
    answered: asyncio.Queue[float | None] = asyncio.Queue()
    pong = Keepalive.pong

    def noted(self: Keepalive, payload: bytes) -> None:
        pong(self, payload)
        answered.put_nowait(self.round_trip_time)

    monkeypatch.setattr(Keepalive, "pong", noted)
    for _ in range(2):
        assert await asyncio.wait_for(answered.get(), PATIENCE) is not None
    assert ours.ends.reasons.empty()


async def test_an_abort_of_the_npm_server_is_told_as_one() -> None:
    async with accounts_server() as (_, port):
        connecting = connect(f"ws://127.0.0.1:{port}/", PublicApiStub)
        async with connecting as api:
            broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
            api.on_broken(broken.set_result)
            connecting._opened().session._send(["nonsense"])
            reason = await asyncio.wait_for(broken, PATIENCE)
            assert type(reason) is PeerAborted
            assert "bad RPC message" in str(reason)


async def test_an_npm_server_that_is_killed_is_lost() -> None:
    async with accounts_server() as (server, port), connect(f"ws://127.0.0.1:{port}/", PublicApiStub) as api:
        broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        api.on_broken(broken.set_result)
        server.process.kill()
        assert type(await asyncio.wait_for(broken, PATIENCE)) is ConnectionLost


async def test_the_npm_server_takes_our_goodbye_for_one() -> None:
    async with accounts_server() as (_, port):
        url = f"ws://127.0.0.1:{port}/"
        async with connect(url, PublicApiStub) as api:
            await api.authenticate("secret").user_name
        async with stock_connect(url) as peer:  # it lives on
            await peer.send('["push",["pipeline",0,["authenticate"],["guess"]]]')
            await peer.send('["pull",1]')
            assert str(await asyncio.wait_for(peer.recv(), PATIENCE)).startswith('["reject",1,')
