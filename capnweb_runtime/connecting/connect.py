"""connect(): a typed stub of a server's main object. Rule: the URL's scheme says how messages travel; the stub owns the
session.

ws:// and wss:// open a session that lasts; http:// and https:// make one batch, sent at the first await.
"""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Generator, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from capnweb_runtime.core.session import SessionStats
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.stub import RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.transports.http_batch import Answer, BatchRequest, shown_url
from capnweb_runtime.transports.websocket import open_websocket

if TYPE_CHECKING:
    from capnweb_runtime.driving.attending import Terms
    from capnweb_runtime.driving.interceptors import Interceptor

__all__ = ["Connecting", "connect"]

S = TypeVar("S", bound=RpcStub)

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class Connecting(Generic[S]):
    """A session that is about to start: `async with connect(...) as api:` or `api = await connect(...)`.

    Leaving `async with` disposes the stub, which ends the session, and waits until the connection is closed. After
    `await` that is the caller's: `api.dispose()`.
    """

    def __init__(
        self,
        url: str,
        stub: type[S],
        *,
        main: RpcTarget | None,
        headers: Mapping[str, str],
        ssl: ssl_module.SSLContext | None,
        limits: Limits,
        observer: Observer | None,
        open_timeout: float | None,
        call_timeout: float | None,
        interceptors: Sequence[Interceptor],
    ) -> None:
        self._url = url
        self._stub = stub
        self._main = main
        self._headers = headers
        self._ssl = ssl
        self._limits = limits
        self._observer = observer
        self._open_timeout = open_timeout
        self._call_timeout = call_timeout
        self._interceptors = tuple(interceptors)
        self._is_batch = urlsplit(url).scheme in {"http", "https"}
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

    def stats(self) -> SessionStats:
        """Counts of what the session holds and has done.

        Raises:
            RuntimeError: it has not been opened yet.
        """
        if self._connection is None:
            raise RuntimeError("the session has not been opened: enter it with `async with`, or await it, first")
        return self._connection.stats()

    async def _open(self) -> S:
        if self._connection is not None:
            raise RuntimeError("connect(...) gives one session; call it again for another")
        label = shown_url(self._url)
        connection = Connection(
            self._main,
            limits=self._limits,
            observer=self._observer,
            label=label,
            call_within=self._call_timeout,
            terms=_terms(self._interceptors, label) if self._interceptors else None,
        )
        self._connection = connection
        if self._is_batch:
            self._batch = BatchRequest(connection, self._post)
        else:
            try:
                await open_websocket(
                    self._url, connection, headers=self._headers, ssl=self._ssl, open_timeout=self._open_timeout
                )
            except BaseException:
                connection.lost(SessionClosed("the connection was not opened"))  # so that our main object is disposed
                raise
        self._api = connection.main(self._stub)
        return self._api

    async def _post(self, body: bytes) -> Answer:
        # aiohttp takes a quarter of a second to import and is of no use to a client of WebSockets.
        from capnweb_runtime.core.carrying import header_of  # noqa: PLC0415
        from capnweb_runtime.transports.http_client import post  # noqa: PLC0415

        return await post(
            self._url,
            body,
            headers={**self._headers, **({} if self._connection is None else header_of(self._connection.session))},
            ssl=self._ssl,
            open_timeout=self._open_timeout,
            body_limit=self._limits.message_size,
        )


def _terms(interceptors: Sequence[Interceptor], peer: str) -> Terms:
    # Of no use to connections without interceptors.
    from capnweb_runtime.driving.attending import Terms  # noqa: PLC0415

    return Terms(interceptors=interceptors, peer=peer)


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
    call_timeout: float | None = None,
    interceptors: Sequence[Interceptor] = (),
) -> Connecting[S]:
    """Connects to a server.

    Parameters:
        url: ws:// or wss:// for a session; http:// or https:// for one batch, sent at the first await together with all
            that was called before.
        stub: generated stub class of the server's main object.
        main: our own main object, for the server to call; None if it has none to call.
        headers: headers of the request, beside those of the protocol. A Sec-WebSocket-Protocol replaces the
            subprotocols by which two ends of this implementation know each other; an empty one offers none.
        ssl: settings of TLS; None means the system's defaults.
        limits: bounds of the session.
        observer: is told of failures of our own targets and callbacks; by default they are logged.
        open_timeout: seconds to wait for the connection; None means without end.
        call_timeout: seconds that each call may take, unless a `deadline` is nearer: past it, who waits for it gets a
            DeadlineExceeded, and it is given up. None means without end.
        interceptors: what calls pass, in both directions, the first one outermost; see `CallInfo`.

    Returns:
        What connects: await it, or enter it with `async with`, which ends the session on leaving. Both give the stub,
        and raise SessionClosed, with the URL and the cause, if there is no connection.

    Raises:
        ValueError: the URL's scheme is none of the four.
    """
    if urlsplit(url).scheme not in {"ws", "wss", "http", "https"}:
        raise ValueError(f"cannot connect to {url!r}: the URL has to start with ws://, wss://, http:// or https://")
    return Connecting(
        url,
        stub,
        main=main,
        headers=headers or _NO_HEADERS,
        ssl=ssl,
        limits=limits,
        observer=observer,
        open_timeout=open_timeout,
        call_timeout=call_timeout,
        interceptors=interceptors,
    )
