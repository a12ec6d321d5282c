"""The server's end of a WebSocket. Rule: a client's start does not wait for it; what both ends do is in `websocket`.

Whether there is a session may take time to decide. The handshake's answer waits for that, and so does what a client
sends without waiting for the answer, within a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost, LimitExceeded
from capnweb_runtime.limits import Limits
from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.first_request import refuse_plainly
from capnweb_runtime.serving.peer import Peer, Refuse, log_refusal, logger, peer_on, shutting_down
from capnweb_runtime.transports import engine
from capnweb_runtime.transports.engine import Event, Request, Response, Subprotocol
from capnweb_runtime.transports.keepalive import DEFAULT_SILENCE, Silence
from capnweb_runtime.transports.websocket import AGREEABLE, TRY_AGAIN_LATER, WebSocketEnd

if TYPE_CHECKING:
    from capnweb_runtime.serving.forwarded import Forwarded

HELD_BYTES: Final = 64 * 1024
"""Bytes that are read before the handshake has been answered; more are left with the sender."""


def _select_subprotocol(_: engine.ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return next((one for one in AGREEABLE if one in offered), None)


class WebSocketServer(WebSocketEnd):
    """The server's end of one WebSocket.

    Parameters:
        admit: gives the connection for a peer, or a task that will give it; either may raise Refuse.
        limits: bounds of the session.
        on_lost: called with this object once the socket is gone.
        silence: how long the client may be silent.
        guest: the connection, as the bounds of the server know it.
        forwarded: proxies that are believed; None if none is.
    """

    def __init__(
        self,
        admit: Callable[[Peer], Connection | asyncio.Task[Connection]],
        limits: Limits,
        on_lost: Callable[[WebSocketServer], object],
        silence: Silence = DEFAULT_SILENCE,
        guest: Guest | None = None,
        forwarded: Forwarded | None = None,
    ) -> None:
        self._forwarded = forwarded
        self._server = engine.ServerProtocol(
            max_size=limits.message_size, select_subprotocol=_select_subprotocol, logger=engine.QUIET
        )
        super().__init__(self._server, limits.message_size, silence)
        self._admit = admit
        self._on_lost = on_lost
        self._guest = guest or Guest(Bounds())
        self._guest.on_end = self._end
        self._on_unfinished = self._guest.hold
        self._opening: asyncio.Task[Connection] | None = None
        self._held = bytearray()  # what came before the handshake was answered

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._opening is not None:
            self._opening.cancel()
        self._guest.left()
        self._on_lost(self)

    def pause_writing(self) -> None:
        super().pause_writing()
        # A peer that does not read its answers is not read from either: else it could make us hold answers without end.
        # Only servers do this; if both ends did, two full pipes would wait for each other.
        self._unread = True
        self._read_or_not()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread = False
        self._read_or_not()

    @property
    def connection(self) -> Connection | None:
        """The connection; None before the handshake, or if it failed."""
        return self._connection

    def abort(self) -> None:
        """Drops the socket without further ado."""
        if self._transport is not None:
            self._transport.abort()

    def _read_or_not(self) -> None:
        super()._read_or_not()
        self._guest.wait(self._behind or self._unread)

    def _end(self, status: HTTPStatus, text: str) -> None:
        """The connection has to go, whatever it is in the middle of."""
        connection, transport = self._connection, self._transport
        if transport is None or transport.is_closing():
            return
        if connection is None:
            refuse_plainly(transport, status, text)
        elif connection.session.closed:  # its peer goes on sending all the same
            transport.abort()
        else:
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                self._close_code = TRY_AGAIN_LATER
            self._stop_listening()
            connection.abort(LimitExceeded(text))
            connection.flush()
            self._write_eof()

    # ---- the handshake

    def _shake_hands(self, data: bytes) -> bytes:
        if self._opening is None:
            return super()._shake_hands(data)
        self._hold(data)
        return b""

    def _not_connected(self, rest: bytes) -> None:
        if self._opening is None:
            super()._not_connected(rest)
        else:
            self._hold(rest)

    def _hold(self, data: bytes) -> None:
        self._held += data
        self._guest.hold(len(self._held))
        if len(self._held) > HELD_BYTES and self._transport is not None:
            self._transport.pause_reading()

    def _handshake(self, events: list[Event]) -> None:
        request = events[0] if events else None
        if self._transport is None or not isinstance(request, Request):
            return
        response = self._server.accept(request)
        peer = peer_on(self._transport, request.headers.raw_items(), request.path, "websocket")
        if self._forwarded is not None:
            peer = self._forwarded.seen(peer)
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            logger.debug("no WebSocket for %s: %d %s", peer, response.status_code, response.reason_phrase)
            self._answer(response, None)
            return
        try:
            admitted = self._admit(peer)
        except Refuse as refused:
            self._refuse(peer, refused)
            return
        if isinstance(admitted, asyncio.Task):
            self._opening = admitted
            admitted.add_done_callback(lambda task: self._opened(peer, response, task))
        else:
            self._answer(response, admitted)

    def _opened(self, peer: Peer, response: Response, task: asyncio.Task[Connection]) -> None:
        self._opening = None
        failure = shutting_down() if task.cancelled() else task.exception()
        if self._transport is None:
            if failure is None:
                task.result().lost(ConnectionLost("the client went away before the session began"))
        elif failure is None:
            self._answer(response, task.result())
            held, self._held = bytes(self._held), bytearray()
            self._guest.hold(0)
            if held:
                self._transport.resume_reading()
                self.data_received(held)
        else:
            self._refuse(peer, failure if isinstance(failure, Refuse) else Refuse(HTTPStatus.INTERNAL_SERVER_ERROR))

    def _refuse(self, peer: Peer, refused: Refuse) -> None:
        log_refusal(peer, refused)
        response = self._server.reject(refused.status, f"{refused.text}\n" if refused.text else "")
        for name, value in refused.headers.items():
            if name in response.headers:  # the type of the text
                del response.headers[name]
            response.headers[name] = value
        self._answer(response, None)

    def _answer(self, response: Response, connection: Connection | None) -> None:
        self._server.send_response(response)
        self._write_engine_data()
        if connection is not None:
            self._connect(connection)
