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
    """A server that is about to start: `async with serve(...) as server:` or `server = await serve(...)`."""

    def __init__(self, place: Place, rules: Rules, server_limits: ServerLimits) -> None:
        self._place = place
        self._rules = rules
        self._server_limits = server_limits
        self._server: Server | None = None

    def __await__(self) -> Generator[Any, Any, Server]:
        return self._start().__await__()

    def on(self, sockets: Sequence[socket.socket]) -> Serving:
        """The same, on sockets at its host and port that somebody has opened, and may have others listen on as well.

        Parameters:
            sockets: bound to the addresses that would be listened on. The server closes them.
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
    """Serves sessions over WebSocket, HTTP batch and WebTransport on one port and path.

    Parameters:
        main_factory: makes the main object of a new session; it gets the peer, and may be async. Raising `Refuse` it
            refuses the session with a status of its own, raising anything else with 500.
        host: address to listen on, or several; None means every one.
        port: port to listen on, at all of them; 0 means any, see `Server.port`. None, with `sock` or `unix`, means that
            no address is listened on.
        sock: a socket that is bound, or several, to listen on as well; the server closes them. Those that systemd has
            opened are what `systemd_sockets()` returns.
        unix: file of a socket to listen on as well. One that is there is replaced if nobody listens at it; the own one
            is removed when the server closes. Not on Windows.
        path: path that is served, anything else is 404; None means every path.
        ssl: settings of TLS, for wss:// and https://; a `Certificate`, which WebTransport needs.
        transports: what is served: "websocket", "http" and "webtransport", the last of which needs the extra
            `webtransport` and takes the UDP port of the same number. Without the first two nothing listens on TCP.
        origins: web origins, such as "https://app.example", whose pages may connect beside those of the server's own
            origin, which has its scheme, host and port; "*" allows every one. Behind a proxy that ends TLS, the origin
            of its pages is to be listed, or the proxy in `forwarded`. Programs that are no browsers send no origin and
            may always connect.
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
        debug: whether to show the messages of all sessions in words, and to know who has made what they hold; or
            `Sampling`, to know it of some. None means as the environment variable CAPNWEB_DEBUG says. See
            `docs/debugging.md`.
        plans: whether clients may send plans, which are branches, loops and filters over calls, carried out here in one
            round trip; see `docs/plans.md`. They may call nothing that clients may not call anyhow.
        reuse_port: whether other processes of this user may listen on the same port, if they say so, too; the system
            shares connections out among them. Not on Windows.
        forwarded: proxies whose X-Forwarded-For, -Proto and -Host, or Forwarded, headers are believed: addresses and
            networks, "unix" for those that connect to a file; or how many proxies there are, if nobody can connect but
            through them. `Peer.address`, `scheme` and `host` are the client's then, and `origins` and `hosts` are
            compared with these. None believes nobody.
        reflection: whether a GET of the path is answered with the IR of what the peer would be served, to whoever may
            have a session; see `docs/ir.md`.
        health: paths at which it is told whether the server is alive and ready, and its metrics. None means nowhere.
        inspector: whether there is a page at which the server can be watched; see `Server.inspector_url` and
            `docs/inspector.md`. With "calls", one from which it can be called, too; an `Inspector` says more. A server
            that others than this machine may reach needs one with a token.

    Returns:
        What starts the server: await it, or enter it with `async with`, which closes the server on leaving.

    Raises:
        TypeError: origins, hosts, transports or forwarded is one string; there is neither a port nor `sock` nor `unix`;
            inspector is something else; main_factory cannot make a main object, being one itself, say, or a class that
            takes no peer or that leaves out methods; or `debug` is none that can be meant.
        ValueError: the path does not start with a slash, one of hosts is no name, or of forwarded no address, `errors`
            is none of the three, `transports` has an unknown one, none, or WebTransport without a certificate, a number
            is out of range, a message may be longer than all that may be unfinished, `sock` or `unix` is for none of
            the transports, an inspector has no token of its own, or nobody whom HTTP would lead to it; or
            CAPNWEB_DEBUG says what cannot be meant.
        LookupError: reflection is asked for, and the IR was not written beside the generated module of what
            main_factory is, or says it returns.
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
