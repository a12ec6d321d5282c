"""A session over a WebSocket whose frames somebody else reads and writes. Rule: what waits for a peer that does not
read is bounded here, since `await` is all that such a socket says of it.

Messages wait in a queue behind the one that is being sent, and the session is told to hold back when that grows. A peer
that does not read its answers is not read from either.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Any, Final, Protocol

from capnweb_runtime.core.attachments import ATTACHMENT_COST
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost, LimitExceeded, SessionClosed
from capnweb_runtime.transports.ends import closed_with, code_for
from capnweb_runtime.transports.websocket import AGREEABLE, ATTACHING, CARRYING, close_reason

HIGH_WATER: Final = 64 * 1024
"""Bytes that wait for the socket beyond which the session holds back."""
LOW_WATER: Final = 16 * 1024
"""Bytes that wait for the socket below which it goes on."""
_ABNORMAL: Final = 1006  # https://datatracker.ietf.org/doc/html/rfc6455#section-7.1.5: there was no close frame


class Closed(Exception):
    """The peer has closed the socket, or it is lost.

    Parameters:
        code: of the close frame; None, or 1006, without one.
        reason: its reason.
    """

    def __init__(self, code: int | None = None, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Frames(Protocol):
    """A WebSocket that has been accepted, as the session uses it."""

    async def receive(self) -> str | bytes:
        """The next message: text or bytes. Raises Closed."""
        ...

    async def send(self, data: bytes, *, text: bool) -> None:
        """Sends a message, and returns when there is room for another. Raises OSError, or Closed."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Sends a close frame."""
        ...


def agreed(offered: Iterable[str]) -> str | None:
    """Which of the subprotocols that a client offers is chosen; None if none is known."""
    known = frozenset(offered)
    return next((one for one in AGREEABLE if one in known), None)


