"""serve(): what a server is asked for. Rule: what is wrong with the request is said before anything listens."""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Generator, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, get_args

from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.limits import DEFAULT_LIMITS, DEFAULT_SERVER_LIMITS, Limits, ServerLimits
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.admission import MainFactory, Rules
from capnweb_runtime.serving.certificate import Certificate
from capnweb_runtime.serving.options import check_several, rules_of
from capnweb_runtime.serving.peer import Transport
from capnweb_runtime.serving.server import Place, Server
from capnweb_runtime.transports.keepalive import Silence

if TYPE_CHECKING:
    from capnweb_runtime.driving.interceptors import Interceptor

__all__ = ["Serving", "serve"]


class Serving:
    """A server that is about to start: `async with serve(...) as server:` or `server = await serve(...)`."""

    def __init__(self, place: Place, rules: Rules, server_limits: ServerLimits) -> None:
        self._place = place
        self._rules = rules
        self._server_limits = server_limits
        self._server: Server | None = None

    def __await__(self) -> Generator[Any, Any, Server]:
        return self._start().__await__()

    async def __aenter__(self) -> Server:
        self._server = await self._start()
        return self._server

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server is not None:
            await self._server.close()

    async def _start(self) -> Server:
        server = Server(self._place, self._rules, self._server_limits)
        await server.start()
        return server


def serve(
    main_factory: MainFactory,
    host: str | None,
    port: int,
    *,
    path: str | None = "/",
    ssl: ssl_module.SSLContext | Certificate | None = None,
    transports: Iterable[Transport] = ("websocket", "http"),
    origins: Iterable[str] | None = None,
    hosts: Iterable[str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    request_timeout: float = 30.0,
    errors: Disclosure = "plain",
    threads: int | None = None,
    keepalive: float | None = 20.0,
    close_timeout: float = 10.0,
    server_limits: ServerLimits = DEFAULT_SERVER_LIMITS,
    cancel_lost: bool = False,
    call_timeout: float | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Serving:
    """Serves sessions over WebSocket, HTTP batch and WebTransport on one port and path.

    Parameters:
        main_factory: makes the main object of a new session; it gets the peer, and may be async. Raising `Refuse` it
            refuses the session with a status of its own, raising anything else with 500.
        host: address to listen on; None means every one.
        port: port to listen on; 0 means any, see `Server.port`.
        path: path that is served, anything else is 404; None means every path.
        ssl: settings of TLS, for wss:// and https://; a `Certificate`, which WebTransport needs.
        transports: what is served: "websocket", "http" and "webtransport", the last of which needs the extra
            `webtransport` and takes the UDP port of the same number. Without the first two nothing listens on TCP.
        origins: web origins, such as "https://app.example", whose pages may connect beside those of the server's own
            origin, which has its scheme, host and port; "*" allows every one. Behind a proxy that ends TLS, the origin
            of its pages is to be listed. Programs that are no browsers send no origin and may always connect.
        hosts: names that the server answers to, as requests have them in their Host header: "example.org" on any port,
            or "example.org:8080"; "*" allows every one. By default a server that listens on a loopback address answers
            to localhost and loopback addresses alone, so that no page can have a name of its own lead there; any other
            answers to every name.
        limits: bounds of each session. A batch as a whole may have as many bytes as a message.
        observer: is told of failures; by default they are logged.
        request_timeout: seconds that a client has for the TLS handshake and for the head of its first request; and an
            async `main_factory` for the main object.
        errors: which errors a peer is sent as they are. "declared": those that the schema declares with `@raises`, and
            RpcError. "plain": those, and what people raise to tell a caller something, that is instances of exactly
            ValueError, TypeError, LookupError, NotImplementedError, TimeoutError, or PermissionError without an errno.
            "all": every one, as the npm package does. In place of others goes a reference number, which the log has.
        threads: how many plain methods (`def`) run at a time, in threads, for servers whose methods block. None runs
            them on the event loop, where one that blocks stops every session; see `in_thread` for single methods.
        keepalive: seconds of silence of a WebSocket's client after which it is sent a ping; after as many again the
            session ends as lost. None sends none, and a client that vanished is noticed when the system notices.
        close_timeout: seconds for which closing waits for silent clients, and for async disposers.
        server_limits: bounds of the server as a whole.
        cancel_lost: whether every call whose result the peer waits for is cancelled when its session is lost, as if its
            method were declared `@cancellable`.
        call_timeout: seconds that a call may take; then it fails with a DeadlineExceeded, and its task is cancelled.
            Where its caller has a nearer deadline, that counts. None means without end.
        interceptors: what the calls of all sessions pass, in both directions, the first one outermost; see `CallInfo`.

    Returns:
        What starts the server: await it, or enter it with `async with`, which closes the server on leaving.

    Raises:
        TypeError: origins, hosts or transports is one string; or main_factory cannot make a main object, being one
            itself, say, or a class that takes no peer or that leaves out methods.
        ValueError: the path does not start with a slash, one of hosts is no name, `errors` is none of the three,
            `transports` has an unknown one, none, or WebTransport without a certificate, a number is out of range, or a
            message may be longer than all that may be unfinished.
    """
    check_several("transports", transports)
    served = _served(transports, ssl)
    rules = rules_of(
        main_factory,
        path=path,
        secure=ssl is not None,
        transports=served,
        silence=Silence(keepalive, close_timeout),
        server_limits=server_limits,
        origins=origins,
        hosts=hosts,
        limits=limits,
        observer=observer,
        request_timeout=request_timeout,
        errors=errors,
        threads=threads,
        cancel_lost=cancel_lost,
        call_timeout=call_timeout,
        interceptors=interceptors,
    )
    context = ssl.context() if isinstance(ssl, Certificate) else ssl
    certificate = ssl if isinstance(ssl, Certificate) and "webtransport" in served else None
    return Serving(Place(host, port, context, certificate), rules, server_limits)


def _served(transports: Iterable[Transport], ssl: ssl_module.SSLContext | Certificate | None) -> frozenset[Transport]:
    served = frozenset(transports)
    unknown = served - {*get_args(Transport)}
    if unknown or not served:
        what = ", ".join(sorted(map(repr, unknown))) or "nothing"
        raise ValueError(f'transports has to be of "websocket", "http" and "webtransport", and not {what}')
    if "webtransport" in served and not isinstance(ssl, Certificate):
        raise ValueError('WebTransport is always encrypted: it needs ssl=Certificate("chain.pem", "key.pem")')
    return served
