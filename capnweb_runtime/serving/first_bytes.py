"""The start of a connection to a port that speaks TLS. Rule: a socket is the server's from the first moment on, so that
nothing is kept of a handshake that fails, and closing ends one that is under way.

The loop's own TLS servers tell nobody of a handshake that fails, and close a client's socket that speaks HTTP without a
word. Here the first byte is looked at: a handshake is given to the loop's TLS with the bytes that have come, anything
else gets an answer that it can read.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, cast

from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.first_request import TLS_HANDSHAKE, FirstRequest, begins_request, refuse_plainly
from capnweb_runtime.serving.peer import logger

_ONLY_TLS: Final = "This port speaks TLS: use wss:// or https://."


class FirstBytes(asyncio.Protocol):
    """Begins TLS on a connection and hands it on, to a `FirstRequest`.

    Parameters:
        request: makes the protocol for what is inside.
        ssl: settings of TLS.
        timeout: seconds that a client has for its first byte, and then for the handshake.
        on_made: called with this object once there is a connection.
        on_gone: called with this object once it has handed on, or lost, the connection.
        guest: the connection, as the bounds of the server know it.
    """

    def __init__(
        self,
        request: Callable[[], FirstRequest],
        ssl: ssl_module.SSLContext,
        *,
        timeout: float,
        on_made: Callable[[FirstBytes], object],
        on_gone: Callable[[FirstBytes], object],
        guest: Guest | None = None,
    ) -> None:
        self._request = request
        self._ssl = ssl
        self._timeout = timeout
        self._on_made = on_made
        self._on_gone = on_gone
        self._guest = guest or Guest(Bounds())
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._handshake: asyncio.Task[asyncio.Transport | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._guest.came(transport)
        seconds = self._guest.patience(self._timeout)
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._transport.abort)
        self._on_made(self)
        if self._guest.at_once:  # an answer would take a handshake
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if data[0] == TLS_HANDSHAKE:
            self._begin_tls(transport, data)
        elif begins_request(data[0]):
            refuse_plainly(transport, HTTPStatus.BAD_REQUEST, _ONLY_TLS)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._guest.left()
        self._gone()

    def abort(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()
        if self._handshake is not None:
            self._handshake.cancel()

    def _begin_tls(self, transport: asyncio.Transport, data: bytes) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        transport.pause_reading()  # until TLS is the one who reads
        loop = asyncio.get_running_loop()
        inside = self._request()
        seconds = self._guest.patience(self._timeout)
        starting = loop.start_tls(transport, inside, self._ssl, server_side=True, ssl_handshake_timeout=seconds)
        # No eager task: the loop runs what it was given in order, so the bytes are handed over in the turn in which TLS
        # begins, and before it can read any that follow them.
        self._handshake = asyncio.Task(starting, loop=loop)
        self._handshake.add_done_callback(lambda task: self._tls_begun(inside, task))
        loop.call_soon(loop.call_soon, self._hand_over, transport, data)

    def _hand_over(self, transport: asyncio.Transport, data: bytes) -> None:
        """Gives bytes to TLS as a transport would: see asyncio.BufferedProtocol."""
        protocol: Any = transport.get_protocol()
        rest = memoryview(data)
        while rest and protocol is not self and not transport.is_closing():
            buffer = protocol.get_buffer(len(rest))
            taken = min(len(buffer), len(rest))
            buffer[:taken] = rest[:taken]
            protocol.buffer_updated(taken)
            rest = rest[taken:]

    def _tls_begun(self, inside: FirstRequest, task: asyncio.Task[asyncio.Transport | None]) -> None:
        raw = self._transport
        failure = None if task.cancelled() else task.exception()
        transport = None if task.cancelled() or failure is not None else task.result()
        if transport is None:  # also where the client went away in the middle of it
            if raw is not None:
                logger.debug("no TLS with %s: %s", raw.get_extra_info("peername"), failure or "the connection was lost")
                raw.abort()
            self._guest.left()
        else:
            inside.connection_made(transport)
        self._gone()

    def _gone(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._transport = None
        self._on_gone(self)
