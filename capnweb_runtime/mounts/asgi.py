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
from capnweb_runtime.serving.totals import ServerTotals
from capnweb_runtime.transports.keepalive import Silence

__all__ = ["CapnwebASGI"]

_SECURE: Final = frozenset(("https", "wss"))
_IN_PATHS: Final = "/:@!$&'()*+,;=~"  # https://datatracker.ietf.org/doc/html/rfc3986#section-3.3


class _Gone(Exception):
    """The client of a request has gone away."""


class CapnwebASGI:
    """Serves sessions over WebSocket and HTTP batches as an ASGI application, to be mounted in one of Starlette,
    FastAPI or Litestar, or run by itself.

    Parameters:
        main_factory: function that makes the main object of each session, as for `serve`. `Peer.request` is the scope,
            with the state of the application in it, and `Peer.path` is the path below the mount.
        transports: what is served: "websocket" and "http".
        close_timeout: seconds that closing waits for silent clients, and for async `dispose` methods.
        options: options of `serve` with the same names and defaults: path, origins, hosts, limits, observer,
            request_timeout, errors, threads, server_limits, cancel_lost, call_timeout, interceptors, debug, plans,
            reflection, health. Sockets and pings are those of the ASGI server; see `docs/mounts.md`.

    Raises:
        TypeError: as `serve` does.
        ValueError: as `serve` does; also if `transports` has "webtransport".
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
        """The ASGI application: answers one batch, carries one session, or takes part in the start and end of the ASGI
        server.

        Parameters:
            scope: of ASGI.
            receive: of ASGI.
            send: of ASGI.
        """
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

    def lifespan(
        self, app: object = None, *, grace: float | None = 5.0, signals: bool = True
    ) -> AbstractAsyncContextManager[None]:
        """Drains the sessions when the application ends: to be given to a framework, as in `Starlette(...,
        lifespan=rpc.lifespan)`, or to be entered in a lifespan of your own.

        Parameters:
            app: the application, as frameworks pass it; not used.
            grace: seconds that calls in progress have to end; None means until they end.
            signals: True drains the sessions at SIGINT and SIGTERM before the ASGI server learns of the signal, since
                that would close the WebSockets at once. A second signal reaches the server at once.

        Returns:
            An async context manager.
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
