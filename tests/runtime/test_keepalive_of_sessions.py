"""Peers that fall silent, and peers that only seem to, at both ends of a session."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from capnweb_runtime import ConnectionLost, Observer, SessionClosed, connect, connect_blocking, serve
from capnweb_runtime.blocking.stub import BlockingAnyStub
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.limits import Limits
from capnweb_runtime.serving.serve import Serving
from capnweb_runtime.serving.websocket_server import WebSocketServer
from capnweb_runtime.transports.keepalive import DEFAULT_SILENCE, Silence
from tests.runtime.silent_peers import CLOSE, PING, PONG, TEXT, Bare, bare_client, bare_server, hole
from tests.runtime.transports.example_api import Example, ExampleStub, Gates
from tests.runtime.transports.raw_websocket import REQUEST, Listener, Socket, raw_frame

SHORT = 0.05
LOST = rf"nothing has come for {2 * SHORT:g} s, no answer to a ping either"


class Ends(Observer):
    """Keeps why sessions ended."""

    def __init__(self) -> None:
        self.reasons: asyncio.Queue[BaseException] = asyncio.Queue()

    def session_ended(self, reason: BaseException) -> None:
        self.reasons.put_nowait(reason)

    async def next(self) -> BaseException:
        return await asyncio.wait_for(self.reasons.get(), 30)


class Waiting(Example):
    """Says when it is disposed, and answers with much."""

    def __init__(self, gates: Gates) -> None:
        super().__init__(None, gates)
        self.disposed = asyncio.Event()

    async def wait(self, gate: str) -> str:
        await super().wait(gate)
        return "x" * 20_000_000

    def dispose(self) -> None:
        self.disposed.set()


def serving(gates: Gates | None = None, **options: Any) -> Serving:
    return serve(lambda peer: Waiting(gates or Gates()), "127.0.0.1", 0, **options)


class TestAClient:
    async def test_whose_server_falls_silent_is_told_that_it_is_lost(self) -> None:
        gates = Gates()
        async with (
            serving(gates, keepalive=None) as server,
            hole(server.port) as proxy,
            connect(proxy.url, ExampleStub, keepalive=SHORT) as api,
        ):
            waiting = asyncio.ensure_future(api.wait("gate"))
            await gates.come("gate").wait()
            proxy.swallow()
            with pytest.raises(ConnectionLost, match=LOST) as caught:
                await asyncio.wait_for(waiting, 30)
            assert caught.value.url == proxy.url
            with pytest.raises(ConnectionLost, match=LOST):
                await api.add(1, 2)

    async def test_that_blocks_is_told_too(self) -> None:
        gates = Gates()
        async with serving(gates, keepalive=None) as server, hole(server.port) as proxy:

            def call() -> None:
                with connect_blocking(proxy.url, BlockingAnyStub, keepalive=SHORT) as api:
                    api.call("wait", "gate")

            calling = asyncio.create_task(asyncio.to_thread(call))
            await gates.come("gate").wait()
            proxy.swallow()
            with pytest.raises(ConnectionLost, match=LOST):
                await asyncio.wait_for(calling, 30)

    async def test_knows_how_long_a_round_trip_takes(self) -> None:
        async def answer(peer: Bare) -> None:
            first, payload = await peer.receive()
            assert first == PING
            peer.send(PONG, payload)
            peer.send(CLOSE, (1000).to_bytes(2, "big"))
            await peer.receive()

        async with bare_server(answer) as url:
            connecting = connect(url, ExampleStub, keepalive=SHORT)
            api = await connecting
            assert connecting.stats().round_trip_time is None
            ended = asyncio.get_running_loop().create_future()
            api.on_broken(ended.set_result)
            await asyncio.wait_for(ended, 30)
            assert isinstance(connecting.stats().round_trip_time, float)
            api.dispose()


class TestAServer:
    async def test_whose_client_falls_silent_ends_its_session(self) -> None:
        ends = Ends()
        async with (
            serving(keepalive=SHORT, observer=ends) as server,
            hole(server.port) as proxy,
            connect(proxy.url, ExampleStub, keepalive=None, close_timeout=0) as api,
        ):
            await api.add(1, 2)
            proxy.swallow()
            reason = await ends.next()
            assert isinstance(reason, ConnectionLost)
            assert reason.url is None

    async def test_whose_client_does_not_read_what_it_is_sent_ends_its_session(self) -> None:
        ends, gates = Ends(), Gates()
        async with (
            asyncio.timeout(30),
            serving(gates, keepalive=SHORT, observer=ends) as server,
            hole(server.port) as proxy,
            connect(proxy.url, ExampleStub, keepalive=None, close_timeout=0) as api,
        ):
            waiting = asyncio.gather(api.wait("gate"), return_exceptions=True)
            await gates.come("gate").wait()
            proxy.swallow()
            gates.open("gate").set()
            assert isinstance(await ends.next(), ConnectionLost)
            api.dispose()
            assert isinstance((await waiting)[0], SessionClosed)

    async def test_keeps_a_client_that_answers_pings_and_nothing_else(self) -> None:
        ends = Ends()
        async with (
            asyncio.timeout(30),
            serving(keepalive=SHORT, observer=ends) as server,
            bare_client(server.port) as peer,
        ):
            for _ in range(10):
                first, payload = await peer.receive()
                assert first == PING
                assert ends.reasons.empty()
                peer.send(PONG, payload)
            peer.send(TEXT, b'["push",["pipeline",0,["add"],[1,2]]]')
            peer.send(TEXT, b'["pull",1]')
            while (answer := await peer.receive())[0] == PING:
                peer.send(PONG, answer[1])
            assert answer == (TEXT, b'["resolve",1,3]')

    async def test_ends_the_session_of_a_client_that_answers_no_pings(self) -> None:
        ends = Ends()
        async with (
            asyncio.timeout(30),
            serving(keepalive=SHORT, observer=ends) as server,
            bare_client(server.port) as peer,
        ):
            assert (await peer.receive())[0] == PING
            assert isinstance(await ends.next(), ConnectionLost)
            assert await peer.reader.read() == b""

    async def test_is_not_impressed_by_pongs_that_it_has_not_asked_for(self) -> None:
        async with serving(keepalive=None) as server, bare_client(server.port) as peer:
            for number in range(10_000):
                peer.send(PONG, number.to_bytes(4, "big"))
            peer.send(PING, b"there?")
            assert await peer.receive() == (PONG, b"there?")

    async def test_whose_own_loop_is_blocked_gives_nobody_up(self) -> None:
        ends = Ends()
        async with (
            asyncio.timeout(30),
            serving(keepalive=SHORT, observer=ends) as server,
            connect(server.url, ExampleStub) as api,
        ):
            await api.add(1, 2)
            until = asyncio.get_running_loop().time() + 5 * SHORT
            while asyncio.get_running_loop().time() < until:
                pass  # both ends stand still
            assert await api.add(1, 2) == 3
            assert ends.reasons.empty()


class TestOneEnd:
    """The server's end of a WebSocket, without a network."""

    def end(self, silence: Silence = DEFAULT_SILENCE) -> tuple[WebSocketServer, Socket]:
        listener, socket = Listener(Limits()), Socket()
        end = WebSocketServer(lambda peer: cast(Connection, listener), Limits(), lambda _: None, silence)
        end.connection_made(socket)
        end.data_received(REQUEST % b"")
        socket.written.clear()
        return end, socket

    async def test_sends_no_pings_if_it_is_not_to(self) -> None:
        end, _ = self.end(Silence(keepalive=None))
        assert end._keepalive is None
        end.connection_lost(None)

    async def test_takes_a_part_of_a_message_for_a_sign_of_life(self) -> None:
        end, _ = self.end()
        message = raw_frame(TEXT, bytes(1000), masked=True)
        for start in (0, 500):
            before = end.signs_of_life()
            end.data_received(message[start : start + 500])
            assert end.signs_of_life() != before
        end.connection_lost(None)

    async def test_takes_what_leaves_for_a_sign_of_life_while_the_peer_holds_back(self) -> None:
        end, socket = self.end()
        socket.waiting = 100_000
        end.pause_writing()
        before = end.signs_of_life()
        end.ping(b"1234")
        assert not socket.written  # behind what the peer does not read it would tell nothing
        assert end.signs_of_life() == before
        socket.waiting = 90_000
        assert end.signs_of_life() != before
        end.connection_lost(None)

    async def test_answers_the_last_of_the_pings_that_came_while_the_peer_did_not_read(self) -> None:
        end, socket = self.end()
        end.pause_writing()
        for number in range(1000):
            end.data_received(raw_frame(PING, b"%d" % number, masked=True))
        assert not socket.written
        end.resume_writing()
        assert bytes(socket.written) == bytes((PONG, 3)) + b"999"
        end.pause_writing()
        end.resume_writing()
        assert bytes(socket.written) == bytes((PONG, 3)) + b"999"
        end.data_received(raw_frame(PING, b"now", masked=True))
        assert bytes(socket.written).endswith(bytes((PONG, 3)) + b"now")
        end.connection_lost(None)

    async def test_looks_no_more_once_it_is_closed(self) -> None:
        for closed in (True, False):
            end, _ = self.end()
            assert end._keepalive is not None
            timer = end._keepalive._timer
            if closed:
                end.close(ValueError("over"))
            else:
                end.connection_lost(None)
            assert timer.cancelled()
            end.connection_lost(None)
