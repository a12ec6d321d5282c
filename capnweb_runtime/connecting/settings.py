"""What the sessions of a client are like, and how one is opened. Rule: everything that opens a session does it here."""

from __future__ import annotations

import socket
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args
from urllib.parse import urlsplit

from capnweb_runtime.driving.connection import Connection, debug_mode
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.stub import Scope, around, outside
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.observe import Observer
from capnweb_runtime.transports.ends import shown_url
from capnweb_runtime.transports.keepalive import Silence
from capnweb_runtime.transports.unix import unix_url_of
from capnweb_runtime.transports.websocket_client import open_websocket

if TYPE_CHECKING:
    from capnweb_runtime.debugging.settings import Debug
    from capnweb_runtime.driving.attending import Terms
    from capnweb_runtime.driving.interceptors import Interceptor

T = TypeVar("T")

Headers: TypeAlias = Mapping[str, str] | Callable[[], Mapping[str, str] | Awaitable[Mapping[str, str]]]
"""Headers of a request, or what is asked for them at every attempt."""
Transport: TypeAlias = Literal["webtransport"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the sessions of a client are like, as the parameters of `connect` say.

    Attributes:
        urls: addresses of the server, of which there is at least one.
        sock: a socket that is connected to it; None if one is to be.
    """

    urls: tuple[str, ...]
    main: RpcTarget | None
    headers: Headers
    ssl: ssl_module.SSLContext | None
    limits: Limits
    observer: Observer | None
    open_timeout: float | None
    transport: Transport | None
    silence: Silence
    call_timeout: float | None
    interceptors: tuple[Interceptor, ...]
    debug: Debug
    sock: socket.socket | None = None

    def check(self) -> None:
        """Raises ValueError if there is a URL that cannot be connected to, or not over the transport or the socket; and
        what `debug_mode` raises.
        """
        debug_mode(self.debug)
        if self.transport not in {None, *get_args(Transport)}:
            raise ValueError(
                f'transport has to be "webtransport", or None for what the URL says, and not {self.transport!r}'
            )
        for url in self.urls:
            if _scheme_of(url) not in {"ws", "wss", "http", "https"}:
                raise ValueError(
                    f"cannot connect to {url!r}: the URL has to start with ws://, wss://, http:// or https://"
                )
        if len(self.urls) > 1 and self.transport is None:
            for url in self.urls:
                if _scheme_of(url) in {"http", "https"}:
                    raise ValueError(f"a batch has one address, and {url!r} is one of {len(self.urls)}: use ws://")
        if self.sock is not None:
            self._check_socket(self.sock)

    def _check_socket(self, sock: socket.socket) -> None:
        if self.transport is not None or self.is_batch or len(self.urls) > 1 or unix_url_of(self.url) is not None:
            raise ValueError("sock= is for one WebSocket: it needs one URL, with ws:// or wss://")
        if sock.type != socket.SOCK_STREAM or sock.fileno() < 0:
            raise ValueError(f"sock= has to be a socket for streams (SOCK_STREAM) that is open, not {sock}")

    @property
    def url(self) -> str:
        """The address, or the first of several."""
        return self.urls[0]

    @property
    def is_batch(self) -> bool:
        """Whether there is no session, but one request over HTTP."""
        return self.transport is None and _scheme_of(self.url) in {"http", "https"}

    def connection(self, main: RpcTarget | None) -> Connection:
        """A connection that is attached to nothing yet.

        Parameters:
            main: our main object.
        """
        label = " or ".join(map(shown_url, self.urls))
        connection = Connection(
            main,
            limits=self.limits,
            observer=self.observer,
            label=label,
            call_within=self.call_timeout,
            terms=_terms(self.interceptors, label) if self.interceptors else None,
            debug=self.debug,
        )
        connection.url = label
        return connection

    async def open(self, connection: Connection, headers: Mapping[str, str], first: int = 0) -> int:
        """Attaches a connection to a new transport.

        Parameters:
            connection: what is attached; it ends if that fails.
            headers: of the request.
            first: index of the address that is tried first.

        Returns:
            The index of the address.

        Raises:
            SessionClosed: there is no session; the message names the URL and the cause, or all of them.
        """
        try:
            with outside():
                if len(self.urls) == 1:
                    await self._open(self.url, connection, headers)
                    return 0
                # Of no use to clients that know one address, which most do.
                from capnweb_runtime.connecting.several import first_open  # noqa: PLC0415

                return await first_open(self.urls, first, lambda url: self._open(url, connection, headers))
        except BaseException:
            connection.lost(SessionClosed("the connection was not opened"))  # so that our main object is disposed
            raise

    async def _open(self, url: str, connection: Connection, headers: Mapping[str, str]) -> None:
        connection.url = shown_url(url)
        opening = open_websocket if self.transport is None else _webtransport()
        more: dict[str, Any] = {} if self.sock is None else {"sock": self.sock}
        await opening(
            url,
            connection,
            headers=headers,
            ssl=self.ssl,
            open_timeout=self.open_timeout,
            silence=self.silence,
            **more,
        )


def urls_of(url: str | Iterable[str]) -> tuple[str, ...]:
    """The addresses that `connect` was given.

    Raises:
        ValueError: there is none.
    """
    urls = (url,) if isinstance(url, str) else tuple(url)
    if not urls:
        raise ValueError("url= has no URL to connect to: give at least one, such as ws://127.0.0.1:8080/rpc")
    return urls


def _scheme_of(url: str) -> str:
    """How messages travel, wherever to. Raises ValueError if the URL is malformed."""
    unix = unix_url_of(url)
    return urlsplit(url if unix is None else unix.url).scheme


async def in_time(work: Awaitable[T]) -> T:
    """Awaits something that is no call, within the deadline of this place, if it has one. Raises DeadlineExceeded."""
    scope = around.get()
    return await (scope.awaited(work) if isinstance(scope, Scope) else work)


def _terms(interceptors: Sequence[Interceptor], peer: str) -> Terms:
    # Of no use to connections without interceptors.
    from capnweb_runtime.driving.attending import Terms  # noqa: PLC0415

    return Terms(interceptors=interceptors).of_session(peer)


def _webtransport() -> Callable[..., Awaitable[None]]:
    # An extra, of use to those alone who ask for it.
    try:
        from capnweb_runtime.transports.webtransport.client import open_webtransport  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("WebTransport needs aioquic: pip install capnweb-gen[webtransport]") from error
    return open_webtransport
