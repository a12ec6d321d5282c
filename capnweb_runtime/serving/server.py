"""A running server: a main object per session, over WebSocket and HTTP batch on one port. Rule: one session's failure
is never another's.

The first request of a connection decides how its messages travel. Only the path given is served, and only pages of
allowed origins are.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import ssl as ssl_module
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.first_request import FirstRequest
from capnweb_runtime.serving.origin import check_origin
from capnweb_runtime.serving.peer import Peer, RefusedError
from capnweb_runtime.serving.websocket_server import WebSocketServer
from capnweb_runtime.transports.http_batch import BatchAnswer
from capnweb_runtime.transports.websocket import CLOSE_TIMEOUT

if TYPE_CHECKING:
    from capnweb_runtime.serving.http_server import BatchHttpServer

logger = logging.getLogger("capnweb_runtime")

_SHUTDOWN: Final = "The server is shutting down."


@dataclass(frozen=True, slots=True)
class Settings:
    """What `serve` was asked for, as its parameters say."""

    main_factory: Callable[[Peer], RpcTarget]
    host: str | None
    port: int
    path: str | None
    ssl: ssl_module.SSLContext | None
    origins: frozenset[str] | None
    limits: Limits
    observer: Observer | None
    request_timeout: float
    errors: Disclosure


class Server:
    """A running server; made by `serve`.

    Attributes:
        port: port on which it listens.
        url: WebSocket URL, ws:// or wss://.
        http_url: URL for HTTP batches, http:// or https://.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._listener: asyncio.Server | None = None
        self._http: BatchHttpServer | None = None
        self._refusing = False
        self._closing = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._connections: set[Connection] = set()
        self._calls: set[asyncio.Task[Any]] = set()
        # Sockets that aiohttp does not look after, and what waits for the last of them to go.
        self._sockets: set[FirstRequest | WebSocketServer] = set()
        self._no_socket: asyncio.Future[None] | None = None
        self.port = settings.port
        self.url = ""
        self.http_url = ""

    async def wait_closed(self) -> None:
        """Waits until the server has been closed."""
        await asyncio.shield(self._closed)

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
            logger.warning("closing with %d calls in progress after waiting %s s for them", len(self._calls), timeout)
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
            for connection in tuple(self._connections):
                connection.abort(SessionClosed(_SHUTDOWN))
            for socket in tuple(self._sockets):
                if isinstance(socket, FirstRequest):
                    socket.abort()
            await self._cancel_calls()
            if self._http is not None:
                await self._http.close(CLOSE_TIMEOUT)
            await self._sockets_to_go()
            await self._disposers_to_end()
        finally:
            self._closed.set_result(None)

    # ---- start and end

    async def start(self) -> None:
        """Starts listening."""
        settings = self._settings
        self._listener = await self._listen(settings.port)
        if len({socket.getsockname()[1] for socket in self._listener.sockets}) > 1:
            # Asked for any port, each address of the host got one of its own. The port of one is as good as free on the
            # others.
            port = self._listener.sockets[0].getsockname()[1]
            self._listener.close()
            self._listener = await self._listen(port)
        self.port = self._listener.sockets[0].getsockname()[1]
        host = {None: "localhost", "": "localhost", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(
            settings.host, settings.host
        )
        place = f"[{host}]:{self.port}" if ":" in str(host) else f"{host}:{self.port}"
        s = "" if settings.ssl is None else "s"
        self.url = f"ws{s}://{place}{settings.path or '/'}"
        self.http_url = f"http{s}://{place}{settings.path or '/'}"

    async def _listen(self, port: int) -> asyncio.Server:
        settings = self._settings
        tls: dict[str, Any] = {}
        if settings.ssl is not None:
            tls = {"ssl": settings.ssl, "ssl_handshake_timeout": settings.request_timeout}
        return await self._loop.create_server(self._first_request, settings.host, port, **tls)

    def _stop_accepting(self) -> None:
        self._refusing = True
        if self._listener is not None:
            self._listener.close()

    async def _calls_to_end(self) -> None:
        while True:
            busy = [connection for connection in self._connections if not connection.is_drained]
            if not busy and not self._calls:
                return
            await asyncio.gather(*(connection.drained() for connection in busy), return_exceptions=True)
            if self._calls:
                await asyncio.wait(self._calls)

    async def _cancel_calls(self) -> None:
        """Cancels the calls in progress, except for one that is closing the server, and waits for their end."""
        own = {asyncio.current_task()}
        cancelled: set[asyncio.Task[Any]] = set()
        while calls := self._calls - own:
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
                while busy := [one for one in self._connections if one.host.disposing]:
                    await busy[0].wait_closed()
        except TimeoutError:
            logger.warning("giving up disposers that took longer than %s s", CLOSE_TIMEOUT)
            for connection in self._connections:
                connection.host.cancel_disposers()

    def _socket_gone(self, socket: FirstRequest | WebSocketServer) -> None:
        self._sockets.discard(socket)
        if not self._sockets and self._no_socket is not None and not self._no_socket.done():
            self._no_socket.set_result(None)

    # ---- sessions

    def _first_request(self) -> FirstRequest:
        socket = FirstRequest(
            self._websocket_protocol,
            self._http_protocol,
            timeout=self._settings.request_timeout,
            on_gone=self._socket_gone,
        )
        self._sockets.add(socket)
        return socket

    def _websocket_protocol(self) -> asyncio.Protocol:
        socket = WebSocketServer(self._admit, self._settings.limits, self._socket_gone)
        self._sockets.add(socket)
        return socket

    def _http_protocol(self) -> asyncio.Protocol:
        if self._http is None:
            # aiohttp takes a quarter of a second to import and is of no use to a server that sees WebSockets only.
            from capnweb_runtime.serving.http_server import BatchHttpServer  # noqa: PLC0415

            self._http = BatchHttpServer(
                self._answer_batch,
                self._check,
                body_limit=self._settings.limits.message_size,
                body_timeout=self._settings.request_timeout,
            )
        return self._http.protocol()

    async def _answer_batch(self, peer: Peer, body: bytes) -> tuple[int, bytes]:
        return await BatchAnswer(self._admit(peer)).answer(body)

    def _check(self, peer: Peer) -> None:
        if self._settings.path is not None and peer.path != self._settings.path:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"Nothing is served at {peer.path}.")
        if self._refusing:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, _SHUTDOWN)
        check_origin(peer, self._settings.origins)

    def _admit(self, peer: Peer) -> Connection:
        """The connection of a new session, with a main object of its own. Raises RefusedError."""
        self._check(peer)
        # What the factory sets in its Context, every call of the session sees, and no other session does.
        context = contextvars.copy_context()
        try:
            connection = Connection(
                limits=self._settings.limits,
                observer=self._settings.observer,
                context=context,
                tasks=self._calls,
                errors=self._settings.errors,
            )
            connection.serve_main(context.run(self._main_factory, replace(peer, connection=connection)))
        except Exception as error:
            logger.exception("the main object for a session from %s could not be made", peer.address)
            raise RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "The session could not be started.") from error
        self._connections.add(connection)
        connection.when_closed(lambda: self._connections.discard(connection))
        return connection

    def _main_factory(self, peer: Peer) -> RpcTarget:
        main: Any = self._settings.main_factory(peer)  # the user's promise, which is checked here
        if isinstance(main, RpcTarget):
            return main
        if inspect.iscoroutine(main):
            main.close()
        raise TypeError(
            f"serve() needs a factory that returns a target; it returned {type(main).__name__}. "
            "Subclass the generated ...Target class, and do what has to be awaited in its methods."
        )
