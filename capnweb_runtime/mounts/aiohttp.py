"""The server as a handler of an aiohttp application. Rule: the router says which paths lead here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Unpack

from aiohttp import HttpVersion11, WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost
from capnweb_runtime.mounts.mount import Mount, MountOptions, Mounts
from capnweb_runtime.mounts.socket_session import Closed, SocketSession
from capnweb_runtime.observe import printable
from capnweb_runtime.serving.admission import MainFactory
from capnweb_runtime.serving.bounds import ServerStats
from capnweb_runtime.serving.peer import Peer, Refuse, Transport, log_refusal, logger, peer_on
from capnweb_runtime.serving.replies import Reply, refusal
from capnweb_runtime.serving.totals import ServerTotals
from capnweb_runtime.transports.keepalive import Silence
from capnweb_runtime.transports.websocket import AGREEABLE

__all__ = ["CapnwebAiohttp"]


class CapnwebAiohttp:
    """Serves sessions over WebSocket and HTTP batches at one path of an aiohttp application: `rpc.add_to(app, "/rpc")`.

    Parameters:
        main_factory: function that makes the main object of each session, as for `serve`. `Peer.request` is the
            `aiohttp.web.Request`.
        transports: what is served: "websocket" and "http".
        keepalive: seconds between pings to the client of a WebSocket, which has half of that time to answer each; None
            sends no pings.
        close_timeout: seconds that closing waits for silent clients, and for async `dispose` methods.
        options: options of `serve` with the same names and defaults, except that `path` is None, since aiohttp's router
            has chosen the path: origins, hosts, limits, observer, request_timeout, errors, threads, server_limits,
            cancel_lost, call_timeout, interceptors, debug, plans, reflection, health.

    Raises:
        TypeError: as `serve` does.
        ValueError: as `serve` does; also if `transports` has "webtransport".
    """

    def __init__(
        self,
        main_factory: MainFactory,
        *,
        transports: Iterable[Transport] = ("websocket", "http"),
        keepalive: float | None = 20.0,
        close_timeout: float = 10.0,
        **options: Unpack[MountOptions],
    ) -> None:
        options.setdefault("path", None)
        self._mounts = Mounts(main_factory, transports, Silence(keepalive, close_timeout), options)

    def add_to(self, app: web.Application, path: str, *, grace: float | None = 5.0) -> None:
        """Adds routes to an application: one for sessions, and those of `health`. The sessions are drained when the
        application shuts down: at SIGINT or SIGTERM that happens before aiohttp learns of the signal, since aiohttp
        reads nothing any more afterwards.

        Parameters:
            app: the application, which has not been started yet.
            path: path for sessions.
            grace: seconds that calls in progress have to end at shutdown; None means until they end.

        Raises:
            ValueError: `health` has the same path.
        """
        self._mounts.check_path(path)
        for each in (path, *self._mounts.pages):
            app.router.add_route("*", each, self.handle)

        async def living(_: web.Application) -> AsyncIterator[None]:
            # aiohttp reads nothing any more once it is told to stop, not even answers to callbacks.
            async with self._mounts.here().living(grace):
                yield

        async def on_shutdown(_: web.Application) -> None:
            await self.drain(grace)

        app.cleanup_ctx.append(living)
        app.on_shutdown.append(on_shutdown)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Handles a request, for routes of your own: answers one batch, or carries one session.

        Parameters:
            request: the request.

        Returns:
            The response, once the batch is answered or the session is over.
        """
        mount = self._mounts.here()
        if "websocket" in request.headers.get("Upgrade", "").lower() and request.method == "GET":
            return await mount.carry(_serve_socket(mount, request))
        peer, at = _peer_of(request, "http")
        return _response(await mount.carry(mount.reply(request.method, peer, at, partial(_chunk, request))))

    def stats(self) -> ServerStats:
        """Tells how near the mount is to each bound of its `ServerLimits`, and how often each was reached; see
        `Server.stats`. To be called on the event loop that the mount serves on, or in a thread without one.

        Raises:
            RuntimeError: no event loop runs here, and the mount serves on none yet, or on several.
        """
        return self._mounts.seen().stats()

    def totals(self) -> ServerTotals:
        """Counts what all sessions of the mount hold together, and how many were opened and refused. To be called where
        `stats` may be called.

        Raises:
            RuntimeError: as `stats` does.
        """
        return self._mounts.seen().totals()

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Ends the mount gracefully. New sessions and batches are refused, with status 503 and a Retry-After header;
        each session is ended when it has no calls in progress; then this does what `aclose` does.

        Parameters:
            timeout: seconds to wait for calls in progress; None means until they end.
        """
        await self._mounts.here().drain(timeout)

    async def aclose(self) -> None:
        """Ends the mount: refuses new sessions, ends every session, cancels calls in progress, and waits until all
        connections are closed, for `close_timeout` seconds at most.
        """
        await self._mounts.here().aclose()


async def _chunk(request: web.Request) -> bytes:
    """The next piece of a body; nobody reads how it is refused whose client is gone."""
    try:
        return await request.content.readany()
    except (OSError, HttpProcessingError, web.RequestPayloadError) as error:
        logger.debug("no body from %s: %s", request.remote, printable(str(error)))
        raise Refuse(HTTPStatus.BAD_REQUEST, "The body is not what its headers say.") from None


class _Frames:
    """The frames of a WebSocket of aiohttp.

    Parameters:
        socket: the WebSocket.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._reader: asyncio.Task[object] | None = None

    async def receive(self) -> str | bytes:
        self._reader = asyncio.current_task()
        message = await self._socket.receive()
        if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
            data: str | bytes = message.data
            return data
        raise Closed(self._socket.close_code, message.extra or "")

    async def send(self, data: bytes, *, text: bool) -> None:
        if text:
            await self._socket.send_str(data.decode("utf-8", "replace"))
        else:
            await self._socket.send_bytes(data)

    async def close(self, code: int, reason: str) -> None:
        if self._reader is not None:
            # While somebody else receives, aiohttp does not wait for the peer to close.
            self._reader.cancel()
            await asyncio.wait((self._reader,))
        await self._socket.close(code=code, message=reason.encode())


