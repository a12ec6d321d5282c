"""The server as an ASGI application, to be mounted in Starlette, FastAPI, Litestar or any other. Rule: it imports none
of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Final, Unpack
from urllib.parse import quote

from capnweb_runtime.mounts.asgi_sockets import Message, Receive, Scope, Send, serve_socket
from capnweb_runtime.mounts.mount import Mount, MountOptions, Mounts
from capnweb_runtime.serving.admission import MainFactory
from capnweb_runtime.serving.bounds import ServerStats
from capnweb_runtime.serving.peer import Peer, Transport, peer_of
from capnweb_runtime.serving.replies import Reply
from capnweb_runtime.transports.keepalive import Silence

__all__ = ["CapnwebASGI"]

_SECURE: Final = frozenset(("https", "wss"))
_IN_PATHS: Final = "/:@!$&'()*+,;=~"  # https://datatracker.ietf.org/doc/html/rfc3986#section-3.3


class _Gone(Exception):
    """The client of a request has gone away."""


class CapnwebASGI:
    """Serves sessions over WebSocket and HTTP batch as an ASGI application.

    Parameters:
        main_factory: makes the main object of a new session, as that of `serve` does. Its `Peer` has the scope as
            `request`, with the state of the application in it, and the path below the mount.
        transports: what is served: "websocket" and "http".
        close_timeout: seconds for which closing waits for silent clients, and for async disposers.
        options: those of `serve` with the same name. Pings are the server's, and so are the sockets: see
            `docs/mounts.md`.

    Raises:
        TypeError: as `serve` does.
        ValueError: as `serve` does; also if WebTransport is asked for.
    """

    def __init__(
        self,
        main_factory: MainFactory,
        *,
        transports: Iterable[Transport] = ("websocket", "http"),
        close_timeout: float = 10.0,
        **options: Unpack[MountOptions],
    ) -> None:
        self._mounts = Mounts(main_factory, transports, Silence(None, close_timeout), options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, carries one session, or takes part in the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        mount = self._mounts.here()
        peer, at = _peer_of(scope)
        if scope["type"] == "websocket":
            await mount.carry(serve_socket(mount, scope, peer, at, receive, send))
        elif scope["type"] == "http":
            reply = await mount.carry(_reply(mount, scope, peer, at, receive))
            if reply is not None:
                await _send_reply(reply, scope, send)
        else:
            raise ValueError(f"there is no ASGI scope of the type {scope['type']!r}, as far as is known here")

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

    def lifespan(
        self, app: object = None, *, grace: float | None = 5.0, signals: bool = True
    ) -> AbstractAsyncContextManager[None]:
        """Ends the sessions with the application, for its `lifespan`, or to be entered inside of one.

        Parameters:
            app: what frameworks hand over; not looked at.
            grace: seconds that calls in progress have to end; None means until they end.
            signals: whether SIGINT and SIGTERM end the sessions before the server hears of them, which would close the
                WebSockets at once. A second signal reaches it at once.
        """
        return self._lifespan(grace, signals)

    @asynccontextmanager
    async def _lifespan(self, grace: float | None, signals: bool) -> AsyncIterator[None]:
        async with self._mounts.here().living(grace, signals):
            yield

    async def _live(self, receive: Receive, send: Send) -> None:
        """The whole of the application is this mount."""
        await receive()
        async with self.lifespan():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _peer_of(scope: Scope) -> tuple[Peer, str | None]:
    """Who asks, and the address at which the request has arrived."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    path, root = scope["path"], scope.get("root_path", "").rstrip("/")
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :]
    target = f"{quote(path or '/', safe=_IN_PATHS)}?{scope.get('query_string', b'').decode('latin-1')}"
    client, server = scope.get("client"), scope.get("server")
    is_socket = scope["type"] == "websocket"
    peer = peer_of(
        headers,
        tuple(client) if client and client[0] else None,  # at a file some servers say that it is empty
        target,
        "websocket" if is_socket else "http",
        secure=scope.get("scheme", "http") in _SECURE,
    )
    return replace(peer, request=scope), None if server is None else str(server[0])


async def _reply(mount: Mount, scope: Scope, peer: Peer, at: str | None, receive: Receive) -> Reply | None:
    """The answer to a request; None if the client has gone away, which ends its batch."""
    body = _Body(receive)
    answering = asyncio.ensure_future(mount.reply(scope["method"], peer, at, body.chunk))
    try:
        with suppress(_Gone):
            return await body.unless_gone(answering)
        return None
    finally:
        answering.cancel()
        await asyncio.wait((answering,))


class _Body:
    """The body of a request, and the client behind it.

    Parameters:
        receive: as ASGI has it.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True
        self._whole = asyncio.Event()

    async def chunk(self) -> bytes:
        """The next piece; empty behind the last."""
        while self._more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            self._more = message.get("more_body", False)
            if message.get("body"):
                return bytes(message["body"])
        self._whole.set()
        return b""

    async def unless_gone(self, answering: asyncio.Future[Reply]) -> Reply:
        """Waits for the answer. Raises _Gone if the client goes away after its request is whole."""
        watching = asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait((answering, watching), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                return answering.result()
            raise _Gone
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await watching

    async def _gone(self) -> None:
        await self._whole.wait()
        message: Message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = await self._receive()


async def _send_reply(reply: Reply, scope: Scope, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    if reply.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    if reply.status >= HTTPStatus.BAD_REQUEST and scope.get("http_version", "1.1").startswith("1"):
        headers.append((b"connection", b"close"))  # its body may not have been read
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
