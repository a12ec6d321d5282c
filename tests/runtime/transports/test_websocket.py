"""Sessions over WebSocket, with the stock client and server of `websockets` or a bare socket at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as stock_connect
from websockets.exceptions import ConnectionClosed

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ProtocolError, RpcError, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.serving.peer import Peer
from capnweb_runtime.serving.websocket_server import WebSocketServer
from capnweb_runtime.transports.websocket import READ_BYTES, close_reason
from capnweb_runtime.transports.websocket_client import open_websocket
from tests.runtime.transports.example_api import Example, ExampleStub

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Served:
    """A listening socket whose connections are sessions."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.connections: list[Connection] = []
        self.sockets: list[WebSocketServer] = []
        self.targets: list[Example] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def admit(self, peer: Peer) -> Connection:
        target = Example(peer)
        connection = Connection(target, limits=self.limits)
        self.targets.append(target)
        self.connections.append(connection)
        return connection

    def protocol(self) -> WebSocketServer:
        socket = WebSocketServer(self.admit, self.limits, self.sockets.remove)
        self.sockets.append(socket)
        return socket


@contextlib.asynccontextmanager
async def served(limits: Limits | None = None) -> AsyncIterator[Served]:
    server = Served(limits or Limits())
    listener = await asyncio.get_running_loop().create_server(server.protocol, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for socket in tuple(server.sockets):
            socket.abort()
        for connection in server.connections:
            connection.host.cancel_all()
            await connection.wait_closed()


def push(name: str, *args: Any) -> str:
    return json.dumps(["push", ["pipeline", 0, [name], list(args)]])


async def ask(peer: ClientConnection, number: int, name: str, *args: Any) -> Any:
    """The answer to a call, which is the connection's `number`th."""
    await peer.send(push(name, *args))
    await peer.send(json.dumps(["pull", number]))
    return json.loads(await peer.recv())


async def until_closed(peer: ClientConnection) -> tuple[list[Any], int | None, str | None]:
    """The messages that still come, and the code and reason of the close frame."""
    messages: list[Any] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            messages.append(json.loads(await peer.recv()))
    return messages, peer.close_code, peer.close_reason


class TestCloseReason:
    def test_a_short_text_stays(self) -> None:
        assert close_reason(ValueError("no")) == "no"

    @pytest.mark.parametrize(
        ("text", "kept"), [("a" * 200, 123), ("é" * 100, 61), ("a" + "é" * 100, 62), ("🎉" * 50, 30)]
    )
    def test_a_long_text_is_cut_at_a_character(self, text: str, kept: int) -> None:
        assert close_reason(ValueError(text)) == text[:kept]

    def test_half_a_surrogate_pair_is_replaced(self) -> None:
        assert close_reason(ValueError("a\ud800b")) == "a?b"


class TestServerSide:
    async def test_calls_are_answered(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            assert await ask(peer, 1, "add", 1, 2) == ["resolve", 1, 3]
            assert await ask(peer, 2, "taskName") == ["resolve", 2, "none"]

    async def test_compression_is_not_agreed_on(self) -> None:
        async with served() as server, stock_connect(server.url, compression="deflate") as peer:
            assert peer.protocol.extensions == []

    async def test_fragments_are_one_message(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            text = push("echo", "héllo")
            await peer.send([text[:9], "", text[9:35], text[35:]])
            await peer.send('["pull",1]')
            assert json.loads(await peer.recv()) == ["resolve", 1, "héllo"]

    async def test_pings_are_answered_even_between_fragments(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:

            async def fragments() -> AsyncIterator[str]:
                text = push("add", 1, 2)
                yield text[:10]
                await (await peer.ping())
                yield text[10:]

            await peer.send(fragments())
            await peer.send('["pull",1]')
            assert json.loads(await peer.recv()) == ["resolve", 1, 3]

    async def test_a_binary_frame_aborts_after_what_came_before_it(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            await peer.send(push("add", 1, 2))
            await peer.send('["pull",1]')
            await peer.send(b"[]")
            reason = "Received a binary WebSocket frame; every message is one text frame."
            messages, code, text = await until_closed(peer)
            assert messages == [["resolve", 1, 3], ["abort", ["error", "TypeError", reason]]]
            assert (code, text) == (3000, reason)

    @pytest.mark.parametrize("message", ["{", '["no such thing"]', "", '["pull",7]'])
    async def test_a_malformed_message_aborts_with_its_reason(self, message: str) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            await peer.send(message)
            messages, code, text = await until_closed(peer)
            assert messages == [["abort", ["error", messages[0][1][1], text]]]
            assert code == 3000
            assert text

    async def test_invalid_utf8_aborts(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            await peer.send(b'["push",["pipeline",0,["echo"],["\xff"]]]', text=True)
            messages, code, _ = await until_closed(peer)
            assert messages[0][0] == "abort"
            assert code == 3000

    @pytest.mark.parametrize("message", ["x" * 1001, ["x" * 600, "x" * 600]], ids=["at once", "in fragments"])
    async def test_a_message_beyond_the_limit_aborts_with_a_reason_and_no_other_session(self, message: Any) -> None:
        async with (
            served(Limits(message_size=1000)) as server,
            stock_connect(server.url) as peer,
            stock_connect(server.url) as other,
        ):
            await peer.send(message)
            reason = "Incoming message exceeds maximum size of 1000 bytes."
            messages, code, text = await until_closed(peer)
            assert [(kind, error[2]) for kind, error in messages] == [("abort", reason)]
            assert (code, text) == (3000, reason)
            assert await ask(other, 1, "add", 1, 2) == ["resolve", 1, 3]

    async def test_a_message_of_the_limits_size_passes(self) -> None:
        text = push("echo", "x" * 50)
        async with served(Limits(message_size=len(text))) as server, stock_connect(server.url) as peer:
            assert await ask(peer, 1, "echo", "x" * 50) == ["resolve", 1, "x" * 50]

    async def test_a_long_reason_is_cut_for_the_close_frame_only(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            await ask(peer, 1, "add", 1, 2)
            server.connections[0].abort(RpcError("é" * 100))
            messages, code, text = await until_closed(peer)
            assert messages == [["abort", ["error", "Error", "é" * 100]]]
            assert (code, text) == (3000, "é" * 61)

    async def test_a_peers_close_ends_the_session_with_its_words(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            await ask(peer, 1, "add", 1, 2)
            await peer.close(4001, "had enough")
            await server.connections[0].wait_closed()
            reason = server.connections[0].session.reason
            assert isinstance(reason, SessionClosed)
            assert str(reason) == "Peer closed WebSocket: 4001 had enough"

    async def test_a_peer_that_vanishes_ends_the_session(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            await ask(peer, 1, "add", 1, 2)
            peer.transport.abort()
            await server.connections[0].wait_closed()
            assert str(server.connections[0].session.reason).startswith("WebSocket connection was lost: ")

    async def test_requests_split_into_bytes_are_understood(self) -> None:
        async with served() as server, bare(server.port) as (reader, writer):
            for byte in UPGRADE + client_frame(0x81, push("add", 1, 2).encode()) + client_frame(0x81, b'["pull",1]'):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            assert await server_frame(reader) == (0x81, b'["resolve",1,3]')

    async def test_a_message_in_the_bytes_of_the_handshake_is_taken(self) -> None:
        async with served() as server, bare(server.port) as (reader, writer):
            writer.write(UPGRADE + client_frame(0x81, push("add", 1, 2).encode()) + client_frame(0x81, b'["pull",1]'))
            await reader.readuntil(b"\r\n\r\n")
            assert await server_frame(reader) == (0x81, b'["resolve",1,3]')

    @pytest.mark.parametrize(
        ("frame", "why"),
        [(b"\x81\x01a", "incorrect masking"), (b"\x83\x80aaaa", "invalid opcode"), (b"\xc1\x80aaaa", "reserved bits")],
    )
    async def test_a_broken_frame_ends_the_session(self, frame: bytes, why: str) -> None:
        async with served() as server, bare(server.port) as (reader, writer):
            writer.write(UPGRADE)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(frame)
            opcode, payload = await server_frame(reader)
            assert (opcode, payload[:2]) == (0x88, (1002).to_bytes(2, "big"))
            writer.close()
            await server.connections[0].wait_closed()
            reason = server.connections[0].session.reason
            assert isinstance(reason, ProtocolError)
            assert why in str(reason)

    async def test_a_broken_frame_in_the_bytes_of_the_handshake_ends_the_session(self) -> None:
        async with served() as server, bare(server.port) as (reader, writer):
            writer.write(UPGRADE + b"\x81\x01a")
            await reader.readuntil(b"\r\n\r\n")
            assert (await server_frame(reader))[0] == 0x88
            assert await reader.read() == b""

    async def test_a_peer_that_reads_nothing_is_not_read_from(self) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            await ask(peer, 1, "add", 1, 2)
            socket = server.sockets[0]
            transport = socket._transport
            assert transport is not None
            socket.pause_writing()
            assert not transport.is_reading()
            await peer.send(push("add", 3, 4))
            await peer.send('["pull",2]')
            socket.resume_writing()
            assert transport.is_reading()
            assert json.loads(await peer.recv()) == ["resolve", 2, 7]

    @pytest.mark.parametrize("size", [0, 100, 125, 126, 1000, 65535, 65536])
    async def test_frames_of_every_length_are_framed_right(self, size: int) -> None:
        async with served() as server, stock_connect(server.url) as peer:
            text = "x" * (size - len('["resolve",1,""]')) if size else ""
            assert await ask(peer, 1, "echo", text) == ["resolve", 1, text]
            connection = Connection()
            await open_websocket(server.url, connection, headers={}, ssl=None, open_timeout=30.0)
            api = connection.main(ExampleStub)
            assert await api.echo(text) == text
            api.dispose()
            await connection.wait_closed()

    async def test_answers_of_any_size_reach_a_slow_reader(self) -> None:
        text = "x" * 3_000_000
        async with served() as server, stock_connect(server.url, max_size=None) as peer:
            for number in (1, 2, 3):
                await peer.send(push("echo", text))
                await peer.send(json.dumps(["pull", number]))
            answers = [json.loads(await peer.recv()) for _ in range(3)]
            assert answers == [["resolve", number, text] for number in (1, 2, 3)]

    async def test_a_handshake_that_is_none_is_refused(self) -> None:
        async with served() as server, bare(server.port) as (reader, writer):
            writer.write(UPGRADE.replace(b"Version: 13", b"Version: 12"))
            answer = await reader.read()
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert server.connections == []


@contextlib.asynccontextmanager
async def bare(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def client_frame(head: int, payload: bytes) -> bytes:
    """A masked frame of less than 126 bytes; the mask is zero."""
    return bytes([head, 0x80 | len(payload)]) + bytes(4) + payload


async def server_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head, length = await reader.readexactly(2)
    return head, await reader.readexactly(length)


async def test_nothing_is_written_to_a_transport_that_is_closing(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as server, stock_connect(server.url) as peer:
        await ask(peer, 1, "add", 1, 2)
        (socket,) = server.sockets
        assert socket._transport is not None
        socket._transport.abort()  # what a write that fails does; that the connection is lost is told in the next turn
        for _ in range(10):
            socket.write([b'["release",1,1]'])
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_both_ends_ask_for_no_more_than_the_allocator_has_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    transport: Any = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]  # not public
    asked: list[int] = []

    def read_ready(self: Any) -> None:
        asked.append(self.max_size)
        self._read_ready__data_received()

    async def main() -> None:
        async with served() as server:
            connection = Connection()
            await open_websocket(server.url, connection, headers={}, ssl=None, open_timeout=5)
            assert await connection.main(ExampleStub).add(1, 2) == 3
            connection.abort(SessionClosed("done"))
            await connection.wait_closed()

    monkeypatch.setattr(transport, "_read_ready", read_ready)
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
    assert set(asked) == {READ_BYTES}
