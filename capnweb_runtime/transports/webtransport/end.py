"""What both ends of a session over WebTransport do. Rule: one stream that the client begins is the session, one line on
it is a message; whatever else comes is refused, and the session stays.

A session ends with the end of the stream, behind an abort message if there is one, and then the reason on the stream of
the request (https://datatracker.ietf.org/doc/html/draft-ietf-webtrans-http3, "Session Termination"). The two may arrive
in either order, and a browser that sees the reason first drops the stream: so the reason waits until the peer has
ended its half, or for a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aioquic.h3.connection import ErrorCode
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import (
    ConnectionTerminated,
    ProtocolNegotiated,
    QuicEvent,
    StopSendingReceived,
    StreamDataReceived,
    StreamReset,
)

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost, LimitExceeded, ProtocolError, SessionClosed
from capnweb_runtime.observe import logger_named, printable
from capnweb_runtime.transports.ends import GOODBYE, closed_with, code_for
from capnweb_runtime.transports.keepalive import Silence
from capnweb_runtime.transports.websocket import ATTACHING, CARRYING, close_reason
from capnweb_runtime.transports.webtransport.capsules import CapsuleError, Capsules, Closed, close_session
from capnweb_runtime.transports.webtransport.lines import AttachingLines, Lines, Reader, written
from capnweb_runtime.transports.webtransport.quic import Http3, Protocol, Streams

logger: Final = logger_named("capnweb_runtime.webtransport")

HIGH_WATER: Final = 256 * 1024
"""Bytes that the peer has not acknowledged beyond which nothing more is written."""
LOW_WATER: Final = 64 * 1024
"""Bytes that the peer has not acknowledged below which writing goes on."""
REASON_DELAY: Final = 1.0
"""Seconds that the reason of a close waits for the peer to end its half of the stream."""
SESSION_GONE: Final = 0x170D7B68
"""Error code of the draft for streams whose session has ended."""
NO_SESSION: Final = 0x3994BD84
"""Error code of the draft for streams of a session that there is not."""


class _Wire:
    """Where the connection of a session writes to.

    Parameters:
        end: the end that it belongs to.
    """

    def __init__(self, end: WebTransportEnd) -> None:
        self._end = end

    def write(self, messages: list[Any]) -> None:
        self._end.write_lines(messages)

    def close(self, reason: BaseException) -> None:
        self._end.end_session(reason)

    def buffered(self) -> int:
        return self._end.unacknowledged


class WebTransportEnd(Protocol):
    """One end of a QUIC connection with one session.

    Parameters:
        quic: the connection.
        longest: bytes that a message may have.
        silence: how long the peer may be silent.
    """

    def __init__(self, quic: QuicConnection, longest: int, silence: Silence) -> None:
        super().__init__(quic)
        self._silence = silence
        self._streams = Streams(quic)
        self._http: Http3 | None = None
        self._connection: Connection | None = None
        self._request_id: int | None = None  # the stream of the request that began the session
        self._stream_id: int | None = None  # the stream of its messages
        self._longest = longest
        self._lines: Reader = Lines(longest)
        self._on_unfinished: Callable[[int, bool], object] | None = None  # told of bytes of what has not come whole
        self._capsules = Capsules()
        self._full = False
        self._finished = False  # our half of the stream
        self._said = False  # what is last said on the request's stream
        self._closing = False  # by us
        self._gone = False
        self._timer_of_end: asyncio.TimerHandle | None = None
        self._pinging: asyncio.TimerHandle | None = None
        self._reason: tuple[int, str] | None = None  # still to be sent
        self._close_code: int | None = None  # in place of what follows from the reason

    # ---- called by aioquic, and by the loop

    def quic_event_received(self, event: QuicEvent) -> None:
        """Takes what has happened on the connection."""
        if isinstance(event, StreamDataReceived) and self._is_own(event.stream_id):
            self._stream_data(event.data, event.end_stream)
            return
        if isinstance(event, ProtocolNegotiated):
            self._http = Http3(self.quic)
        elif isinstance(event, ConnectionTerminated):
            self._terminated(event)
        elif isinstance(event, (StreamReset, StopSendingReceived)):
            self._stream_broken(event.stream_id, event.error_code)
        if self._http is not None:
            for happened in self._http.handle_event(event):
                self._http_event(happened)

    def failed(self, error: Exception) -> None:
        """The connection cannot go on: a packet has made aioquic, or what takes its events, fail."""
        logger.debug("a WebTransport connection failed", exc_info=error)
        self._lose(self._ended(f"WebTransport connection failed: {printable(str(error)) or type(error).__name__}"))
        self.close_quic(ErrorCode.H3_INTERNAL_ERROR)

    def transmit(self) -> None:
        """Sends what waits; then there may be room again."""
        super().transmit()
        if self._full and self.unacknowledged < LOW_WATER:
            self._full = False
            if self._connection is not None:
                self._connection.resume_writing()

    # ---- for the wire

    def write_lines(self, messages: list[Any]) -> None:
        """Sends each message as one line, behind its byte strings where that was agreed."""
        if self._stream_id is None or self._finished or self._gone:
            return
        self.quic.send_stream_data(self._stream_id, written(messages))
        self.send_soon()
        if not self._full and self._connection is not None and self.unacknowledged > HIGH_WATER:
            self._full = True
            self._connection.pause_writing()

    def end_session(self, reason: BaseException) -> None:
        """Ends our half of the stream; the reason follows."""
        if self._closing or self._gone:
            return
        self._closing = True
        told = reason if self._connection is None else self._connection.session.told
        self._reason = (self._close_code or code_for(reason), close_reason(told))
        self._finish()
        self._end_after(min(REASON_DELAY, self._silence.close_timeout), self._say_reason)

    @property
    def unacknowledged(self) -> int:
        """Bytes written that the peer has not acknowledged."""
        return 0 if self._stream_id is None else self._streams.unsent(self._stream_id)

    # ---- for the two ends

    def _is_own(self, stream_id: int) -> bool:
        """Whether the stream is one that we began, and aioquic does not know what is on it."""
        return False

    def _headers_received(self, headers: HeadersReceived) -> None:
        raise NotImplementedError

    def _body_received(self, data: bytes, ended: bool) -> None:
        """Takes what came behind the headers of a request, or an answer, that has begun no session."""

    def _ended(self, why: str, how: type[SessionClosed] = ConnectionLost) -> SessionClosed:
        """What a session ends with that the peer has ended."""
        return how(why)

    def _begin(self, connection: Connection, agreed: str | None) -> None:
        """The session has begun.

        Parameters:
            connection: what drives it.
            agreed: on what the ends have agreed beyond the protocol, see `agreeing`; None if on nothing.
        """
        self._connection = connection
        if agreed in ATTACHING:
            connection.session.attach_bytes()
            self._lines = AttachingLines(self._longest)
        if agreed in CARRYING:
            connection.session.carry_calls()
        connection.tell_when_behind(self._hold_reading)
        connection.attach(_Wire(self))
        self._ping_later()

    # ---- the request's stream

    def _http_event(self, event: H3Event) -> None:
        if isinstance(event, HeadersReceived):
            self._headers_received(event)
        elif isinstance(event, DataReceived):
            if event.stream_id != self._request_id:
                return
            if self._connection is None:
                self._body_received(event.data, event.stream_ended)
            else:
                self._capsule_data(event.data, event.stream_ended)
        elif isinstance(event, WebTransportStreamDataReceived):
            self._other_data(event)

    def _capsule_data(self, data: bytes, ended: bool) -> None:
        try:
            for capsule in self._capsules.feed(data):
                if isinstance(capsule, Closed):
                    why = f"{capsule.code} {printable(capsule.reason)}".rstrip()
                    self._peer_closed(why, closed_with(capsule.code), capsule.code)
        except CapsuleError as error:
            self._broke(str(error))
        if ended:
            self._peer_closed("it ended the request", SessionClosed)

    def _peer_closed(self, why: str, how: type[SessionClosed], code: int | None = None) -> None:
        """The peer has said that the session is over."""
        error = self._ended(f"Peer closed WebTransport: {why}", how)
        error.code = code
        self._lose(error)
        self._finish()
        knows = self._said
        self._end_request(b"")
        self._leave(knows)

    def _leave(self, knows: bool) -> None:
        """The session is over for both ends, and the connection with it.

        Parameters:
            knows: whether the peer has answered what was last said here.
        """
        self._loop.call_soon(self.close_quic)  # once that has been sent

    # ---- the session's stream

    def _other_data(self, event: WebTransportStreamDataReceived) -> None:
        """Data of a stream that the peer has begun."""
        if event.stream_id == self._request_id or event.session_id != self._request_id or self._connection is None:
            self._refuse_stream(event.stream_id, NO_SESSION)
        elif self._stream_id is None and self._may_be_session(event.stream_id):
            self._stream_id = event.stream_id
            self._connection.resume_writing()
            self._stream_data(event.data, event.stream_ended)
        elif event.stream_id == self._stream_id:
            self._stream_data(event.data, event.stream_ended)
        else:
            self._refuse_stream(event.stream_id, SESSION_GONE)

    def _may_be_session(self, stream_id: int) -> bool:
        """Whether the messages may travel on a stream that the peer began: on one of both directions, at a server."""
        return False

    def _refuse_stream(self, stream_id: int, code: int) -> None:
        if stream_id == self._request_id:
            self._broke("it sent a stream's signal on the stream of its request")
            return
        self.quic.stop_stream(stream_id, code)
        if not stream_id & 2:  # of both directions
            self.quic.reset_stream(stream_id, code)

    def _stream_data(self, data: bytes, ended: bool) -> None:
        connection = self._connection
        if connection is None or self._gone:
            return
        if self._closing:  # nothing that comes is of interest any more but the end
            if ended:
                self._say_reason()
            return
        lines, wrong = self._lines.feed(data)
        if lines:
            connection.received(lines)
        unfinished = self._lines.unfinished
        if self._on_unfinished is not None:
            self._on_unfinished(unfinished, bool(lines))
        try:
            connection.session.held.set_unfinished(unfinished)
        except LimitExceeded as error:
            wrong = error
        if wrong is not None:
            connection.in_order(lambda: self._abort(wrong))
        elif ended:
            connection.in_order(self._stream_ended)

    def _abort(self, error: BaseException) -> None:
        if self._connection is not None:
            self._connection.abort(error)
            self._connection.flush()

    def _stream_ended(self) -> None:
        """The peer has ended its half of the stream: it says no more there, and the reason follows."""
        if self._closing:
            self._say_reason()
        elif self._lines.unfinished:
            self._broke("its stream ended in the middle of a message")
        else:
            self._finish()
            self._end_after(REASON_DELAY, self._no_reason)

    def _no_reason(self) -> None:
        self._lose(self._ended("Peer ended the WebTransport stream", SessionClosed))
        self._say(GOODBYE, "")

    def _stream_broken(self, stream_id: int, code: int) -> None:
        if stream_id in {self._stream_id, self._request_id} and not self._gone:
            self._peer_closed(f"it reset a stream with code {code:#x}", ConnectionLost)

    def _broke(self, how: str) -> None:
        self._lose(ProtocolError(f"Peer broke the WebTransport protocol: {how}"))
        self.close_quic(ErrorCode.H3_MESSAGE_ERROR, how)

    # ---- ends

    def _finish(self) -> None:
        """Ends our half of the stream."""
        if self._stream_id is not None and not self._finished and not self._gone:
            self._finished = True
            self.quic.send_stream_data(self._stream_id, b"", end_stream=True)
            self.send_soon()

    def _say_reason(self) -> None:
        if self._reason is not None:
            code, text = self._reason
            self._reason = None
            self._say(code, text)

    def _say(self, code: int, text: str) -> None:
        """Closes the session on the request's stream, and the connection when the peer has done so or takes long."""
        self._end_request(close_session(code, text))
        self._end_after(self._silence.close_timeout, self.close_quic)

    def _end_request(self, last: bytes) -> None:
        """Ends our half of the request's stream, with what is last said there."""
        self._tell(last, ends=True)

    def _tell(self, capsule: bytes, *, ends: bool = False) -> None:
        """Says something about the session on the request's stream, unless that has ended."""
        if self._http is not None and self._request_id is not None and not self._said and not self._gone:
            self._said = ends
            self._http.send_data(self._request_id, capsule, end_stream=ends)
            self.send_soon()

    def close_quic(self, code: int = ErrorCode.H3_NO_ERROR, reason: str = "") -> None:
        """Closes the connection at once."""
        if not self._gone:
            self._gone = True
            self._cancel_timers()
            self.close(code, reason)
            self._lose(self._ended("the WebTransport session was closed", SessionClosed))
            self._over()

    def _over(self) -> None:
        """The connection has ended."""

    def _terminated(self, event: ConnectionTerminated) -> None:
        if self._gone:
            return
        self._gone = True
        self._cancel_timers()
        why = printable(event.reason_phrase) or f"code {event.error_code:#x}"
        self._lose(self._ended(f"WebTransport connection was lost: {why}"))
        self._over()

    def _lose(self, error: Exception) -> None:
        if self._connection is not None:
            self._connection.lost(error)

    def _end_after(self, seconds: float, then: Callable[[], object]) -> None:
        if self._timer_of_end is not None:
            self._timer_of_end.cancel()
        self._timer_of_end = self._loop.call_later(seconds, then)

    def _cancel_end(self) -> None:
        if self._timer_of_end is not None:
            self._timer_of_end.cancel()
            self._timer_of_end = None

    def _cancel_timers(self) -> None:
        for timer in (self._timer_of_end, self._pinging):
            if timer is not None:
                timer.cancel()

    # ---- flow

    def _hold_reading(self, behind: bool) -> None:
        """The peer's messages stay with the peer, but for a window, while something waits that has been received."""
        if self._stream_id is not None:
            self._streams.hold(self._stream_id, behind)
            self.send_soon()

    def _ping_later(self) -> None:
        if self._silence.keepalive is not None:
            self._pinging = self._loop.call_later(self._silence.keepalive, self._ping)

    def _ping(self) -> None:
        self.quic.send_ping(0)
        self.send_soon()
        self._ping_later()
