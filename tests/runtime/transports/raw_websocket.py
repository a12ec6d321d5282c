"""One WebSocket without a network: the transport's protocol object and the stock engine get the same bytes, and what
each of them does is written down in the same words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from websockets.client import ClientProtocol
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import CLIENT, SERVER, Event, Protocol, State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.serving.websocket_server import WebSocketServer
from capnweb_runtime.transports.ends import ABORTED, closed_with
from capnweb_runtime.transports.frames import head
from capnweb_runtime.transports.websocket import WITH_ATTACHMENTS, WebSocketEnd
from capnweb_runtime.transports.websocket_client import _WebSocketClient

OFFER = (
    b"Sec-WebSocket-Protocol: capnweb-gen.text, capnweb-gen.attachments.1+calls.1, capnweb-gen.attachments.1, "
    b"capnweb-gen.calls.1\r\n"
)
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n"
)
_KEY = b"\x11\x92\x33\xf4"


def raw_frame(first: int, payload: bytes = b"", *, masked: bool, length: bytes | None = None) -> bytes:
    """One frame, however wrong: `length` is what stands in place of the minimal code of the payload's length."""
    mask = 0x80 if masked else 0
    start = head(first, len(payload), mask) if length is None else bytes((first, mask | length[0])) + length[1:]
    if not masked:
        return start + payload
    return start + _KEY + bytes(byte ^ _KEY[index % 4] for index, byte in enumerate(payload))


@dataclass
class Behaviour:
    """What one end did.

    Attributes:
        messages: what it delivered, in order; a tuple if there were attachments.
        answers: the frames it sent: opcode and payload, of a close frame its code only.
        ended: how the session ended; None if it goes on.
    """

    messages: list[bytes | tuple[bytes, ...]] = field(default_factory=list)
    answers: list[tuple[Opcode, bytes | int]] = field(default_factory=list)
    ended: str | None = None


def _frames(data: bytes, masked: bool) -> list[tuple[Opcode, bytes | int]]:
    reader = Protocol(SERVER if masked else CLIENT, max_size=None)
    found: list[tuple[Opcode, bytes | int]] = []
    for byte in data:
        reader.receive_data(bytes((byte,)))
        for event in reader.events_received():
            one = cast(Frame, event)
            closes = one.opcode is Opcode.CLOSE
            found.append((one.opcode, int.from_bytes(one.data[:2], "big") if closes else bytes(one.data)))
    assert reader.parser_exc is None
    return found


class Socket(asyncio.Transport):
    """A transport that writes down what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.waiting = 0  # bytes that have not left
        self.ended = False

    def write(self, data: Any) -> None:
        assert not self.ended, "written after the end"
        self.written += data

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        for data in list_of_data:
            self.write(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_reading(self) -> bool:
        return True

    def pause_reading(self) -> None:
        """There is nothing to read."""

    def resume_reading(self) -> None:
        """As above."""


class _Session:
    closed = False
    attached = False
    told: BaseException = SessionClosed("over")

    def __init__(self) -> None:
        self.held = HeldBytes(DEFAULT_LIMITS.held_bytes)

    def carry_calls(self) -> None:
        """Nothing is sent here that would carry anything."""

    def attach_bytes(self) -> None:
        self.attached = True


class Listener:
    """Stands where the connection stands: keeps messages, and answers none of them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.session = _Session()
        self.seen = Behaviour()
        self.messages_received = 0
        self.wire: WebSocketEnd | None = None

    def attach(self, wire: WebSocketEnd) -> None:
        self.wire = wire

    def received(self, messages: Sequence[bytes | tuple[bytes, ...]]) -> None:
        if not self.session.closed:
            self.seen.messages += messages

    def abort(self, error: BaseException, *, notify: bool = True) -> None:
        if not self.session.closed:
            self.session.closed = True
            self.session.told = error
            self.seen.ended = type(error).__name__
            assert self.wire is not None
            self.wire.close(error)

    def flush(self) -> None:
        """There is never anything to write."""

    def pause_writing(self) -> None:
        """It writes nothing anyway."""

    def resume_writing(self) -> None:
        """As above."""

    def tell_when_behind(self, callback: Callable[[bool], None]) -> None:
        """It never is."""

    def has_worked(self, work: int) -> bool:
        return False

    def in_order(self, work: Callable[[], object]) -> None:
        work()

    def lost(self, error: BaseException) -> None:
        self.session.closed = True


async def ours(pieces: Iterable[bytes], *, server: bool, max_size: int, agreed: bool = False) -> Behaviour:
    """What our end does with the bytes of its peer, in these pieces, after the handshake."""
    limits, socket = Limits(message_size=max_size), Socket()
    listener = Listener(limits)
    connection = cast(Connection, listener)
    end: WebSocketEnd
    if server:
        end = WebSocketServer(lambda peer: connection, limits, lambda _: None)
        end.connection_made(socket)
        end.data_received(REQUEST % (OFFER if agreed else b""))
    else:
        end = _WebSocketClient("ws://localhost/", parse_uri("ws://localhost/"), connection, {})
        end.connection_made(socket)
        end.data_received(accepted(bytes(socket.written), agreed))
    assert listener.wire is end
    assert listener.session.attached == agreed
    socket.written.clear()
    for piece in pieces:
        end.data_received(piece)
    listener.seen.answers = _frames(bytes(socket.written), masked=not server)
    end.connection_lost(None)
    return listener.seen


def accepted(request: bytes, agreed: bool) -> bytes:
    """A server's answer to a request."""
    engine = ServerProtocol(select_subprotocol=lambda _, offered: WITH_ATTACHMENTS if agreed else None)
    engine.receive_data(request)
    asked = engine.events_received()[0]
    assert isinstance(asked, Request)
    engine.send_response(engine.accept(asked))
    return b"".join(engine.data_to_send())


def stock(data: bytes, *, server: bool, max_size: int) -> Behaviour:
    """What our end should do with these bytes, by the engine of `websockets` alone and what is known to differ: binary
    frames and frames that are too long close with our code.
    """
    engine: ServerProtocol | ClientProtocol
    if server:
        engine = ServerProtocol(state=State.OPEN, max_size=max_size)
    else:
        engine = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=max_size)
    seen, sent, parts = Behaviour(), bytearray(), bytearray()
    for byte in data:
        engine.receive_data(bytes((byte,)))
        for event in engine.events_received():
            _take(engine, event, parts, seen)
        if isinstance(engine.parser_exc, PayloadTooBig) and seen.ended is None:
            engine.data_to_send()
            seen.ended = "LimitExceeded"
            sent += Frame(Opcode.CLOSE, ABORTED.to_bytes(2, "big")).serialize(mask=not server)
        elif engine.parser_exc is not None and seen.ended is None:
            seen.ended = "ProtocolError"
        sent += b"".join(engine.data_to_send())
    seen.answers = _frames(bytes(sent), masked=not server)
    return seen


def _take(engine: Protocol, event: Event, parts: bytearray, seen: Behaviour) -> None:
    one = cast(Frame, event)
    if seen.ended is not None:
        return
    if one.opcode is Opcode.CLOSE:
        seen.ended = closed_with(1005 if engine.close_rcvd is None else engine.close_rcvd.code).__name__
    elif one.opcode is Opcode.BINARY:
        seen.ended = "TypeError"
        engine.send_close(ABORTED)
    elif one.opcode in (Opcode.TEXT, Opcode.CONT):
        parts += one.data
        if one.fin:
            seen.messages.append(bytes(parts))
            parts.clear()