class SocketSession:
    """The Wire of a session, and what reads its messages.

    Parameters:
        frames: the socket.
        connection: the session's, fresh.
        subprotocol: what was agreed on.
        close_timeout: seconds that the peer may take to let what is last said leave.
    """

    def __init__(self, frames: Frames, connection: Connection, subprotocol: str | None, close_timeout: float) -> None:
        self._frames = frames
        self._connection = connection
        self._attaching = subprotocol in ATTACHING
        self._carrying = subprotocol in CARRYING
        self._close_timeout = close_timeout
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[bytes, bool]] = deque()
        self._queued = 0  # bytes of them, and of the one that is being sent
        self._wake = asyncio.Event()  # there is something to send, or the end
        self._reason: BaseException | None = None  # with which the session has ended
        self._full = False  # the peer does not read
        self._behind = False  # something that has been received waits for the session's turn
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._attachments: list[bytes] = []
        self._attached = 0
        self._writer: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Carries the session until it has ended, or the socket is gone."""
        connection = self._connection
        if self._attaching:
            connection.session.attach_bytes()
        if self._carrying:
            connection.session.carry_calls()
        connection.tell_when_behind(self._hold_reading)
        connection.attach(self)
        reader = self._loop.create_task(self._read())
        self._writer = self._loop.create_task(self._write())
        error: BaseException = SessionClosed("the server has ended the connection")
        try:
            await asyncio.wait((reader, self._writer), return_when=asyncio.FIRST_COMPLETED)
            if self._reason is not None:
                # Closing may take the reader away first. A socket that is dropped before the peer has answered takes
                # with it what has been said last, if the peer has sent anything meanwhile.
                await asyncio.wait((self._writer,))
            error = self._why(reader)
        finally:
            if self._deadline is not None:
                self._deadline.cancel()
            # Whatever has come is taken before that.
            connection.in_order(partial(connection.lost, error))
            both = (reader, self._writer)
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    def _why(self, reader: asyncio.Task[None]) -> BaseException:
        """Why the socket is of no use any more."""
        if self._reason is not None:
            return self._reason
        if not reader.done():
            return ConnectionLost("WebSocket connection was lost: nothing can be sent")
        error = reader.exception()
        if not isinstance(error, Closed):
            return ConnectionLost(f"WebSocket connection was lost: {error}")
        if error.code in {None, _ABNORMAL}:
            return ConnectionLost("WebSocket connection was lost: it ended without a close frame")
        assert error.code is not None
        ended = closed_with(error.code)(f"Peer closed WebSocket: {error.code} {error.reason}".rstrip())
        ended.code = error.code
        return ended

    # ---- Wire

    def write(self, messages: list[Any]) -> None:
        """Sends each message as one text frame, behind its attachments, each a binary frame."""
        for message in messages:
            if isinstance(message, tuple):
                text, *attachments = message
                for attachment in attachments:
                    self._put(attachment, False)
                self._put(text, True)
            else:
                self._put(message, True)
        self._wake.set()
        if self._queued > HIGH_WATER and not self._full:
            self._full = True
            self._read_or_not()
            self._connection.pause_writing()

    def close(self, reason: BaseException) -> None:
        """Closes the socket once what has been written has left, or the time is up."""
        self._reason = reason
        self._wake.set()
        if self._writer is not None:
            self._deadline = self._loop.call_later(self._close_timeout, self._writer.cancel)

    def buffered(self) -> int:
        """Bytes that wait for the socket."""
        return self._queued

    def _put(self, data: bytes, text: bool) -> None:
        self._queue.append((data, text))
        self._queued += len(data)

    async def _write(self) -> None:
        while True:
            while self._queue:
                data, text = self._queue.popleft()
                await self._frames.send(data, text=text)
                self._queued -= len(data)
                if self._full and self._queued < LOW_WATER:
                    self._full = False
                    self._read_or_not()
                    self._connection.resume_writing()
            if self._reason is not None:
                await self._frames.close(code_for(self._reason), close_reason(self._connection.session.told))
                return
            self._wake.clear()
            await self._wake.wait()

    # ---- reading

    async def _read(self) -> None:
        while True:
            await self._may_read.wait()
            message = await self._frames.receive()
            # From a callback, so that no call sees this task as its own; and the next one is not asked for before it is
            # known whether the session is behind.
            self._loop.call_soon(self._received, message)
            del message
            await asyncio.sleep(0)

    def _hold_reading(self, behind: bool) -> None:
        self._behind = behind
        self._read_or_not()

    def _read_or_not(self) -> None:
        if self._behind or self._full:
            self._may_read.clear()
        else:
            self._may_read.set()

    def _received(self, message: str | bytes) -> None:
        connection = self._connection
        if connection.behind:
            connection.in_order(partial(self._received, message))
        elif not connection.session.closed:
            self._take(connection, message)

    def _take(self, connection: Connection, message: str | bytes) -> None:
        most = connection.limits.message_size
        if isinstance(message, bytes):
            self._attach(connection, message, most)
            return
        data = message.encode("utf-8", "surrogatepass")
        if len(data) > most:
            self._abort(LimitExceeded(f"Incoming message exceeds maximum size of {most} bytes."))
            return
        attachments, self._attachments = self._attachments, []
        if attachments:
            self._attached = 0
            connection.session.held.set_unfinished(0)
        connection.received([(data, *attachments) if attachments else data])

    def _attach(self, connection: Connection, data: bytes, most: int) -> None:
        """Takes a binary frame, which belongs to the text that follows."""
        if not self._attaching:
            self._abort(TypeError("Received a binary WebSocket frame; every message is one text frame."))
            return
        self._attached += len(data) + ATTACHMENT_COST
        if self._attached > most:
            self._abort(LimitExceeded(f"Incoming attachments exceed maximum message size of {most} bytes."))
            return
        self._attachments.append(data)
        try:
            connection.session.held.set_unfinished(self._attached)
        except LimitExceeded as error:
            self._abort(error)

    def _abort(self, error: BaseException) -> None:
        self._attachments, self._attached = [], 0
        self._connection.abort(error)
        self._connection.flush()
