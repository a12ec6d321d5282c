"""A running server: a main object per session, over WebSocket and HTTP batch on one port. Rule: one session's failure
is never another's.

The first request of a connection decides how its messages travel. Only the path given is served, and only pages of
allowed origins are, under the names that the server answers to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from capnweb_runtime.limits import DEFAULT_SERVER_LIMITS, ServerLimits
from capnweb_runtime.objects.stub import outside
from capnweb_runtime.serving.admission import Admission, Rules
from capnweb_runtime.serving.bounds import Bounds, Guest, ServerStats
from capnweb_runtime.serving.ending import Ending
from capnweb_runtime.serving.first_bytes import FirstBytes
from capnweb_runtime.serving.first_request import FirstRequest
from capnweb_runtime.serving.hosts import Hosts, is_loopback
from capnweb_runtime.serving.importing import Importing
from capnweb_runtime.serving.listener import Listener
from capnweb_runtime.serving.pages import Pages
from capnweb_runtime.serving.peer import logger
from capnweb_runtime.serving.place import Place, url_of
from capnweb_runtime.serving.signals import stopped_by_signals
from capnweb_runtime.serving.totals import ServerTotals
from capnweb_runtime.serving.websocket_server import WebSocketServer

if TYPE_CHECKING:
    from capnweb_runtime.health import Health
    from capnweb_runtime.inspector.inspecting import Inspecting
    from capnweb_runtime.inspector.settings import Inspector
    from capnweb_runtime.serving.certificate import Certificate
    from capnweb_runtime.serving.http_server import BatchHttpServer
    from capnweb_runtime.serving.socket_file import SocketFile
    from capnweb_runtime.serving.webtransport_server import WebTransportServer

FIRST_REQUESTS: Final = 3.0
"""Seconds for which a server that leaves waits for requests on connections that it has accepted: browsers open some
that they do not use, and keep others.
"""
LAST_REQUESTS: Final = 1.0
"""Seconds for which it waits then for those that have come already."""
LOOK: Final = 0.02
"""Seconds after which it looks again."""


class Server:
    """A running server, as `async with serve(...) as server:` gives it.

    Attributes:
        port: port on which it listens, also where `serve` was given 0; 0 if it listens on none.
        url: URL for WebSockets: `ws://` or `wss://`, or `ws+unix://` or `wss+unix://` if it listens on a socket file
            alone.
        http_url: URL for HTTP batches and WebTransport: `http://` or `https://`, or with +unix likewise.
        inspector_url: URL of the page that shows what goes on, with the token that the page asks for; "" if there is no
            inspector, or if the server listens on a socket file alone.
    """

    def __init__(self, place: Place, rules: Rules, limits: ServerLimits = DEFAULT_SERVER_LIMITS) -> None:
        self._place = place
        self._rules = rules
        self._bounds = Bounds(limits, rules.limits.message_size)
        if rules.forwarded is not None:
            self._bounds.is_proxy = rules.forwarded.trusts
        self._admission = Admission(rules, self._bounds)
        self._pages = Pages([rules.path])
        if rules.health is not None:
            _add_health(self._pages, rules.health, self._admission)
        self._inspecting = None if rules.inspector is None else self._inspect(rules.inspector)
        self._loop = asyncio.get_running_loop()
        self._listener: Listener | None = None
        self._http: BatchHttpServer | None = None
        self._aiohttp = Importing(self._loop, "capnweb_runtime.serving.http_server")
        self._webtransport: list[WebTransportServer] = []
        self._file: SocketFile | None = None
        self._patience = rules.silence.close_timeout
        self._ending = Ending(self._admission, self._patience)
        self._closing = False
        self._closed: asyncio.Future[None] = self._loop.create_future()
        # Sockets that aiohttp does not look after, and what waits for the last of them to go.
        self._sockets: set[FirstBytes | FirstRequest | WebSocketServer] = set()
        self._no_socket: asyncio.Future[None] | None = None
        self.port: int = place.port
        self.url = ""
        self.http_url = ""
        self.inspector_url = ""

    def stats(self) -> ServerStats:
        """Tells how near the server is to each bound of its `ServerLimits`, and how often each was reached.

        Returns:
            For each bound of the same name what there is (`now`), what there may be (`most`), and how often something
            was `refused`.
        """
        return self._bounds.stats(self._admission.sessions)

    def totals(self) -> ServerTotals:
        """Counts what all sessions hold together, and how many were opened and refused. This takes longer the more
        sessions there are.
        """
        return self._admission.totals()

    async def wait_closed(self) -> None:
        """Waits until the server has been closed."""
        await asyncio.shield(self._closed)

    async def run(self, *, grace: float | None = 5.0, on_stop: Callable[[], Awaitable[object]] | None = None) -> None:
        """Serves until the process is told to stop, by Ctrl-C (SIGINT) or SIGTERM; then drains the server and returns.

        A second signal closes the server at once: calls in progress are cancelled, and no client is waited for. A third
        one ends the process as it would without this. It also returns if something else closes the server.

        Parameters:
            grace: seconds that calls in progress have to end; None means until they end.
            on_stop: async function that is called at the first signal, before the server is drained, while sessions go
                on: the place to finish work that is no call in progress. It may take `grace` seconds, of which draining
                gets the rest; what it raises is logged.

        Raises:
            RuntimeError: this is not the main thread, in which alone Python handles signals.
        """
        await stopped_by_signals(self, grace, on_stop)

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Closes the server gracefully. New sessions and batches are refused, with status 503 and a Retry-After header.
        Each session is ended when it has no calls in progress; then the server closes.

        Sessions end with close code 1012, so that clients know that they may connect again; over WebTransport they are
        told beforehand. A method of a target must not wait for this, since it would wait for itself; it may start it as
        a task.

        Parameters:
            timeout: seconds to wait for calls in progress; None means until they end.
        """
        for one in self._webtransport:
            one.ask_to_end()
        await self._ending.drain(timeout)
        await self.close()

    async def leave(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (as that of `drain`)
        """Closes the server gracefully like `drain`, but refuses nobody: for a server whose sockets another process
        listens on as well. It accepts no new connections, waits for the first call of each session and for one more
        batch on each connection that it has accepted, and then drains.

        Parameters:
            timeout: seconds for all of this; None means until calls in progress end.
        """
        begun = self._loop.time()
        if self._listener is not None:
            self._listener.close()
        for one in self._webtransport:
            one.ask_to_end()
            one.stop_accepting()
        if self._http is not None:
            self._http.keeps = False
        await self._until(lambda: not self._has_newcomers(), FIRST_REQUESTS, timeout)
        if self._http is not None:
            self._http.end_idle()
            await self._until(self._http.is_unused, LAST_REQUESTS, timeout)
        await self._ending.drain(None if timeout is None else max(0.0, timeout - (self._loop.time() - begun)))
        await self.close()

    async def close(self) -> None:
        """Closes the server: stops listening, ends every session, cancels calls in progress, and waits until all
        connections are closed and the async `dispose` methods of targets have ended, each for `close_timeout` seconds
        at most. `drain` lets calls end first.
        """
        self._admission.refusing = True
        self._stop_listening()
        if self._closing:
            await self.wait_closed()
            return
        self._closing = True
        try:
            await self._admission.end_openings()
            if self._inspecting is not None:
                await self._inspecting.close()
            self._end_sessions()
            await self._ending.cancel_calls()
            if self._http is not None:
                await self._http.close(self._patience)
            for one in self._webtransport:
                await one.close(self._patience)
            await self._sockets_to_go()
            await self._ending.disposers_to_end()
        finally:
            self._admission.end_threads()
            self._bounds.close()
            self._closed.set_result(None)

    async def close_at_once(self) -> None:
        """Closes the server without waiting for any client; also while it is being closed or drained."""
        self._patience = self._ending.patience = 0.0
        if self._closing:
            self._end_sessions()
            self._ending.cancel_disposers()
        await self.close()

    # ---- start and end

    async def start(self) -> None:
        """Starts listening. `serve` does it.

        Raises:
            OSError: an address, a port or a file cannot be listened on.
        """
        place = self._place
        try:
            with outside():
                if self._rules.transports & {"websocket", "http"}:
                    await self._listen()
                if place.certificate is not None:
                    await self._listen_on_udp(place.certificate)
        except BaseException:
            self._stop_listening()
            raise
        addresses = self._addresses()
        if self._rules.hosts is None and addresses and all(map(is_loopback, addresses)):
            # The names that it was told to listen at are its own, too.
            named = [host for host in place.hosts if host is not None and not is_loopback(host)]
            self._admission.hosts = Hosts(named, loopback=True)
        s = "" if place.ssl is None else "s"
        sockets = () if self._listener is None else self._listener.sockets
        path = self._rules.path or "/"
        self.url, self.http_url = (url_of(kind + s, place, self.port, sockets, path) for kind in ("ws", "http"))
        logger.info("serving %s and %s", self.url, self.http_url)
        if self._inspecting is not None and self.http_url.startswith(f"http{s}://"):
            at = self._inspecting.at(url_of(f"http{s}", place, self.port, sockets, ""), self.url)
            self.inspector_url = at

    async def _listen(self) -> None:
        place = self._place
        self._listener = Listener(self._first_request if place.ssl is None else self._first_bytes, self._bounds)
        if place.opened:
            await self._listener.take(place.opened)
        elif place.hosts:
            await self._listener.open(place.hosts, place.port, shared=place.shared)
        if place.sockets:
            await self._listener.take(place.sockets)
        if place.unix is not None:
            # Of no use to servers that have addresses, which most have.
            from capnweb_runtime.serving.socket_file import SocketFile  # noqa: PLC0415

            self._file = SocketFile(place.unix)
            await self._listener.take([self._file.socket])
        self.port = self._listener.port

    def _stop_listening(self) -> None:
        if self._file is not None:
            self._file.remove()
        if self._listener is not None:
            self._listener.close()
        for one in self._webtransport:
            one.stop_accepting()

    async def _listen_on_udp(self, certificate: Certificate) -> None:
        # An extra, of use to those alone who ask for it.
        from capnweb_runtime.serving.webtransport_server import WebTransportServer  # noqa: PLC0415

        rules = self._rules
        for host in self._place.hosts:
            one = WebTransportServer(
                self._admission.admit,
                certificate,
                rules.limits,
                rules.request_timeout,
                rules.silence,
                self._bounds,
            )
            self._webtransport.append(one)
            self.port = await one.listen(host, self.port, shared=self._place.shared)

    def _inspect(self, settings: Inspector) -> Inspecting:
        # Of no use to servers that nobody looks at.
        from capnweb_runtime.inspector.inspecting import Inspecting  # noqa: PLC0415

        inspecting = Inspecting(settings, self._rules, self.stats, self._admission.admit)
        self._pages.add(settings.path, inspecting.page)
        self._admission.on_opened = inspecting.watch.opened
        return inspecting

    def _addresses(self) -> list[str]:
        """Where it listens."""
        tcp = [] if self._listener is None else self._listener.addresses
        return [*tcp, *(one.address for one in self._webtransport)]

    def _end_sessions(self) -> None:
        """Ends every session, and every connection that has none; if no peer is to be waited for, every connection."""
        self._ending.end_sessions()
        for socket in tuple(self._sockets):
            if not self._patience or not isinstance(socket, WebSocketServer):
                socket.abort()

    async def _until(self, over: Callable[[], bool], *bounds: float | None) -> None:
        """Waits until something is over, or as long as the shortest of some times."""
        until = self._loop.time() + min(seconds for seconds in bounds if seconds is not None)
        while not over() and self._loop.time() < until:  # noqa: ASYNC110  (many things end it, not all of them ours)
            await asyncio.sleep(LOOK)

    def _has_newcomers(self) -> bool:
        """Whether somebody was accepted who has not asked for anything yet, or may ask for a last batch."""
        if (self._listener is not None and self._listener.is_accepting) or not (
            self._http is None or self._http.is_unused()
        ):
            return True
        known = (one.connection for one in self._sockets if isinstance(one, WebSocketServer))
        if any(connection is None or not connection.session.calls_received for connection in known):
            return True
        return any(not isinstance(one, WebSocketServer) for one in self._sockets)

    def _websockets(self) -> list[WebSocketServer]:
        return [socket for socket in self._sockets if isinstance(socket, WebSocketServer)]

    async def _sockets_to_go(self) -> None:
        while self._sockets:
            self._no_socket = self._loop.create_future()
            await self._no_socket

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
        guest = Guest(self._bounds)
        return FirstBytes(
            partial(self._first_request, guest),
            self._place.ssl,
            timeout=self._rules.request_timeout,
            on_made=self._socket_made,
            on_gone=self._socket_gone,
            guest=guest,
        )

    def _first_request(self, guest: Guest | None = None) -> FirstRequest:
        guest = guest or Guest(self._bounds)
        return FirstRequest(
            partial(self._websocket_protocol, guest),
            partial(self._http_protocol, guest),
            http_waits=self._http_waits,
            timeout=self._rules.request_timeout,
            on_made=self._socket_made,
            on_gone=self._socket_gone,
            guest=guest,
        )

    def _websocket_protocol(self, guest: Guest) -> asyncio.Protocol:
        rules = self._rules
        admit = self._admission.admit if self._inspecting is None else self._inspecting.admit
        socket = WebSocketServer(admit, rules.limits, self._socket_gone, rules.silence, guest, rules.forwarded)
        self._sockets.add(socket)
        return socket

    def _http_waits(self, then: Callable[[], object]) -> bool:
        return not self._aiohttp.is_over(then)

    def _http_protocol(self, guest: Guest) -> asyncio.Protocol:
        if self._http is None:
            # aiohttp takes a quarter of a second to import and is of no use to a server that sees WebSockets only.
            from capnweb_runtime.serving.http_server import BatchHttpServer  # noqa: PLC0415

            self._http = BatchHttpServer(
                self._admission.answer,
                self._admission.check,
                body_limit=self._rules.limits.message_size,
                held=self._bounds.held,
                forwarded=self._rules.forwarded,
                describe=self._admission.describe if self._rules.reflection else None,
                pages=self._pages,
            )
        return self._http.protocol(guest, partial(self._websocket_protocol, guest))


def _add_health(pages: Pages, health: Health, admission: Admission) -> None:
    # Of no use to servers that nobody looks after.
    from capnweb_runtime.serving.health import add_health  # noqa: PLC0415

    add_health(pages, health, lambda: admission.refusing)
