"""The server's end of sessions over WebTransport. Rule: nothing imports this module unless a server is asked for it.

A QUIC connection has one session. Its request is checked as one for a WebSocket is: path, origin, and what the
application's factory says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aioquic.h3.events import HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import QuicEvent

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import LimitExceeded, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.certificate import Certificate
from capnweb_runtime.serving.peer import Peer, Refuse, log_refusal, peer_of, shutting_down
from capnweb_runtime.serving.refusals import Busy
from capnweb_runtime.transports.keepalive import Silence
from capnweb_runtime.transports.websocket import TRY_AGAIN_LATER
from capnweb_runtime.transports.webtransport.agreeing import choice, chosen_of
from capnweb_runtime.transports.webtransport.capsules import drain_session
from capnweb_runtime.transports.webtransport.end import REASON_DELAY, WebTransportEnd
from capnweb_runtime.transports.webtransport.quic import Listener, NoRoom, configuration

CONNECTIONS: Final = 1000
"""How many QUIC connections a server has at most, whatever its bounds; who comes beyond them is not answered."""
_PROTOCOLS: Final = frozenset((b"webtransport", b"webtransport-h3"))  # of the drafts up to 14, and since
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")

Admit = Callable[[Peer], Connection | asyncio.Task[Connection]]


class WebTransportServer:
    """Listens for QUIC connections at one address.

    Parameters:
        admit: gives the connection for a peer, or a task that will give it; either may raise Refuse.
        certificate: of the server.
        limits: bounds of each session.
        timeout: seconds that a client has for the handshake and the request.
        silence: how long a client may be silent.
        bounds: of the server; by default there are those of one alone.

    Attributes:
        address: where it listens.
    """

    def __init__(
        self,
        admit: Admit,
        certificate: Certificate,
        limits: Limits,
        timeout: float,
        silence: Silence,
        bounds: Bounds | None = None,
    ) -> None:
        self._admit = admit
        self._limits = limits
        self._timeout = timeout
        self._silence = silence
        self._bounds = bounds or Bounds()
        self._settings = configuration(is_client=False, keepalive=silence.keepalive)
        # In one file aioquic finds a key only behind the certificates, and only one that is not encrypted.
        key = certificate.chain if certificate.key is None else certificate.key
        self._settings.load_cert_chain(certificate.chain, key, certificate.password)
        self._listener: Listener | None = None
        self.address = ""

    async def listen(self, host: str | None, port: int, *, shared: bool = False) -> int:
        """Begins to listen.

        Parameters:
            host: the address; None means every one.
            port: the port; 0 means any.
            shared: whether other processes may listen there, too.

        Returns:
            The port.

        Raises:
            OSError: that cannot be had.
        """
        transport, self._listener = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Listener(self._settings, self._accepted, CONNECTIONS),
            local_addr=(host or "::", port),
            reuse_port=True if shared else None,
        )
        self.address, bound = transport.get_extra_info("sockname")[:2]
        return int(bound)

    def stop_accepting(self) -> None:
        """Lets nobody in any more."""
        if self._listener is not None:
            self._listener.most = 0

    def ask_to_end(self) -> None:
        """Tells every client that its session is to end soon; it may go on until it has ended."""
        for one in self._open_ones():
            one.ask_to_end()

    async def close(self, timeout: float) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Waits until every connection is closed; those that take longer are closed without an answer.

        Parameters:
            timeout: seconds to wait.
        """
        listener = self._listener
        if listener is None:
            return
        open_ones = self._open_ones()
        for one in open_ones:
            one.close_if_idle()
        if open_ones:
            waiting = [asyncio.ensure_future(one.wait_closed()) for one in open_ones]
            _, late = await asyncio.wait(waiting, timeout=timeout)
            for task in late:
                task.cancel()
        await listener.release()

    def _open_ones(self) -> list[WebTransportServerEnd]:
        protocols = () if self._listener is None else self._listener.protocols
        return [protocol for protocol in protocols if isinstance(protocol, WebTransportServerEnd)]

    def _accepted(self, quic: QuicConnection, address: object) -> WebTransportServerEnd:
        guest = Guest(self._bounds)
        guest.came_from(address)
        if guest.at_once:  # an answer would take a handshake
            guest.left()
            raise NoRoom
        return WebTransportServerEnd(quic, guest, self._admit, self._limits, self._timeout, self._silence)


