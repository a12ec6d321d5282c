"""The server as a handler of an aiohttp application. Rule: the router says which paths lead here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Unpack

from aiohttp import HttpVersion11, WSMsgType, web

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost
from capnweb_runtime.mounts.mount import Mount, MountOptions, Mounts
from capnweb_runtime.mounts.socket_session import Closed, SocketSession
from capnweb_runtime.serving.admission import MainFactory
from capnweb_runtime.serving.bounds import ServerStats
from capnweb_runtime.serving.peer import Peer, Refuse, Transport, log_refusal, peer_of
from capnweb_runtime.serving.replies import Reply, refusal
from capnweb_runtime.transports.keepalive import Silence
from capnweb_runtime.transports.websocket import AGREEABLE

__all__ = ["CapnwebAiohttp"]


class CapnwebAiohttp:
    """Serves sessions over WebSocket and HTTP batch in an aiohttp application: `rpc.add_to(app, "/rpc")`.

    Parameters:
        main_factory: makes the main object of a new session, as that of `serve` does. Its `Peer` has the
            `aiohttp.web.Request` as `request`.
        transports: what is served: "websocket" and "http".
        keepalive: seconds between pings to the client of a WebSocket, which has half of that to answer each; None sends
            none.
        close_timeout: seconds for which closing waits for silent clients, and for async disposers.
        options: those of `serve` with the same name; `path` is None unless it is given, since the router has chosen.

    Raises:
        TypeError: as `serve` does.
        ValueError: as `serve` does; also if WebTransport is asked for.
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
        """Adds a route for every method, and those of `health`; and ends the sessions when the application shuts down:
        when it is told to stop by SIGINT or SIGTERM, before aiohttp hears of that, since it reads nothing any more from
        then on.

        Parameters:
            app: the application, which has not been started.
            path: of the route.
            grace: seconds that calls in progress have to end at shutdown; None means until they end.
        """
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
        """Answers one request, or carries one session: a handler."""
        mount = self._mounts.here()
        if "websocket" in request.headers.get("Upgrade", "").lower() and request.method == "GET":
            return await mount.carry(_serve_socket(mount, request))
        peer, at = _peer_of(request, "http")
        return _response(await mount.carry(mount.reply(request.method, peer, at, request.content.readany)))

    def stats(self) -> ServerStats:
        """How near the mount is to each of its bounds; on the event loop that it serves on."""
        return self._mounts.here().stats()

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Refuses new sessions and batches, with 503 and when to ask again; says goodbye to sessions without calls in
        progress at once, and to the others when these are answered; then does as `aclose`.

        Parameters:
            timeout: seconds to wait for the calls; None means until they end.
        """
        await self._mounts.here().drain(timeout)

    async def aclose(self) -> None:
        """Refuses new sessions, ends every session, cancels the calls in progress, and waits until all connections are
        closed, for `close_timeout` seconds at most.
        """
        await self._mounts.here().aclose()


class _Frames:
    """The frames of a WebSocket of aiohttp.

    Parameters:
        socket: the WebSocket.
    """

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def receive(self) -> str | bytes:
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
    sockets = request.transport
    peername = None if sockets is None else sockets.get_extra_info("peername")
    sockname = None if sockets is None else sockets.get_extra_info("sockname")
    at = str(sockname[0]) if isinstance(sockname, tuple) else None
    peer = peer_of(request.headers.items(), peername, request.raw_path, transport, secure=request.secure)
    return replace(peer, request=request), at


def _response(reply: Reply) -> web.Response:
    response = web.Response(status=reply.status, headers=reply.headers, body=reply.body)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        response.force_close()  # its body may not have been read
    return response
