"""The start of a server's connection: the first request decides what the connection is. Rule: nothing is parsed here
but where the head ends.

An Upgrade to WebSocket goes to one protocol, anything else to another, with the bytes read so far. A client has a
bounded time and a bounded number of bytes for the head of its first request.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Final, cast

HEAD_BYTES: Final = 32 * 1024
"""Longest head of a first request: request line and headers."""
_UPGRADE: Final = re.compile(rb"\r\nupgrade[ \t]*:[^\r\n]*websocket", re.IGNORECASE)
_END: Final = b"\r\n\r\n"


def _refusal(status: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class FirstRequest(asyncio.Protocol):
    """Reads the head of the first request and hands the connection on.

    Parameters:
        websocket: makes the protocol for a WebSocket.
        http: makes the protocol for any other request.
        timeout: seconds that a client has for the head.
        on_gone: called with this object once it has handed on, or lost, the connection.
    """

    def __init__(
        self,
        websocket: Callable[[], asyncio.Protocol],
        http: Callable[[], asyncio.Protocol],
        *,
        timeout: float,
        on_gone: Callable[[FirstRequest], object],
    ) -> None:
        self._websocket = websocket
        self._http = http
        self._timeout = timeout
        self._on_gone = on_gone
        self._head = bytearray()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._deadline = asyncio.get_running_loop().call_later(self._timeout, self._refuse, b"408 Request Timeout")

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        searched = max(0, len(self._head) - len(_END))
        self._head += data
        end = self._head.find(_END, searched)
        if end >= 0:
            is_websocket = _UPGRADE.search(self._head, 0, end) is not None
            self._hand_on(transport, self._websocket() if is_websocket else self._http(), end + len(_END))
        elif len(self._head) > HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._gone()

    def abort(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _hand_on(self, transport: asyncio.Transport, protocol: asyncio.Protocol, head: int) -> None:
        self._transport = None
        self._gone()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        # The engine of WebSockets wants the handshake to be answered before it sees frames.
        protocol.data_received(bytes(self._head[:head]))
        if len(self._head) > head:
            protocol.data_received(bytes(self._head[head:]))

    def _refuse(self, status: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_refusal(status))
            self._transport.close()

    def _gone(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._on_gone(self)