class WebTransportServerEnd(WebTransportEnd):
    """The server's end of one QUIC connection.

    Parameters:
        quic: the connection.
        guest: the same, as the bounds of the server know it.
        admit: see `WebTransportServer`.
        limits: bounds of the session.
        timeout: seconds until there has to be a session.
        silence: how long the client may be silent.
    """

    def __init__(
        self, quic: QuicConnection, guest: Guest, admit: Admit, limits: Limits, timeout: float, silence: Silence
    ) -> None:
        super().__init__(quic, limits.message_size, silence)
        self._guest = guest
        guest.on_end = self._end
        self._on_unfinished = guest.hold
        self._admit = admit
        self._opening: asyncio.Task[Connection] | None = None
        self._agreed: str | None = None  # on what the client and this end agree
        self._early: list[WebTransportStreamDataReceived] = []
        self._leaving = False  # the client has some time to close the connection itself
        self._end_after(guest.patience(timeout), self.close_quic)

    def ask_to_end(self) -> None:
        """Tells the client that its session, if there is one, is to end soon."""
        if self._connection is not None:
            self._tell(drain_session())

    def close_if_idle(self) -> None:
        """Closes the connection if it has no session."""
        if self._connection is None:
            self.close_quic()

    def quic_event_received(self, event: QuicEvent) -> None:
        """Takes what has happened on the connection."""
        super().quic_event_received(event)
        if self._gone and self._opening is not None:
            self._opening.cancel()

    def _over(self) -> None:
        self._guest.left()

    def _leave(self, knows: bool) -> None:
        if not knows:
            super()._leave(knows)
        elif not self._leaving:
            self._leaving = True
            # Chromium, which leaves this to us, may still have to tell its page the reason: it would say that the
            # connection was lost if it heard of that first.
            self._end_after(min(REASON_DELAY, self._silence.close_timeout), self.close_quic)

    def _hold_reading(self, behind: bool) -> None:
        super()._hold_reading(behind)
        self._guest.wait(behind)

    def _end(self, status: HTTPStatus, text: str) -> None:
        """The connection has to go, whatever it is in the middle of."""
        connection = self._connection
        if connection is None or connection.session.closed:
            self.close_quic()
            return
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self._close_code = TRY_AGAIN_LATER
        connection.abort(LimitExceeded(text))
        connection.flush()

    # ---- the request

    def _headers_received(self, headers: HeadersReceived) -> None:
        fields = dict(headers.headers)
        stream_id = headers.stream_id
        if stream_id == self._request_id:
            return  # trailers
        if fields.get(b":method") != b"CONNECT" or fields.get(b":protocol") not in _PROTOCOLS:
            refused = Refuse(HTTPStatus.NOT_IMPLEMENTED, "Only WebTransport sessions are served over HTTP/3.")
            self._refuse(stream_id, refused)
        elif self._guest.refused:
            self._refuse(stream_id, Busy())
        elif self._request_id is not None:
            self._refuse(stream_id, Refuse(HTTPStatus.TOO_MANY_REQUESTS, "A connection has one session."))
        else:
            self._request_id = stream_id
            self._agreed = chosen_of(headers.headers)
            self._ask(stream_id, _peer_of(headers, fields, self._streams.address()))

    def _ask(self, stream_id: int, peer: Peer) -> None:
        try:
            admitted = self._admit(peer)
        except Refuse as refused:
            log_refusal(peer, refused)
            self._refuse(stream_id, refused)
            return
        if isinstance(admitted, asyncio.Task):
            self._opening = admitted
            admitted.add_done_callback(lambda task: self._opened(peer, task))
        else:
            self._accept(admitted)

    def _opened(self, peer: Peer, task: asyncio.Task[Connection]) -> None:
        self._opening = None
        failure = shutting_down() if task.cancelled() else task.exception()
        if failure is None:
            connection = task.result()
            if self._gone:
                connection.lost(SessionClosed("the client went away before the session began"))
            else:
                self._accept(connection)
        elif self._request_id is not None and not self._gone:
            refused = failure if isinstance(failure, Refuse) else Refuse(HTTPStatus.INTERNAL_SERVER_ERROR)
            log_refusal(peer, refused)
            self._refuse(self._request_id, refused)

    def _accept(self, connection: Connection) -> None:
        assert self._http is not None
        assert self._request_id is not None
        self._cancel_end()
        answer = [(b":status", b"200"), (b"sec-webtransport-http3-draft", b"draft02")]
        if self._agreed is not None:
            answer.append(choice(self._agreed))
        self._http.send_headers(self._request_id, answer)
        self.send_soon()
        self._begin(connection, self._agreed)
        early, self._early = self._early, []
        for event in early:
            self._streams.hold(event.stream_id, False)
            self._other_data(event)

    def _refuse(self, stream_id: int, refused: Refuse) -> None:
        if stream_id == self._request_id:
            self._request_id = None  # another may follow
        if self._http is None or self._gone:
            return
        more = [(name.lower().encode(), value.encode()) for name, value in refused.headers.items()]
        text = f"{refused.text}\n".encode() if refused.text else b""
        self._http.send_headers(stream_id, [(b":status", b"%d" % refused.status), _TEXT, *more])
        self._http.send_data(stream_id, text, end_stream=True)
        self.send_soon()

    # ---- streams

    def _may_be_session(self, stream_id: int) -> bool:
        return not stream_id & 3  # of both directions, and begun by the client

    def _other_data(self, event: WebTransportStreamDataReceived) -> None:
        if self._opening is not None and event.session_id == self._request_id:
            # A client need not wait for the answer. What it says meanwhile stays within the window.
            self._streams.hold(event.stream_id, True)
            self._early.append(event)
        else:
            super()._other_data(event)


def _peer_of(headers: HeadersReceived, fields: dict[bytes, bytes], address: tuple[str, int] | None) -> Peer:
    plain = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.headers if name[:1] != b":"]
    host = fields.get(b":authority", b"").decode("latin-1")
    path = fields.get(b":path", b"/").decode("latin-1")
    # As over HTTP/1.1, where the same is a header.
    named = [("Host", host), *((name, value) for name, value in plain if name != "host")]
    return peer_of(named, address, path, "webtransport", secure=True)
