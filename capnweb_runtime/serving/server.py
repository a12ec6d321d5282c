"""A running server: a main object per session, over WebSocket and HTTP batch on one port. Rule: one session's failure
is never another's.

The first request of a connection decides how its messages travel. Only the path given is served, and only pages of
allowed origins are.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from capnweb_runtime.core.carrying import HEADER
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.serving.admission import Admission, Rules
from capnweb_runtime.serving.first_bytes import FirstBytes
from capnweb_runtime.serving.first_request import FirstRequest
from capnweb_runtime.serving.peer import SHUTDOWN, Peer, logger
from capnweb_runtime.serving.signals import stopped_by_signals
from capnweb_runtime.serving.websocket_server import WebSocketServer
from capnweb_runtime.transports.http_batch import BatchAnswer
from capnweb_runtime.transports.websocket import CLOSE_TIMEOUT

if TYPE_CHECKING:
    from capnweb_runtime.serving.http_server import BatchHttpServer


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen, as the parameters of `serve` say."""

    host: str | None
    port: int
    ssl: ssl_module.SSLContext | None


class Server:
    """A running server; made by `serve`.

    Attributes:
        port: port on which it listens.
        url: WebSocket URL, ws:// or wss://.
        http_url: URL for HTTP batches, http:// or https://.
    """

    def __init__(self, place: Place, rules: Rules) -> None:
        self._place = place
        self._rules = rules
        self._admission = Admission(rules)
        self._loop = asyncio.get_running_loop()
        self._listener: asyncio.Server | None = None
        self._http: BatchHttpServer | None = None
        self._closing = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        # Sockets that aiohttp does not look after, and what waits for the last of them to go.
        self._sockets: set[FirstBytes | FirstRequest | WebSocketServer] = set()
        self._no_socket: asyncio.Future[None] | None = None
        self.port = place.port
        self.url = ""
        self.http_url = ""

    async def wait_closed(self) -> None:
        """Waits until the server has been closed."""
        await asyncio.shield(self._closed)

    async def run_until_signal(self, *, grace: float | None = 5.0) -> None:
        """Serves until the process is told to stop, by Ctrl-C (SIGINT) or SIGTERM; then drains the server and returns.
        A second signal cancels the calls in progress, and a third one does what it does elsewhere. Returns, too, if
        the server is closed otherwise.

        Parameters:
            grace: seconds that calls in progress have to end; None means until they end.

        Raises:
            RuntimeError: this is not the main thread, the only one in which Python hands over signals.
        """
        await stopped_by_signals(self, grace)

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Stops accepting connections and batches, waits for the calls in progress to end, answers them, and closes.

        A call must not wait for this, since it would wait for itself; it may start it as a task.

        Parameters:
            timeout: seconds to wait for the calls; None means until they end.
        """
        self._stop_accepting()
        try:
            async with asyncio.timeout(timeout):
                await self._calls_to_end()
        except TimeoutError:
            calls = len(self._admission.calls)
            logger.warning("closing with %d calls in progress after waiting %s s for them", calls, timeout)
        await self.close()

    async def close(self) -> None:
        """Stops accepting, ends every session, cancels the calls in progress, and waits until all connections are
        closed and the async disposers of targets have ended; those that take longer than a connection may are
        cancelled.
        """
        self._stop_accepting()
        if self._closing:
            await self.wait_closed()
            return
        self._closing = True
        try:
            await self._admission.end_openings()
            for connection in tuple(self._admission.connections):
                connection.abort(SessionClosed(SHUTDOWN))
            for socket in tuple(self._sockets):
                if not isinstance(socket, WebSocketServer):
                    socket.abort()
            await self._cancel_calls()
            if self._http is not None:
                await self._http.close(CLOSE_TIMEOUT)
            await self._sockets_to_go()
            await self._disposers_to_end()
        finally:
            self._admission.end_threads()
            self._closed.set_result(None)

    # ---- start and end

    async def start(self) -> None:
        """Starts listening."""
        place = self._place
        self._listener = await self._listen(place.port)
        if len({socket.getsockname()[1] for socket in self._listener.sockets}) > 1:
            # Asked for any port, each address of the host got one of its own. The port of one is as good as free on the
            # others.
            port = self._listener.sockets[0].getsockname()[1]
            self._listener.close()
            self._listener = await self._listen(port)
        self.port = self._listener.sockets[0].getsockname()[1]
        host = {None: "localhost", "": "localhost", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)
        where = f"[{host}]:{self.port}" if ":" in str(host) else f"{host}:{self.port}"
        s = "" if place.ssl is None else "s"
        self.url = f"ws{s}://{where}{self._rules.path or '/'}"
        self.http_url = f"http{s}://{where}{self._rules.path or '/'}"
        logger.info("serving %s and %s", self.url, self.http_url)

    async def _listen(self, port: int) -> asyncio.Server:
        accepted = self._first_request if self._place.ssl is None else self._first_bytes
        return await self._loop.create_server(accepted, self._place.host, port)

    def _stop_accepting(self) -> None:
        self._admission.refusing = True
        if self._listener is not None:
            self._listener.close()

    async def _calls_to_end(self) -> None:
        while True:
            busy = [connection for connection in self._admission.connections if not connection.is_drained]
            if not busy and not self._admission.calls:
                return
            await asyncio.gather(*(connection.drained() for connection in busy), return_exceptions=True)
            if self._admission.calls:
                await asyncio.wait(self._admission.calls)

    async def _cancel_calls(self) -> None:
        """Cancels the calls in progress, except for one that is closing the server, and waits for their end."""
        own = {asyncio.current_task()}
        cancelled: set[asyncio.Task[Any]] = set()
        while calls := self._admission.calls - own:
            for call in calls - cancelled:
                call.cancel()
            cancelled |= calls
            await asyncio.wait(calls)

    async def _sockets_to_go(self) -> None:
        while self._sockets:
            self._no_socket = self._loop.create_future()
            await self._no_socket

    async def _disposers_to_end(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                while busy := [one for one in self._admission.connections if one.host.disposing]:
                    await busy[0].wait_closed()
        except TimeoutError:
            logger.warning("giving up disposers that took longer than %s s", CLOSE_TIMEOUT)
            for connection in self._admission.connections:
                connection.host.cancel_disposers()

    # ---- sockets

    def _socket_made(self, socket: FirstBytes | FirstRequest) -> None:
        self._sockets.add(socket)
        if self._closing:  # it was accepted before
            socket.abort()

    def _socket_gone(self, socket: FirstBytes | FirstRequest | WebSocketServer) -> None:
        self._sockets.discard(socket)
        if not self._sockets and self._no_socket is not None and not self._no_socket.done():
            self._no_socket.set_result(None)

    def _first_bytes(self) -> FirstBytes:
        assert self._place.ssl is not None
        return FirstBytes(
            self._first_request,
            self._place.ssl,
            timeout=self._rules.request_timeout,
            on_made=self._socket_made,
            on_gone=self._socket_gone,
        )

    def _first_request(self) -> FirstRequest:
        return FirstRequest(
            self._websocket_protocol,
            self._http_protocol,
            timeout=self._rules.request_timeout,
            on_made=self._socket_made,
            on_gone=self._socket_gone,
        )

    def _websocket_protocol(self) -> asyncio.Protocol:
        socket = WebSocketServer(self._admission.admit, self._rules.limits, self._socket_gone)
        self._sockets.add(socket)
        return socket

    def _http_protocol(self) -> asyncio.Protocol:
        if self._http is None:
            # aiohttp takes a quarter of a second to import and is of no use to a server that sees WebSockets only.
            from capnweb_runtime.serving.http_server import BatchHttpServer  # noqa: PLC0415

            self._http = BatchHttpServer(
                self._answer_batch,
                self._admission.check,
                body_limit=self._rules.limits.message_size,
                body_timeout=self._rules.request_timeout,
            )
        return self._http.protocol()

    async def _answer_batch(self, peer: Peer, body: bytes) -> tuple[int, bytes]:
        admitted = self._admission.admit(peer)
        connection = await admitted if isinstance(admitted, asyncio.Task) else admitted
        return await BatchAnswer(connection).answer(body, peer.headers.get(HEADER))
