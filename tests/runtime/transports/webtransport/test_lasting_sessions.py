"""Sessions over WebTransport that are given up, drained, lost and taken up again: as those over a WebSocket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_runtime import ConnectionLost, DeadlineExceeded, GoingAway, Peer, Reconnect, connect, deadline, time_left
from capnweb_runtime.transports.webtransport.capsules import Capsules, Closed, Draining, drain_session
from tests.chaos.generated.bank import BankStub
from tests.chaos.server import Bank, State
from tests.gen.golden.cancellable.expected import SearchStub
from tests.runtime.test_cancellation import PATIENCE, Search, asked
from tests.runtime.transports.webtransport.raw_webtransport import raw_webtransport
from tests.runtime.transports.webtransport.test_sessions import serving, trusting

WEBTRANSPORT: dict[str, Any] = {"transport": "webtransport"}


async def test_what_nobody_waits_for_any_more_is_cancelled() -> None:
    target = Search()
    async with (
        serving(lambda peer: target) as server,
        connect(server.http_url, SearchStub, ssl=trusting(), **WEBTRANSPORT) as search,
    ):
        found = search.find("x")
        _waiting = asked(found)
        await target.begun.wait()
        found.dispose()
        assert await target.outcome() == "cancelled"


async def test_deadlines_are_kept_by_both_ends() -> None:
    left: list[float | None] = []

    class Timed(Search):
        async def count(self, numbers: list[int]) -> int:
            left.append(time_left())
            return len(numbers)

    target = Timed()
    async with (
        serving(lambda peer: target) as server,
        connect(server.http_url, SearchStub, ssl=trusting(), **WEBTRANSPORT) as search,
    ):
        with deadline(60):
            assert await search.count([]) == 0
        with deadline(0.2), pytest.raises(DeadlineExceeded):
            await search.find("x")
        assert await target.outcome() == "cancelled"
    [seen] = left
    assert seen is not None
    assert 0 < seen <= 60


async def test_draining_tells_clients_that_the_server_goes_away() -> None:
    state = State()
    async with serving(lambda peer: Bank(state)) as server:
        api = await connect(server.http_url, BankStub, ssl=trusting(), **WEBTRANSPORT)
        broken: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        api.on_broken(broken.set_result)
        waiting = asked(api.wait("gate"))
        await state.at("gate").wait()
        draining = asyncio.create_task(server.drain(timeout=PATIENCE))
        state.gate("gate").set()
        assert await waiting == "gate"
        await draining
        error = await asyncio.wait_for(broken, PATIENCE)
    assert isinstance(error, GoingAway)
    assert error.code == 1012


async def test_draining_says_beforehand_that_the_end_is_to_come() -> None:
    state = State()
    async with serving(lambda peer: Bank(state), close_timeout=0.02) as server, raw_webtransport(server.port) as raw:
        assert await raw.ask() == 200
        stream = raw.stream()
        raw.write(stream, b'["push",["pipeline",0,["wait"],["gate"]]]\n["pull",1]\n')
        await state.at("gate").wait()
        draining = asyncio.create_task(server.drain(timeout=PATIENCE))
        await raw.until(lambda: raw.request)
        assert [*Capsules().feed(raw.request)] == [Draining()]
        state.gate("gate").set()
        assert await raw.line(stream) == b'["resolve",1,"gate"]'
        await raw.until(lambda: len(raw.request) > len(drain_session()))
        assert [*Capsules().feed(raw.request)] == [Draining(), Closed(1012, "The server is shutting down.")]
        await draining


async def test_a_peer_that_vanishes_is_noticed_by_both_ends() -> None:
    """The client's socket is gone: neither end hears of the other any more."""
    peers: list[Peer] = []
    gone = asyncio.Event()

    def main(peer: Peer) -> Bank:
        assert peer.connection is not None
        peer.connection.when_closed(gone.set)
        peers.append(peer)
        return Bank(State())

    async with serving(main, keepalive=0.3) as server:
        connecting = connect(server.http_url, BankStub, ssl=trusting(), keepalive=0.3, **WEBTRANSPORT)
        api = await connecting
        assert await api.get("x") == 1
        assert connecting._connection is not None
        wire: Any = connecting._connection._wire
        wire._end._transport.abort()
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(ConnectionLost):
                await api.hold("gate")
            await gone.wait()
        assert peers[0].connection is not None
        assert isinstance(peers[0].connection.session.reason, ConnectionLost)


async def test_one_that_is_silent_is_kept() -> None:
    """Pings go out in time, so that a session on which nothing is said is not lost."""
    async with serving(lambda peer: Bank(State()), keepalive=0.05) as server:
        connecting = connect(server.http_url, BankStub, ssl=trusting(), keepalive=0.05, **WEBTRANSPORT)
        async with connecting as api:
            assert connecting._connection is not None
            wire: Any = connecting._connection._wire
            quic, many = wire._end.quic, asyncio.Event()
            send, pings = quic.send_ping, 0

            def counted(number: int) -> None:
                nonlocal pings
                pings += 1
                send(number)
                if pings == 6:  # three times as long as it may be silent
                    many.set()

            quic.send_ping = counted
            await asyncio.wait_for(many.wait(), PATIENCE)
            assert await api.get("x") == 1


async def test_a_client_connects_again() -> None:
    state = State()
    policy = Reconnect(sleep=lambda seconds: asyncio.sleep(0))
    async with serving(lambda peer: Bank(state)) as server:
        client = connect(server.http_url, BankStub, ssl=trusting(), reconnect=policy, **WEBTRANSPORT)
        api = await client
        account = await api.account("ann")
        port = server.port
    async with serving(lambda peer: Bank(state), port=port), asyncio.timeout(PATIENCE):
        assert await account.owner == "ann"
        assert state.count("account") == 2
    account.dispose()
    api.dispose()
