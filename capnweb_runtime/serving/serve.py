"""serve(): what a server is asked for. Rule: what is wrong with the request is said before anything listens."""

from __future__ import annotations

import os
import socket
import ssl as ssl_module
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, get_args

from capnweb_runtime.core.hook import Disclosure
from capnweb_runtime.limits import DEFAULT_LIMITS, DEFAULT_SERVER_LIMITS, Limits, ServerLimits
from capnweb_runtime.observe import Observer
from capnweb_runtime.serving.admission import MainFactory, Rules
from capnweb_runtime.serving.certificate import Certificate
from capnweb_runtime.serving.options import check_several, rules_of
from capnweb_runtime.serving.peer import Transport
from capnweb_runtime.serving.place import Place, check_place, hosts_of, sockets_of
from capnweb_runtime.serving.server import Server
from capnweb_runtime.transports.keepalive import Silence

if TYPE_CHECKING:
    from capnweb_runtime.debugging.settings import Debug
    from capnweb_runtime.driving.interceptors import Interceptor
    from capnweb_runtime.health import Health
    from capnweb_runtime.inspector.settings import Inspector
    from capnweb_runtime.serving.forwarded import Forwarded

__all__ = ["Serving", "serve"]


class Serving:
    """What `serve` returns: a server that starts when this is entered, `async with serve(...) as server:`, or awaited,
    `server = await serve(...)`. Leaving `async with` closes the server; after `await`, the caller has to do that.
    """

    def __init__(self, place: Place, rules: Rules, server_limits: ServerLimits) -> None:
        self._place = place
        self._rules = rules
        self._server_limits = server_limits
        self._server: Server | None = None

    def __await__(self) -> Generator[Any, Any, Server]:
        return self._start().__await__()

    def on(self, sockets: Sequence[socket.socket]) -> Serving:
        """Makes the same server listen on sockets that are open already, in place of opening its host and port itself:
        sockets that other processes listen on as well, say.

        Parameters:
            sockets: stream sockets that are bound to the host and port of this server. The server closes them.

        Returns:
            The server, to be entered or awaited in place of this one.
        """
        return Serving(replace(self._place, opened=tuple(sockets)), self._rules, self._server_limits)

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
    host: str | Iterable[str] | None = None,
    port: int | None = None,
    *,
    sock: socket.socket | Iterable[socket.socket] | None = None,
    unix: str | os.PathLike[str] | None = None,
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
    debug: Debug = None,
    plans: bool = False,
    reuse_port: bool = False,
    forwarded: Iterable[str] | int | None = None,
    reflection: bool = False,
    health: Health | None = None,
    inspector: bool | Literal["calls"] | Inspector | None = False,
) -> Serving:
    """Makes a server that gives each client its main object, over WebSocket, HTTP batches and WebTransport, on one port
    and path.

    Parameters:
        main_factory: function, plain or async, that is called for each new session with its `Peer`, and returns the
            session's main object: a target. To refuse the session, it raises `Refuse` with an HTTP status; any other
            exception refuses it with status 500.
        host: IP address or name to listen on, or several; None means every address of this machine.
        port: port to listen on, at each host; 0 means a free one, which `Server.port` tells. None listens on no port,
            and needs `sock` or `unix`.
        sock: bound stream socket, or several, to listen on as well; the server closes them. `systemd_sockets()` gives
            those that systemd has opened.
        unix: path of a socket file to listen on as well. A file that is there is replaced if nobody listens on it; the
            server removes its own when it closes. Not on Windows.
        path: URL path that is served, beginning with a slash; others get status 404. None serves every path.
        ssl: an SSLContext, for `wss://` and `https://`; or a `Certificate`, which WebTransport needs. None serves
            without TLS.
        transports: what is served: "websocket", "http" (batches) and "webtransport". The last one needs the extra
            `webtransport`, and takes the UDP port of the same number; alone it listens on no TCP port.
        origins: web origins whose pages may connect, such as `https://app.example`, beside pages of the server's own
            scheme, host and port; "*" allows all. Behind a proxy that ends TLS, list the origin of the pages here, or
            the proxy in `forwarded`. Programs that are no browsers send no origin, and may always connect.
        hosts: names that requests may have in their Host header: "example.org" for any port, "example.org:8080" for
            one, "*" for all. By default a server on a loopback address answers to localhost and loopback addresses
            alone, so that no web page can reach it under a name of its own; any other server answers to every name.
        limits: what each client may make this side do and hold. An HTTP batch may be as long as one message.
        observer: is told of failures, and may replace errors that are sent; by default failures are logged.
        request_timeout: seconds for the TLS handshake, for the head of the first request, and for an async
            `main_factory`, each.
        errors: which exceptions are sent to clients as they are. "declared": those that the schema declares with
            `@raises`, and RpcError. "plain": these, and instances of exactly ValueError, TypeError, LookupError,
            NotImplementedError, TimeoutError, or PermissionError without an errno: what people raise to tell a caller
            something. "all": every exception, as the npm package does. In place of any other exception an RpcError is
            sent, with a number under which the log has the traceback.
        threads: how many plain methods (`def`) may run at a time, each in a thread, for servers whose methods block.
            None runs them on the event loop, where one that blocks stops every session; see `in_thread` for single
            methods.
        keepalive: seconds of silence of a WebSocket's client after which it is sent a ping. After as many seconds more
            without an answer the session ends. None sends no pings: then a client that vanished is noticed only when
            the operating system notices.
        close_timeout: seconds that closing waits for silent clients, and for async `dispose` methods.
        server_limits: what all clients together may make the server do and hold.
        cancel_lost: True cancels every call whose result a client waits for when the client's session is lost, as if
            the method were declared `@cancellable`.
        call_timeout: seconds that a call may take; then it fails with a DeadlineExceeded, and its task is cancelled. A
            nearer deadline of the caller takes precedence. None means without end.
        interceptors: functions around the calls of all sessions, in both directions, the first one outermost; see
            `Interceptor`.
        debug: True logs each message in words, and notes which line of the program made what sessions hold;
            `Sampling()` only notes, and only for some; False does neither; None means as the environment variable
            CAPNWEB_DEBUG says. See `docs/debugging.md`.
        plans: True lets clients send plans: branches, loops and filters over calls, carried out here in one round trip.
            A plan can call nothing that its client could not call otherwise. See `docs/plans.md`.
        reuse_port: True lets other processes of the same user listen on the same port, if they ask for it, too; the
            operating system shares connections out among them. Not on Windows.
        forwarded: proxies whose X-Forwarded-For, -Proto and -Host headers, or Forwarded header, are believed: their IP
            addresses and networks, "unix" for those that connect to the socket file; or a number of proxies, if nobody
            can connect except through them. `Peer.address`, `scheme` and `host` are then those of the client, and
            `origins` and `hosts` are compared with these. None believes nobody.
        reflection: True answers a GET of the path with a description of the interfaces that the client would be served,
            as JSON, to whoever may have a session; see `docs/ir.md`.
        health: paths for probes and metrics; None has none.
        inspector: True adds a page that shows what goes on, at `Server.inspector_url`; "calls" adds one from which the
            server can be called, too; an `Inspector` has settings for it. If others than this machine can reach the
            server, it has to be an `Inspector` with a token. See `docs/inspector.md`.

    Returns:
        An object to enter with `async with`, which gives the `Server` and closes it on leaving, or to await for it.

    Raises:
        TypeError: `main_factory` cannot make a main object: it is one itself, say, or a class that takes no peer or
            leaves out methods; `origins`, `hosts`, `transports` or `forwarded` is a string where several are expected;
            there is neither a port nor `sock` nor `unix`; `inspector` or `debug` is of another type.
        ValueError: `path` does not start with a slash; `hosts` has something that is no name, or `forwarded` that is no
            address; `errors` is not one of the three; `transports` is empty, has an unknown name, or WebTransport
            without a `Certificate` or a port; `host` is empty; a number is out of range; `Limits.message_size` is more
            than `ServerLimits.unfinished_bytes`; `sock` or `unix` is given where neither "websocket" nor "http" is
            served, and likewise an inspector or `reflection`; others could reach an inspector without a token of its
            own; CAPNWEB_DEBUG is not understood.
        LookupError: `reflection` is True, and the description was not written beside the generated module of what
            `main_factory` is or is annotated to return: compile with `--reflection`.
        OSError: a file of the `Certificate` cannot be read, or has no certificate or key in it.
    """
    check_several("transports", transports)
    served = _served(transports, ssl)
    rules = rules_of(
        main_factory,
        path=path,
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
        debug=debug,
        plans=plans,
        forwarded=None if forwarded is None else _forwarded(forwarded),
        reflection=reflection,
        health=health,
        inspector=_inspected(inspector) if inspector else None,
    )
    context = ssl.context() if isinstance(ssl, Certificate) else ssl
    certificate = ssl if isinstance(ssl, Certificate) and "webtransport" in served else None
    place = Place(
        hosts=() if port is None else hosts_of(host),
        port=port or 0,
        ssl=context,
        certificate=certificate,
        shared=reuse_port,
        sockets=sockets_of(sock),
        unix=None if unix is None else os.fspath(unix),
    )
    check_place(place, port, streams=bool(served & {"websocket", "http"}))
    if rules.inspector is not None:
        _check_inspector(rules.inspector, place, served)
    return Serving(place, rules, server_limits)


