"""The server's end of a WebSocket. Rule: a client's start does not wait for it; what both ends do is in `websocket`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.limits import Limits
from capnweb_runtime.serving.peer import Peer, RefusedError, peer_of
from capnweb_runtime.transports import engine
from capnweb_runtime.transports.engine import Event, Request, Subprotocol
from capnweb_runtime.transports.websocket import WITH_ATTACHMENTS, WebSocketEnd


def _select_subprotocol(_: engine.ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return WITH_ATTACHMENTS if WITH_ATTACHMENTS in offered else None


class WebSocketServer(WebSocketEnd):
    """The server's end of one WebSocket.

    Parameters:
        admit: gives the connection for a peer, or raises RefusedError.
        limits: bounds of the session.
        on_lost: called with this object once the socket is gone.
    """

    def __init__(
        self, admit: Callable[[Peer], Connection], limits: Limits, on_lost: Callable[[WebSocketServer], object]
    ) -> None:
        server = engine.ServerProtocol(max_size=limits.message_size, select_subprotocol=_select_subprotocol)
        super().__init__(server, limits.message_size)
        self._admit = admit
        self._on_lost = on_lost

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
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

    def _handshake(self, events: list[Event]) -> None:
        request = events[0] if events else None
        if self._transport is None or not isinstance(request, Request):
            return
        if not isinstance(self._engine, engine.ServerProtocol):
            return
        response = self._engine.accept(request)
        connection: Connection | None = None
        if response.status_code == 101:
            peername = self._transport.get_extra_info("peername")
            try:
                connection = self._admit(peer_of(request.headers.raw_items(), peername, request.path, "websocket"))
            except RefusedError as refused:
                response = self._engine.reject(refused.status, refused.text + "\n")
        self._engine.send_response(response)
        self._write_engine_data()
        if connection is not None:
            self._connect(connection)
