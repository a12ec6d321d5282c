"""The start of a server's connection: the first request decides what the connection is. Rule: nothing is parsed here
but where the head ends, and what cannot begin a request is answered at once.

An Upgrade to WebSocket goes to one protocol, anything else to another, with the bytes read so far. A client has a
bounded time and a bounded number of bytes for the head of its first request.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Final, cast

from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.peer import logger
from capnweb_runtime.serving.refusals import BUSY, RETRY_AFTER

HEAD_BYTES: Final = 32 * 1024
"""Longest head of a first request: request line and headers."""
TLS_HANDSHAKE: Final = 0x16
"""First byte of whatever a TLS client says."""
_UPGRADE: Final = re.compile(rb"\r\nupgrade[ \t]*:[^\r\n]*websocket", re.IGNORECASE)
_END: Final = b"\r\n\r\n"
# https://datatracker.ietf.org/doc/html/rfc9110#section-5.6.2: what a method consists of; and the line breaks that may
# stand before it.
_BEGINNINGS: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789\r\n").union(range(0x41, 0x5B), range(0x61, 0x7B))
_NO_TLS: Final = "This port does not speak TLS: use ws:// or http://."
_NO_REQUEST: Final = "This is no HTTP request."


def begins_request(first: int) -> bool:
    """Whether a byte can be the first one of an HTTP request."""
    return first in _BEGINNINGS


def asks_for_websocket(head: bytes | bytearray, end: int) -> bool:
    """Whether the head of a request, which ends at the position, is a handshake of WebSocket."""
    return _UPGRADE.search(head, 0, end) is not None


def hand_on(transport: asyncio.Transport, protocol: asyncio.Protocol, read: bytes | bytearray, head: int) -> None:
    """Has a protocol go on with a connection.

    Parameters:
        transport: the connection.
        protocol: what goes on.
        read: what has been read.
        head: how many bytes of it are the head of a request.
    """
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    # The engine of WebSockets wants the handshake to be answered before it sees frames.
    protocol.data_received(bytes(read[:head]))
    if len(read) > head:
        protocol.data_received(bytes(read[head:]))


def refuse_plainly(transport: asyncio.Transport, status: HTTPStatus, text: str, closes: bool = True) -> None:
    """Answers, before there is a request that could be, and closes the connection. It is a stranger's most often, so
    the log has it for those who debug.

    Parameters:
        transport: where to answer.
        status: status of the answer.
        text: its body.
        closes: whether the connection is closed at once; otherwise only this side's half, where there are halves.
    """
    body = f"{text}\n".encode()
    busy = f"Retry-After: {RETRY_AFTER}\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\n{busy}"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    logger.debug("no request from %s: %d %s", transport.get_extra_info("peername"), status.value, text)
    transport.write(head.encode() + body)
    if closes or not transport.can_write_eof():
        transport.close()
    else:
        transport.write_eof()


class FirstRequest(asyncio.Protocol):
    """Reads the head of the first request and hands the connection on.

    Parameters:
        websocket: makes the protocol for a WebSocket.
        http: makes the protocol for any other request.
        http_waits: whether that cannot be made yet; it calls what it is given once it can.
        timeout: seconds that a client has for the head.
        on_made: called with this object once there is a connection.
        on_gone: called with this object once it has handed on, or lost, the connection.
        guest: the connection, as the bounds of the server know it.
    """

    def __init__(
        self,
        websocket: Callable[[], asyncio.Protocol],
        http: Callable[[], asyncio.Protocol],
        *,
        http_waits: Callable[[Callable[[], object]], bool] = lambda then: False,
        timeout: float,
        on_made: Callable[[FirstRequest], object],
        on_gone: Callable[[FirstRequest], object],
        guest: Guest | None = None,
    ) -> None:
        self._websocket = websocket
        self._http = http
        self._http_waits = http_waits
        self._timeout = timeout
        self._on_made = on_made
        self._on_gone = on_gone
        self._guest = guest or Guest(Bounds())
        self._head = bytearray()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._lost = False
        self._answered = False  # and what comes is thrown away
        self._waiting = False  # and what comes is kept

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._lost:  # TLS can also lose the connection before that
            return
        self._transport = cast(asyncio.Transport, transport)
        guest = self._guest
        guest.came(transport)
        guest.on_end = self._refuse
        seconds = guest.patience(self._timeout)
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._give_up, seconds)
        self._on_made(self)
        if guest.at_once:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, BUSY)
        elif self._head:  # TLS can deliver before it hands over its transport
            self._look(0)

    def data_received(self, data: bytes) -> None:
        if self._answered:
            return
        searched = max(0, len(self._head) - len(_END))
        self._head += data
        if not self._waiting:
            self._look(searched)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost = True
        self._guest.left()
        self._gone()

    def abort(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _look(self, searched: int) -> None:
        """Looks at what has come, which holds no end of a head before the position."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        end = self._head.find(_END, searched)
        if not begins_request(self._head[0]):
            is_tls = self._head[0] == TLS_HANDSHAKE
            self._refuse(HTTPStatus.BAD_REQUEST, _NO_TLS if is_tls else _NO_REQUEST)
        elif end > HEAD_BYTES or (end < 0 and len(self._head) > HEAD_BYTES):
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The head of a request may have {HEAD_BYTES} bytes."
            )
        elif end < 0:
            self._guest.hold(len(self._head))
        elif self._guest.refused:
            self._say_busy()
        else:
            self._guest.hold(0)
            self._take(transport, end)

    def _take(self, transport: asyncio.Transport, end: int) -> None:
        """The head is there, and ends at the position."""
        if asks_for_websocket(self._head, end):
            self._hand_on(transport, self._websocket(), end + len(_END))
        elif not self._http_waits(partial(self._go_on, end + len(_END))):
            self._hand_on(transport, self._http(), end + len(_END))
        else:
            self._waiting = True
            transport.pause_reading()

    def _go_on(self, head: int) -> None:
        """The protocol for requests can be made now."""
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.resume_reading()  # first, since the protocol may stop it
            self._hand_on(transport, self._http(), head)

    def _hand_on(self, transport: asyncio.Transport, protocol: asyncio.Protocol, head: int) -> None:
        self._transport = None
        self._gone()
        hand_on(transport, protocol, self._head, head)

    def _say_busy(self) -> None:
        """Answers, and leaves the client time to read it: bytes that it sends to a closed socket could cost it that."""
        self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, BUSY, closes=False)
        self._answered = True

    def _give_up(self, seconds: float) -> None:
        """The time is up."""
        if self._answered and self._transport is not None:
            self._transport.abort()
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"No request came within {seconds} s.")

    def _refuse(self, status: HTTPStatus, text: str, closes: bool = True) -> None:
        if self._transport is not None and not self._transport.is_closing():
            refuse_plainly(self._transport, status, text, closes)

    def _gone(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._on_gone(self)
