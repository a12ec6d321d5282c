"""What the sessions of a client are like, and how one is opened. Rule: everything that opens a session does it here."""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

from capnweb_runtime.driving.connection import Connection, debug_mode
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.limits import Limits
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

Headers: TypeAlias = Mapping[str, str] | Callable[[], Mapping[str, str] | Awaitable[Mapping[str, str]]]
"""Headers of a request, or what is asked for them at every attempt."""
Transport: TypeAlias = Literal["webtransport"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the sessions of a client are like, as the parameters of `connect` say."""

    url: str
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

    def check(self) -> None:
        """Raises ValueError if the URL is none that can be connected to, and what `debug_mode` raises."""
        debug_mode(self.debug)
        if self._scheme not in {"ws", "wss", "http", "https"}:
            raise ValueError(
                f"cannot connect to {self.url!r}: the URL has to start with ws://, wss://, http:// or https://"
            )

    @property
    def _scheme(self) -> str:
        """How messages travel, wherever to. Raises ValueError if the URL is malformed."""
        unix = unix_url_of(self.url)
        return urlsplit(self.url if unix is None else unix.url).scheme

    @property
    def is_batch(self) -> bool:
        """Whether there is no session, but one request over HTTP."""
        return self.transport is None and self._scheme in {"http", "https"}

    def connection(self, main: RpcTarget | None) -> Connection:
        """A connection that is attached to nothing yet.

        Parameters:
            main: our main object.
        """
        label = shown_url(self.url)
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

    async def open(self, connection: Connection, headers: Mapping[str, str]) -> None:
        """Attaches a connection to a new transport.

        Parameters:
            connection: what is attached; it ends if that fails.
            headers: of the request.

        Raises:
            SessionClosed: there is no session; the message names the URL and the cause.
        """
        opening = open_websocket if self.transport is None else _webtransport()
        try:
            await opening(
                self.url,
                connection,
                headers=headers,
                ssl=self.ssl,
                open_timeout=self.open_timeout,
                silence=self.silence,
            )
        except BaseException:
            connection.lost(SessionClosed("the connection was not opened"))  # so that our main object is disposed
            raise


def _terms(interceptors: Sequence[Interceptor], peer: str) -> Terms:
    # Of no use to connections without interceptors.
    from capnweb_runtime.driving.attending import Terms  # noqa: PLC0415

    return Terms(interceptors=interceptors, peer=peer)


def _webtransport() -> Callable[..., Awaitable[None]]:
    # An extra, of use to those alone who ask for it.
    try:
        from capnweb_runtime.transports.webtransport.client import open_webtransport  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("WebTransport needs aioquic: pip install capnweb-gen[webtransport]") from error
    return open_webtransport
