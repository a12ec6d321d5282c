"""connect(): a typed stub of a server's main object. Rule: the URL's scheme says how messages travel; the stub owns the
session.

ws:// and wss:// open a session that lasts; http:// and https:// make one batch, sent at the first await.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from capnweb_runtime.connecting.settings import Headers, Settings, Transport
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
    from capnweb_runtime.transports.http_batch import Answer, BatchRequest

if TYPE_CHECKING:
    from capnweb_runtime.driving.interceptors import Interceptor

__all__ = ["Connecting", "connect"]

S = TypeVar("S", bound=RpcStub)

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Connecting(Generic[S]):
    """A session that is about to start: `async with connect(...) as api:` or `api = await connect(...)`.

    Leaving `async with` disposes the stub, which ends the session, and waits until the connection is closed. After
    `await` that is the caller's: `api.dispose()`.
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
        """Ends the session gracefully: further calls fail with SessionClosed; those that somebody awaits are answered,
        and so are the server's; then it says goodbye, and waits until the connection is closed. A batch that has not
        been sent is sent.

        A target or a callback of this side must not wait for this, since it would wait for itself.

        Parameters:
            timeout: seconds to wait for the calls; what has not been answered by then fails. None means until they are.

        Raises:
            RuntimeError: it has not been opened yet.
        """
        connection = self._opened()
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                if self._batch is not None:
                    await self._batch.send_rest()
                await connection.finish()
        await self.__aexit__(SessionClosed, None, None)

    def stats(self) -> SessionStats:
        """Counts of what the session holds and has done.

        Raises:
            RuntimeError: it has not been opened yet.
        """
        return self._opened().stats()

    def capabilities(self, most: int | None = None) -> tuple[Capability, ...]:
        """What the session holds of the server, and the server of it; see `Connection.capabilities`.

        Parameters:
            most: how many imports, and how many exports, to look at; None means all.

        Raises:
            RuntimeError: it has not been opened yet.
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
            await settings.open(connection, headers)
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
    url: str,
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
    reconnect: None = None,
) -> Connecting[S]: ...
@overload
def connect(
    url: str,
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
    reconnect: Reconnect,
) -> Reconnecting[S]: ...
def connect(
    url: str,
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
    reconnect: Reconnect | None = None,
) -> Connecting[S] | Reconnecting[S]:
    """Connects to a server.

    Parameters:
        url: ws:// or wss:// for a session; http:// or https:// for one batch, sent at the first await together with all
            that was called before; https:// for a session over WebTransport, too, if `transport` says so. With "+unix"
            behind the scheme, a file of this machine and the path, as in "ws+unix:///run/app.sock:/rpc".
        stub: generated stub class of the server's main object.
        main: our own main object, for the server to call; None if it has none to call.
        headers: headers of the request, beside those of the protocol. A Sec-WebSocket-Protocol replaces the
            subprotocols by which two ends of this implementation know each other; an empty one offers none. With
            `reconnect`, a function, which may be async, is asked for them at every attempt.
        ssl: settings of TLS; None means the system's defaults.
        limits: bounds of the session.
        observer: is told of failures of our own targets and callbacks; by default they are logged.
        open_timeout: seconds to wait for the connection; None means without end.
        transport: "webtransport" for a session over HTTP/3, which needs the extra `webtransport`; None means as the URL
            says.
        keepalive: seconds without a sign of life of the server after which it is sent a ping; after as many again the
            session ends as lost. None sends no pings, and notices a server that vanished only when the system does.
            Without meaning for a batch.
        close_timeout: seconds for which closing waits for a server that is silent.
        call_timeout: seconds that each call may take, unless a `deadline` is nearer: past it, who waits for it gets a
            DeadlineExceeded, and it is given up. None means without end.
        interceptors: what calls pass, in both directions, the first one outermost; see `CallInfo`.
        reconnect: connects again whenever the session is lost, under the same stub; None means never. See
            `docs/reconnect.md`.

    Returns:
        What connects: await it, or enter it with `async with`, which ends the session on leaving. Both give the stub,
        and raise SessionClosed, with the URL and the cause, if there is no connection: ConnectionRefused or GoingAway
        where a server has answered, ConnectionLost where none has.

    Raises:
        ValueError: the URL's scheme is none of the four, or not https:// for WebTransport; or it is that of a batch,
            which has no session to lose, and `reconnect` was given; `keepalive` is not positive, or `close_timeout`
            is negative.
        TypeError: `headers` is a function, and `reconnect` was not given.
    """
    settings = Settings(
        url=url,
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
    )
    settings.check()
    if reconnect is not None:
        if settings.is_batch:
            raise ValueError(f"cannot reconnect to {url!r}: one batch has no session to lose; use ws:// or wss://")
        return _reconnecting(settings, stub, reconnect)
    if callable(headers):
        raise TypeError("headers is a function: only connect(reconnect=...) asks for headers more than once")
    return Connecting(settings, stub)


def _reconnecting(settings: Settings, stub: type[S], reconnect: Reconnect) -> Reconnecting[S]:
    # Of no use to most clients.
    from capnweb_runtime.connecting.reconnecting import Dialling, Reconnecting  # noqa: PLC0415

    return Reconnecting(Dialling(settings), stub, reconnect)