async def _serve_socket(mount: Mount, request: web.Request) -> web.StreamResponse:
    peer, at = _peer_of(request, "websocket")
    silence = mount.rules.silence
    socket = web.WebSocketResponse(
        protocols=AGREEABLE,
        heartbeat=silence.keepalive,
        timeout=silence.close_timeout,
        compress=False,
        max_msg_size=mount.rules.limits.message_size + 1,
    )
    try:
        if request.version < HttpVersion11:
            raise Refuse(HTTPStatus.BAD_REQUEST, "A WebSocket needs HTTP/1.1 or later.")
        admitted = mount.admit(peer, at)
        connection = await admitted if isinstance(admitted, asyncio.Task) else admitted
    except Refuse as refused:
        log_refusal(peer, refused)
        return _response(refusal(refused, {}))
    await _prepare(connection, socket, request)
    await SocketSession(_Frames(socket), connection, socket.ws_protocol, silence.close_timeout).run()
    return socket


async def _prepare(connection: Connection, socket: web.WebSocketResponse, request: web.Request) -> None:
    prepared = False
    try:
        await socket.prepare(request)
        prepared = True
    finally:
        if not prepared:
            connection.lost(ConnectionLost("there was no handshake"))


def _peer_of(request: web.Request, transport: Transport) -> tuple[Peer, str | None]:
    """Who asks, and the address at which the request has arrived."""
    sockname = None if request.transport is None else request.transport.get_extra_info("sockname")
    at = str(sockname[0]) if isinstance(sockname, tuple) else None
    peer = peer_on(request.transport, request.headers.items(), request.raw_path, transport)
    if peer.address is not None and request.remote not in {None, peer.address[0]}:
        # A middleware that trusts a proxy has said whose request it is: the socket and its certificate are the proxy's.
        peer = replace(peer, address=(str(request.remote), 0), certificate=None)
    return replace(peer, request=request, scheme=request.scheme), at


def _response(reply: Reply) -> web.Response:
    response = web.Response(status=reply.status, headers=reply.headers, body=reply.body)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        response.force_close()  # its body may not have been read
    return response