def _forwarded(trusted: Iterable[str] | int) -> Forwarded:
    # Of no use to a server without proxies.
    from capnweb_runtime.serving.forwarded import Forwarded  # noqa: PLC0415

    return Forwarded(trusted)


def _inspected(given: object) -> Inspector | None:
    # Of no use to servers that nobody looks at.
    from capnweb_runtime.inspector.settings import inspector_of  # noqa: PLC0415

    return inspector_of(given)


def _check_inspector(inspector: Inspector, place: Place, served: frozenset[Transport]) -> None:
    if not served & {"websocket", "http"}:
        raise ValueError('the inspector is a page over HTTP: it needs "websocket" or "http" among the transports')
    names = [one.getsockname() for one in place.sockets]
    addresses = [str(name[0]) if isinstance(name, tuple) else "" for name in names]
    inspector.check_reach([*place.hosts, *addresses, *([] if place.unix is None else [""])])


def _served(transports: Iterable[Transport], ssl: ssl_module.SSLContext | Certificate | None) -> frozenset[Transport]:
    served = frozenset(transports)
    unknown = served - {*get_args(Transport)}
    if unknown or not served:
        what = ", ".join(sorted(map(repr, unknown))) or "nothing"
        raise ValueError(f'transports has to be of "websocket", "http" and "webtransport", and not {what}')
    if "webtransport" in served and not isinstance(ssl, Certificate):
        raise ValueError('WebTransport is always encrypted: it needs ssl=Certificate("chain.pem", "key.pem")')
    return served
