"""What stands between a socket and aiohttp. Rule: aiohttp is given no more than it can use now: many requests in one
write wait their turn here, and then in the kernel.

It knows, too, what of a request is unfinished: all that has come since the last one was whole.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final, cast

from capnweb_runtime.core.account import Account
from capnweb_runtime.driving.turns import Line, Turns
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.serving.bounds import Guest
from capnweb_runtime.serving.first_request import HEAD_BYTES, asks_for_websocket, hand_on, refuse_plainly
from capnweb_runtime.serving.peer import Refuse
from capnweb_runtime.serving.refusals import Busy

SLICE: Final = 16 * 1024
"""Bytes that aiohttp is given at a time."""
WAITING: Final = 16
"""Requests that wait in there for those before them; releases before 3.14 take in whatever comes."""
WORK_PER_REQUEST: Final = 50
"""Units of work that it takes, about, to parse one; see `core.account`."""
_END: Final = b"\r\n\r\n"
_here: contextvars.ContextVar[HttpSocket] = contextvars.ContextVar("capnweb_http_socket")


class _Transport:
    """The transport as aiohttp sees it: whether to read on is for both to say."""

    def __init__(self, transport: asyncio.Transport, socket: HttpSocket) -> None:
        self._transport = transport
        self._socket = socket

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def pause_reading(self) -> None:
        self._socket.inside_reads(False)

    def resume_reading(self) -> None:
        self._socket.inside_reads(True)

    def close(self) -> None:
        if not self._socket.is_handed_on:
            self._transport.close()


class HttpSocket(asyncio.Protocol):
    """One connection.

    Parameters:
        inside: aiohttp's protocol.
        guest: the connection, as the bounds of the server know it.
        websocket: makes the protocol for a WebSocket, which a client may ask for on a connection that it has kept; None
            leaves that to aiohttp, too.
    """

    def __init__(self, inside: Any, guest: Guest, websocket: Callable[[], asyncio.Protocol] | None = None) -> None:
        self._inside = inside
        self._guest = guest
        self._websocket = websocket
        self._head = b""  # of a request that may ask for a WebSocket
        self.is_handed_on = False  # to that, so that aiohttp has nothing to close any more
        guest.on_end = self._end
        self._loop = asyncio.get_running_loop()
        self._account = Account(DEFAULT_LIMITS)
        self._line = Line(Turns.of(self._loop), self._account)
        self._transport: asyncio.Transport | None = None
        self._ahead = b""  # what has come, and waits
        self._going_on = False
        self._inside_reads = True
        self._since = 0  # bytes that have come since a request was whole
        self._refused = False  # and the connection is to be closed
        self._answering = False
        self._reading: asyncio.Timeout | None = None  # of a body
        self._ended: tuple[HTTPStatus, str] | None = None  # why that is not read to its end

    # ---- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        made = _Transport(self._transport, self)
        # What handles its requests finds this object in its Context.
        context = contextvars.copy_context()
        context.run(_here.set, self)
        context.run(self._inside.connection_made, made)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._since += len(data)
            self._guest.hold(self._since)
        if (data[:1] == b"G" or self._head) and self._websocket is not None and self._is_between_requests():
            data = self._head + data
            if self._has_handed_on(data, self._websocket):
                return
        if self._ahead or len(data) > SLICE or self._account.over:
            self._ahead += data
            self._go_on()
        else:
            self._give(data)

    def eof_received(self) -> bool | None:
        return cast("bool | None", self._inside.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._ahead = b""
        self._guest.left()
        self._inside.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inside.pause_writing()

    def resume_writing(self) -> None:
        self._inside.resume_writing()

    # ---- a WebSocket, after requests

    def _is_between_requests(self) -> bool:
        inside = self._inside
        busy = self._answering or self._refused or self._ahead or inside._messages or inside._current_request
        return self._transport is not None and not busy

    def _has_handed_on(self, data: bytes, websocket: Callable[[], asyncio.Protocol]) -> bool:
        """Whether what has come of a GET is taken care of: it is the whole head of a WebSocket's handshake, which is
        handed on, or too little of a head to tell.
        """
        end = data.find(_END)
        if end < 0 and len(data) <= HEAD_BYTES:
            self._head = data
            return True
        self._head = b""
        if end < 0 or not asks_for_websocket(data, end):
            return False
        transport = cast(asyncio.Transport, self._transport)
        self._transport = None
        self.is_handed_on = True
        self._inside.connection_lost(None)
        self._guest.hold(0)
        hand_on(transport, websocket(), data, end + len(_END))
        return True

    # ---- called where requests are handled

    @staticmethod
    def here() -> HttpSocket:
        """The connection whose request is being handled."""
        return _here.get()

    async def whole(self, body: Coroutine[Any, Any, bytes]) -> bytes:
        """Waits for the body of a request, for as long as the bounds of the server allow.

        Parameters:
            body: coroutine that reads it.

        Raises:
            Refuse: the server has no room for it, or it makes no progress.
        """
        try:
            async with asyncio.timeout(None) as self._reading:
                return await body
        except TimeoutError:
            if self._ended is None:
                raise
            # Made here, since an exception keeps what its frames hold: the body.
            status, text = self._ended
            raise (Busy() if status == HTTPStatus.SERVICE_UNAVAILABLE else Refuse(status, text)) from None
        finally:
            self._reading = None

    def is_whole(self) -> None:
        """A request has come, and is being answered. What comes now belongs to another."""
        self._answering = True
        self._since = 0
        self._guest.hold(0)
        self._guest.wait(True)
        self._go_on_soon()

    def is_answered(self) -> None:
        """The next request may be read."""
        self._answering = False
        self._guest.hold(self._since, anew=True)
        self._guest.wait(False)

    def is_refused(self) -> None:
        """The connection will be closed; what comes meanwhile is nobody's."""
        self._refused = True
        self._guest.hold(0)

    # ---- reading

    def inside_reads(self, reads: bool) -> None:
        """Whether aiohttp takes more."""
        self._inside_reads = reads
        if reads:
            self._go_on_soon()
        self._read_or_not()

    def _go_on_soon(self) -> None:
        if self._ahead and not self._going_on:
            self._going_on = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Gives aiohttp what waits, as long as it takes it and this is its turn."""
        self._going_on = False
        account = self._account
        while self._ahead and self._inside_reads and len(self._inside._messages) < WAITING:
            if account.over or (account.spent > account.look_at and account.is_over()):
                self._going_on = True
                self._line.take_later(self._go_on)
                break
            piece, self._ahead = self._ahead[:SLICE], self._ahead[SLICE:]
            self._give(piece)
        self._read_or_not()

    def _give(self, data: bytes) -> None:
        self._account.spent += 1 + WORK_PER_REQUEST * data.count(_END)
        self._inside.data_received(data)

    def _read_or_not(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._ahead or not self._inside_reads:
            transport.pause_reading()
        else:
            transport.resume_reading()

    # ---- bounds of the server

    def _end(self, status: HTTPStatus, text: str) -> None:
        """The connection has to go, whatever it is in the middle of."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._reading is not None and not self._answering:
            self._ended = status, text
            self._reading.reschedule(self._loop.time())
        elif self._answering:
            transport.abort()
        else:
            refuse_plainly(transport, status, text)
