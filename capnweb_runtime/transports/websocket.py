"""Messages as WebSocket frames. Rule: the sans-IO engine of `websockets` knows RFC 6455; here its bytes meet a socket
and a Connection, and whole data frames go past it.

A text frame is one message. Between two ends of this implementation, which know each other by the subprotocol, the byte
strings in a message are binary frames before it. Whatever ends a session closes the socket with a code that tells why
(see `ends`) and the reason, after an abort message if there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from capnweb_runtime.core.attachments import ATTACHMENT_COST
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost, LimitExceeded, ProtocolError, SessionClosed, wire_message
from capnweb_runtime.transports.ends import ABORTED, closed_with, code_for
from capnweb_runtime.transports.engine import (
    ClientProtocol,
    Close,
    Event,
    Frame,
    Opcode,
    PayloadTooBig,
    State,
    Subprotocol,
)
from capnweb_runtime.transports.frames import (
    BINARY,
    CLOSE,
    LARGE_TEXT,
    PING,
    PONG,
    TEXT,
    FrameReader,
    Message,
    frame,
    frames,
)
from capnweb_runtime.transports.keepalive import DEFAULT_SILENCE, Keepalive, Silence

if TYPE_CHECKING:
    from capnweb_runtime.transports.engine import ServerProtocol

LONG: Final = 4 * 1024 * 1024
"""Bytes of a frame from which on others go first once it has come whole."""
TRY_AGAIN_LATER: Final = 1013
"""Close code of a session that had to end for want of room."""
WITH_ATTACHMENTS: Final = Subprotocol("capnweb-gen.attachments.1")
"""Subprotocol by which two ends of this implementation agree that bytes travel as binary frames."""
WITH_CALLS: Final = Subprotocol("capnweb-gen.calls.1")
"""Subprotocol by which they agree on what calls carry; see `core.carrying`."""
WITH_BOTH: Final = Subprotocol("capnweb-gen.attachments.1+calls.1")
"""Subprotocol by which they agree on both, since there can be only one."""
AGREEABLE: Final = (WITH_BOTH, WITH_ATTACHMENTS, WITH_CALLS)
"""What this implementation can agree to, the best first."""
ATTACHING: Final = frozenset((WITH_BOTH, WITH_ATTACHMENTS))
"""Those with which bytes travel as binary frames."""
CARRYING: Final = frozenset((WITH_BOTH, WITH_CALLS))
"""Those with which calls carry more than their arguments."""
WORK_PER_FRAME: Final = 8
"""Units of work that a frame takes which is no whole message: a ping, a part."""
READ_BYTES: Final = 64 * 1024
"""What a transport of asyncio's own loop is to ask for at a time. For each read it makes a string of bytes as long as
that, and cuts it to what has come. asyncio's 256 KiB are memory that the C library maps, shrinks and gives back each
time: with one call in flight both ends spent more on that than on the call, and a call takes three fifths of the time
without it.
"""
_BLANK_LINE: Final = b"\r\n\r\n"
_REASON_BYTES: Final = 123  # a control frame holds 125 bytes, of which the code takes two


def close_reason(error: BaseException) -> str:
    """Text of an error, cut to what fits into a close frame at a character boundary."""
    return wire_message(error).encode("utf-8", "replace")[:_REASON_BYTES].decode("utf-8", "ignore")


class WebSocketEnd(asyncio.Protocol):
    """One end of a WebSocket: the Wire of its connection once the handshake is done.

    Parameters:
        engine: what knows the protocol.
        max_size: longest message taken, in bytes.
        silence: how long the peer may be silent.
    """

    def __init__(
        self, engine: ServerProtocol | ClientProtocol, max_size: int, silence: Silence = DEFAULT_SILENCE
    ) -> None:
        self._engine = engine
        self._silence = silence
        self._keepalive: Keepalive | None = None
        self._is_client = isinstance(engine, ClientProtocol)
        self._reader = FrameReader(not self._is_client, max_size)
        self._max_size = max_size
        self._attachments: list[bytes] = []  # of the text frame that is to come
        self._attached = 0  # bytes of them
        self._head_end = b""  # what may be the beginning of the blank line behind the handshake's head
        self._transport: asyncio.Transport | None = None
        self._connection: Connection | None = None
        self._open: Connection | None = None  # the same, from handshake to closing handshake
        self._fragments = bytearray()  # of a message in several frames
        self._fragments_of = TEXT
        self._unfinished = 0  # bytes of what has begun and not ended, as they were told:
        self._on_unfinished: Callable[[int, bool], object] | None = None  # and whether something has ended meanwhile
        self._deaf = False  # whatever comes is thrown away
        self._close_code: int | None = None  # in place of what follows from the reason
        self._close_replaced = False
        self._reads = 0  # those that were more than short messages, which are counted elsewhere
        self._full = False  # the peer does not read what it is sent
        self._unanswered: bytes | None = None  # what the last ping said that was not answered for that
        self._lost: SessionClosed | None = None  # why we have dropped the socket, if we have
        self._deadline: asyncio.TimerHandle | None = None
        # Reasons not to read on:
        self._behind = False  # something that was received waits for the session's turn
        self._unread = False  # the peer does not read what it is sent

    # ---- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        told: Any = transport
        if hasattr(told, "max_size"):  # not promised, but so in every version; uvloop and TLS read otherwise
            told.max_size = READ_BYTES
        connected: socket.socket | None = transport.get_extra_info("socket")
        if connected is not None:  # a peer that vanished while nothing was said is noticed in the end
            with contextlib.suppress(OSError):
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data: bytes) -> None:
        if self._behind and self._connection is not None and self._connection.behind:
            # Of a transport that gives what it has read all the same.
            self._connection.in_order(partial(self.data_received, data))
            return
        if self._deaf:
            return
        messages: list[Message] = []
        taken = 0
        if self._open is not None and not self._attachments:
            messages, taken = self._reader.texts(data)
            if taken == len(data):  # which is all that mostly comes
                self._open.received(messages)
                return
        self._reads += 1
        if self._engine.state is State.CLOSED:
            return
        if self._connection is None:
            data = self._shake_hands(data)
        if self._connection is not None and data:
            is_long = self._reader.pending > LONG
            frames = self._reader.feed(data, taken)
            if is_long and frames:  # to put it together has taken a while
                self._connection.later(partial(self._take_all, self._connection, messages, frames))
                return
            self._take(self._connection, messages, frames)
        self._look_whether_closed()

    def eof_received(self) -> None:
        self._engine.receive_eof()
        if self._connection is None:
            self._handshake(self._engine.events_received())
        self._write_engine_data()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        self._stop_looking()
        self._engine.receive_eof()
        self._look_at_state()
        if self._connection is not None:
            detail = "it ended without a close frame" if exc is None else str(exc) or type(exc).__name__
            self._connection.lost(self._lost or self._ended(f"WebSocket connection was lost: {detail}"))

    def pause_writing(self) -> None:
        self._full = True
        if self._connection is not None:
            self._connection.pause_writing()

    def resume_writing(self) -> None:
        self._full = False
        unanswered, self._unanswered = self._unanswered, None
        if unanswered is not None and self._open is not None:
            self._write_raw(frame(PONG, unanswered, self._is_client))
        if self._connection is not None:
            self._connection.resume_writing()

    # ---- Wire, called by the connection

    def write(self, messages: list[Message]) -> None:
        """Sends each message as one text frame, behind its attachments, each a binary frame."""
        transport = self._transport
        if transport is None or (self._open is None and not self._close_replaced):
            return
        if transport.is_closing():  # asyncio would log each write until it has told that the connection is lost
            return
        pieces = frames(messages, self._is_client)
        if len(pieces) > 1 and max(map(len, pieces)) < LARGE_TEXT:
            transport.writelines(pieces)
            return
        for piece in pieces:  # up to Python 3.11, writelines() would join them: once more as much memory
            transport.write(piece)

    def close(self, reason: BaseException) -> None:
        """Starts the closing handshake."""
        self._stop_looking()
        text = self._close_reason(reason)
        if self._engine.state is State.OPEN:
            self._engine.send_close(self._close_code or code_for(reason), text)
        elif self._close_replaced:
            code = self._close_code or ABORTED
            self._write_raw(frame(CLOSE, Close(code, text).serialize(), self._is_client))
        self._write_engine_data()
        if self._engine.eof_sent:
            self._write_eof()
        self._expect_close()

    def _close_reason(self, reason: BaseException) -> str:
        return close_reason(reason if self._connection is None else self._connection.session.told)

    def buffered(self) -> int:
        """Bytes in the transport's buffer."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    # ---- Watched, called by the keepalive

    def signs_of_life(self) -> object:
        """What has come; and, while the peer holds back, what has not left."""
        messages = 0 if self._connection is None else self._connection.messages_received
        return messages, self._reads, self.buffered() if self._full else None

    def reads(self) -> bool:
        """Whether this side reads what comes. A server that does not read because the peer does not either is answered
        by what leaves it.
        """
        return not self._behind

    def ping(self, payload: bytes) -> None:
        """Sends a ping, unless it would only wait behind what the peer does not read."""
        if self._open is not None and not self._full:
            self._write_raw(frame(PING, payload, self._is_client))

    def fell_silent(self, seconds: float) -> None:
        """Drops the socket."""
        why = f"WebSocket connection was lost: nothing has come for {seconds:g} s, no answer to a ping either"
        self._lost = self._ended(why)
        if self._transport is not None:
            self._transport.abort()

    def _stop_looking(self) -> None:
        if self._keepalive is not None:
            self._keepalive.stop()
            self._keepalive = None

    # ---- frames

    def _shake_hands(self, data: bytes) -> bytes:
        """Gives the engine what belongs to the handshake, and returns what comes behind it."""
        seen = self._head_end + data
        end = seen.find(_BLANK_LINE)
        head = len(data) if end < 0 else end + len(_BLANK_LINE) - len(self._head_end)
        self._head_end = seen[-len(_BLANK_LINE) + 1 :]
        rest = data[head:]
        self._engine.receive_data(data[:head])
        self._handshake(self._engine.events_received())
        if self._connection is None and rest:
            self._not_connected(rest)
            rest = b""
        self._write_engine_data()
        return rest

    def _not_connected(self, rest: bytes) -> None:
        """Takes what comes behind the head of a handshake that has not succeeded: the body of a refusal."""
        self._engine.receive_data(rest)
        self._handshake(self._engine.events_received())

    def _handshake(self, events: list[Event]) -> None:
        """Takes what the engine says of the handshake, and sets the connection if it succeeded."""
        raise NotImplementedError

    def _connect(self, connection: Connection) -> None:
        """The handshake is done."""
        if self._engine.subprotocol in ATTACHING:
            connection.session.attach_bytes()
        if self._engine.subprotocol in CARRYING:
            connection.session.carry_calls()
        self._connection = self._open = connection
        connection.tell_when_behind(self._hold_reading)
        connection.attach(self)
        if self._silence.keepalive is not None and self._open is not None:
            self._keepalive = Keepalive(self._silence.keepalive, asyncio.get_running_loop(), self)

    def _hold_reading(self, behind: bool) -> None:
        """Nothing more is read while something waits that has been: a peer that sends too much has to wait itself."""
        self._behind = behind
        self._read_or_not()

    def _read_or_not(self) -> None:
        """Reads what the peer sends, unless there is a reason not to."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._behind or self._unread:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _look_whether_closed(self) -> None:
        if self._engine.close_expected():
            self._expect_close()

    def _take_all(self, connection: Connection, messages: list[Message], frames: Iterable[tuple[int, bytes]]) -> None:
        """The same as when they came, in the session's turn."""
        self._take(connection, messages, frames)
        self._look_whether_closed()

    def _take(self, connection: Connection, messages: list[Message], frames: Iterable[tuple[int, bytes]]) -> None:
        """Takes messages, and the frames behind them."""
        frames = iter(frames)
        for first, data in frames:
            if first == TEXT and not self._attachments:
                messages.append(data)
            elif first:
                messages = self._take_whole(connection, first, data, messages)
            else:
                self._engine.receive_data(data)
                self._look_at_state()
                for event in self._engine.events_received():
                    messages = self._take_event(connection, cast(Frame, event), messages)
                if self._engine.parser_exc is not None:
                    messages = self._give_up(connection, self._engine.parser_exc, messages)
                self._write_engine_data()
                if connection.has_worked(WORK_PER_FRAME):
                    self._tell_unfinished(connection, anew=bool(messages))
                    connection.received(messages)
                    connection.in_order(partial(self._take_all, connection, [], frames))
                    return
        self._tell_unfinished(connection, anew=bool(messages))
        if messages:
            connection.received(messages)

    def _tell_unfinished(self, connection: Connection, *, anew: bool) -> None:
        """Counts parts of messages that have not come whole; too many of them end the session.

        Parameters:
            connection: the session's.
            anew: whether something has come whole since the last time.
        """
        size = self._reader.pending + len(self._fragments) + self._attached
        if not size and not self._unfinished:
            return
        self._unfinished = size
        if self._on_unfinished is not None:
            self._on_unfinished(size, anew)
        try:
            connection.session.held.set_unfinished(size)
        except LimitExceeded as error:
            connection.in_order(partial(connection.abort, error))

    def _stop_listening(self) -> None:
        """Gives up what has begun to arrive, and takes nothing more."""
        self._deaf = True
        self._reader = FrameReader(not self._is_client, self._max_size)
        self._fragments = bytearray()
        self._take_attachments()

    def _take_event(self, connection: Connection, frame: Frame, messages: list[Any]) -> list[Any]:
        """Takes a frame that the engine has parsed: a part of a message, or one that controls the connection. Our own
        end never sends parts, but what is between the ends may cut messages anew.

        Returns:
            The messages that have not been delivered.
        """
        if frame.opcode is Opcode.CLOSE:
            connection.received(messages)
            self._peer_closed(connection)
            return []
        if frame.opcode is Opcode.PING and self._full:
            # https://datatracker.ietf.org/doc/html/rfc6455#section-5.5.3: the last of them may be answered alone. A
            # peer that sends pings and does not read would have the answers pile up.
            self._engine.data_to_send()
            self._unanswered = bytes(frame.data)
        elif frame.opcode is Opcode.PONG and self._keepalive is not None:
            self._keepalive.pong(bytes(frame.data))
            connection.round_trip_time = self._keepalive.round_trip_time
        if frame.opcode is Opcode.BINARY and self._engine.subprotocol not in ATTACHING:
            return self._refuse_binary(connection, messages)  # not only once the rest of it has come
        if frame.opcode is Opcode.CONT:
            self._fragments += frame.data
            if frame.fin:
                whole, self._fragments = bytes(self._fragments), bytearray()
                return self._take_whole(connection, self._fragments_of, whole, messages)
        elif frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            self._fragments_of = TEXT if frame.opcode is Opcode.TEXT else BINARY
            self._fragments = bytearray(frame.data)
        return messages

    def _take_whole(self, connection: Connection, first: int, data: bytes, messages: list[Any]) -> list[Any]:
        """Takes a text, behind its attachments, or an attachment. Returns the messages that have not been delivered."""
        if first == TEXT:
            messages.append((data, *self._take_attachments()) if self._attachments else data)
        elif self._may_attach(data):
            self._attachments.append(data)
        else:
            return self._refuse_binary(connection, messages)
        return messages

    def _may_attach(self, data: bytes) -> bool:
        """Counts an attachment; whether it was agreed on and fits into what one message may have."""
        self._attached += len(data) + ATTACHMENT_COST
        return self._engine.subprotocol in ATTACHING and self._attached <= self._max_size

    def _take_attachments(self) -> list[bytes]:
        attachments, self._attachments, self._attached = self._attachments, [], 0
        return attachments

    def _refuse_binary(self, connection: Connection, messages: list[Any]) -> list[Any]:
        connection.received(messages)
        if self._engine.subprotocol not in ATTACHING:
            error: Exception = TypeError("Received a binary WebSocket frame; every message is one text frame.")
        else:
            error = LimitExceeded(f"Incoming attachments exceed maximum message size of {self._max_size} bytes.")
        connection.in_order(partial(connection.abort, error))
        self._take_attachments()
        return []

    def _peer_closed(self, connection: Connection) -> None:
        close = self._engine.close_rcvd
        if close is not None:
            why = f"Peer closed WebSocket: {close.code} {close.reason}".rstrip()
            error = self._ended(why, closed_with(close.code))
            error.code = close.code
            connection.in_order(partial(connection.abort, error, notify=False))

    def _ended(self, why: str, how: type[SessionClosed] = ConnectionLost) -> SessionClosed:
        """What a session ends with that the peer has ended."""
        return how(why)

    def _give_up(self, connection: Connection, error: Exception, messages: list[Any]) -> list[Any]:
        """Ends the session because the engine gave up on the peer, after the messages that came before. Returns those
        that have not been delivered.
        """
        if connection.session.closed:
            return messages
        if not isinstance(error, PayloadTooBig):
            connection.received(messages)
            broken = ProtocolError(f"Peer broke the WebSocket protocol: {error}")
            connection.in_order(partial(connection.abort, broken, notify=False))
            return []
        # The engine has queued a close frame with code 1009. A peer learns more from an abort message and the code of
        # all our aborts.
        self._engine.data_to_send()
        self._close_replaced = True
        connection.received(messages)
        connection.in_order(partial(self._refuse_too_long, connection))
        return []

    def _refuse_too_long(self, connection: Connection) -> None:
        connection.abort(
            LimitExceeded(f"Incoming message exceeds maximum size of {self._engine.max_message_size} bytes.")
        )
        connection.flush()

    # ---- bytes

    def _look_at_state(self) -> None:
        """Called whenever the engine may have gone on to the closing handshake."""
        if self._engine.state is not State.OPEN:
            self._open = None

    def _write_raw(self, data: bytes) -> None:
        if self._transport is not None and data:
            self._transport.write(data)

    def _write_engine_data(self) -> None:
        """Writes what the engine wants sent: handshakes, pongs, close frames, and the end of our half."""
        self._look_at_state()
        chunks = self._engine.data_to_send()
        if not chunks:
            return
        self._write_raw(b"".join(chunks))
        if not chunks[-1]:
            self._write_eof()

    def _write_eof(self) -> None:
        transport = self._transport
        if transport is None:
            return
        # Closing only our half lets the peer read what we sent even if it is still sending; TLS cannot do that.
        if transport.can_write_eof():
            with contextlib.suppress(OSError, RuntimeError):
                transport.write_eof()
            self._expect_close()
        else:
            transport.close()

    def _expect_close(self) -> None:
        if self._deadline is None and self._transport is not None:
            self._deadline = asyncio.get_running_loop().call_later(self._silence.close_timeout, self._transport.abort)
