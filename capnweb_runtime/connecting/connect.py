"""connect(): a typed stub of a server's main object. Rule: the URL's scheme says how messages travel; the stub owns the
session.

ws:// and wss:// open a session that lasts; http:// and https:// make one batch, sent at the first await.
"""

from __future__ import annotations

import asyncio
import socket
import ssl as ssl_module
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from capnweb_runtime.connecting.settings import Headers, Settings, Transport, in_time, urls_of
from capnweb_runtime.core.session import SessionStats
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.transports.keepalive import Silence

if TYPE_CHECKING:
    from capnweb_runtime.connecting.reconnect import Reconnect
    from capnweb_runtime.connecting.reconnecting import Reconnecting
    from capnweb_runtime.debugging.capabilities import Capability
    from capnweb_runtime.debugging.settings import Debug
    from capnweb_runtime.transports.http_batch import Answer, BatchRequest

if TYPE_CHECKING:
    from capnweb_runtime.driving.interceptors import Interceptor

__all__ = ["Connecting", "connect"]

S = TypeVar("S", bound=RpcStub)

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Connecting(Generic[S]):
    """What `connect` returns: a session that opens when this is entered, `async with connect(...) as api:`, or awaited,
    `api = await connect(...)`.

    Leaving `async with` disposes the stub, which ends the session, and waits until the connection is closed. After
    `await`, the caller has to do that: `api.dispose()`.
    """

    def __init__(self, settings: Settings, stub: type[S]) -> None:
        self._settings = settings
        self._stub = stub
        self._connection: Connection | None = None
        self._batch: BatchRequest | None = None
        self._api: S | None = None

    def __await__(self) -> Generator[Any, Any, S]:
        return self._open().__await__()

    async def __aenter__(self) -> S:
        return await self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._batch is not None and kind is None:
            await self._batch.send_rest()
        if self._api is not None:
            self._api.dispose()
        if self._connection is not None:
            await self._connection.wait_closed()

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Ends the session gracefully. New calls fail with SessionClosed; calls in progress that somebody awaits get
        their answers, and so do those of the server; then the session says goodbye, and this waits until the connection
        is closed. A batch that has not been sent is sent first.

        A method of a target or a callback of this side must not wait for this, since it would wait for itself.

        Parameters:
            timeout: seconds to wait for the calls in progress; those without an answer by then fail. None means until
                all have one.

        Raises:
            RuntimeError: the session has not been opened yet.
        """
        connection = self._opened()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                if self._batch is not None:
                    await self._batch.send_rest()
                await connection.finish()
        await self.__aexit__(SessionClosed, None, None)

    @property
    def sessions(self) -> int:
        """How many sessions have been opened: 0, and then 1. With `reconnect` there may be more."""
        return 0 if self._connection is None else 1

    def stats(self) -> SessionStats:
        """Counts of what the session holds and has done.

        Raises:
            RuntimeError: the session has not been opened yet.
        """
        return self._opened().stats()

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """Lists what this side holds of the server, and what the server holds of this side.

        Parameters:
            most: how many imports and how many exports to list at most; None means all.

        Raises:
            RuntimeError: the session has not been opened yet.
        """
        return self._opened().capabilities(most)

    def _opened(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("the session has not been opened: enter it with `async with`, or await it, first")
        return self._connection

    async def _open(self) -> S:
        if self._connection is not None:
            raise RuntimeError("connect(...) gives one session; call it again for another")
        settings = self._settings
        connection = self._connection = settings.connection(settings.main)
        headers = settings.headers
        assert not callable(headers)
        if settings.is_batch:
            # Of no use to a client of WebSockets.
            from capnweb_runtime.transports.http_batch import BatchRequest  # noqa: PLC0415

            self._batch = BatchRequest(connection, partial(self._post, headers))
        else:
            await in_time(settings.open(connection, headers))
        self._api = connection.main(self._stub)
        return self._api

    async def _post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        # aiohttp takes a quarter of a second to import and is of no use to a client of WebSockets.
        from capnweb_runtime.core.carrying import header_of  # noqa: PLC0415
        from capnweb_runtime.transports.http_client import post  # noqa: PLC0415

        settings = self._settings
        return await post(
            settings.url,
            body,
            headers={**headers, **({} if self._connection is None else header_of(self._connection.session))},
            ssl=settings.ssl,
            open_timeout=settings.open_timeout,
            body_limit=settings.limits.message_size,
        )


@overload
def connect(
    url: str | Iterable[str],
    stub: type[S],
    *,
    main: RpcTarget | None = None,
    headers: Mapping[str, str] | None = None,
    ssl: ssl_module.SSLContext | None = None,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    open_timeout: float | None = 30.0,
    transport: Transport | None = None,
    keepalive: float | None = 20.0,
    close_timeout: float = 10.0,
    call_timeout: float | None = None,
    interceptors: Sequence[Interceptor] = (),
    debug: Debug = None,
    reconnect: None = None,
    sock: socket.socket | None = None,
) -> Connecting[S]: ...
@overload
def connect(
    url: str | Iterable[str],
    stub: type[S],
    *,
    main: RpcTarget | None = None,
    headers: Headers | None = None,
    ssl: ssl_module.SSLContext | None = None,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    open_timeout: float | None = 30.0,
    transport: Transport | None = None,
    keepalive: float | None = 20.0,
    close_timeout: float = 10.0,
    call_timeout: float | None = None,
    interceptors: Sequence[Interceptor] = (),
    debug: Debug = None,
    reconnect: Reconnect,
) -> Reconnecting[S]: ...
def connect(
    url: str | Iterable[str],
    stub: type[S],
    *,
    main: RpcTarget | None = None,
    headers: Headers | None = None,
    ssl: ssl_module.SSLContext | None = None,
    limits: Limits = DEFAULT_LIMITS,
    observer: Observer | None = None,
    open_timeout: float | None = 30.0,
    transport: Transport | None = None,
    keepalive: float | None = 20.0,
    close_timeout: float = 10.0,
    call_timeout: float | None = None,
    interceptors: Sequence[Interceptor] = (),
    debug: Debug = None,
    reconnect: Reconnect | None = None,
    sock: socket.socket | None = None,
) -> Connecting[S] | Reconnecting[S]:
    """Opens a session with a server, and gives a stub of the server's main object, from which everything else is got.

    Parameters:
        url: address of the server. `ws://` or `wss://` opens a session over a WebSocket. `http://` or `https://` makes
            one HTTP request, a batch: it is sent at the first `await`, with all calls that were made before, and there
            can be no further ones. With `transport="webtransport"`, `https://` opens a session over HTTP/3. "+unix"
            behind the scheme connects to a socket file of this machine, followed by a colon and the path, as in
            `ws+unix:///run/app.sock:/rpc`. Of several URLs, each for a session, the first that answers is used; with
            `reconnect`, the next session begins with the URL behind the last.
        stub: class of the stub, generated from the interface of the server's main object, such as `LibraryStub`;
            `AnyStub` where there is no schema.
        main: object of this side that the server may call, see `Peer.main`; None means that there is none.
        headers: further headers of the request that opens the session. A Sec-WebSocket-Protocol among them replaces the
            subprotocols by which two ends of this implementation know each other; an empty one offers none. With
            `reconnect` it may be a function, plain or async, that is called for the headers of each attempt.
        ssl: settings of TLS, for `wss://` and `https://`; None means the system's defaults.
        limits: what the server may make this side do and hold.
        observer: is told of failures of targets and callbacks of this side; by default they are logged.
        open_timeout: seconds to wait for the connection, at each URL; None means without end.
        transport: "webtransport" for HTTP/3, which needs the extra `webtransport`; None means as the URL says.
        keepalive: seconds of silence of the server after which it is sent a ping. After as many seconds more without
            an answer the session ends with ConnectionLost. None sends no pings: then a server that vanished is noticed
            only when the operating system notices. Without meaning for a batch.
        close_timeout: seconds that closing waits for a server that does not answer.
        call_timeout: seconds that each call may take; then whoever awaits it gets a DeadlineExceeded, and the call is
            given up. A nearer `deadline` takes precedence. None means without end.
        interceptors: functions around the calls of both directions, the first one outermost; see `Interceptor`.
        debug: True logs each message in words, and notes which line of the program made what the session holds;
            `Sampling()` only notes, and only for some; False does neither; None means as the environment variable
            CAPNWEB_DEBUG says. See `docs/debugging.md`.
        reconnect: how to connect again when the session is lost; the stub stays the same. None means never. See
            `docs/reconnect.md`.
        sock: a connected socket to use for a WebSocket in place of a new connection; the session closes it. The URL
            then gives the host and path to ask for and, with `wss://`, the name that the certificate has to have.

    Returns:
        An object to enter with `async with`, which gives the stub and ends the session on leaving, or to await for the
        stub. Both raise a SessionClosed if there is no connection, with the URL and the cause: ConnectionRefused or
        GoingAway if a server answered, ConnectionLost if none did; and DeadlineExceeded if a `deadline` block around
        them ends first.

    Raises:
        ValueError: the scheme of a URL is not one of these, or not `https://` with WebTransport; there is no URL; an
            `http://` or `https://` URL is one of several, or is given with `reconnect`, for which a batch has no
            session; `transport` is not known; `sock` is given with `reconnect`, with several URLs or with one that is
            not for a WebSocket over TCP, or is no open stream socket; `keepalive` is not positive; `close_timeout` is
            negative; CAPNWEB_DEBUG is not understood.
        TypeError: `headers` is a function, and `reconnect` was not given; or `debug` is of another type.
    """
    settings = Settings(
        urls=urls_of(url),
        main=main,
        headers=headers or _NO_HEADERS,
        ssl=ssl,
        limits=limits,
        observer=observer,
        open_timeout=open_timeout,
        transport=transport,
        silence=Silence(keepalive, close_timeout),
        call_timeout=call_timeout,
        interceptors=tuple(interceptors),
        debug=debug,
        sock=sock,
    )
    settings.check()
    if reconnect is not None:
        if settings.is_batch:
            raise ValueError(
                f"cannot reconnect to {settings.url!r}: one batch has no session to lose; use ws:// or wss://"
            )
        if sock is not None:
            raise ValueError("sock= is one connection, which cannot be made again: reconnect= needs to make its own")
        return _reconnecting(settings, stub, reconnect)
    if callable(headers):
        raise TypeError(
            "headers= is a function, which only connect(reconnect=...) calls, for each attempt: give what it returns"
        )
    return Connecting(settings, stub)


def _reconnecting(settings: Settings, stub: type[S], reconnect: Reconnect) -> Reconnecting[S]:
    # Of no use to most clients.
    from capnweb_runtime.connecting.reconnecting import Dialling, Reconnecting  # noqa: PLC0415

    return Reconnecting(Dialling(settings), stub, reconnect)
