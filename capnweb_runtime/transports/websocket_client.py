"""The client's end of a WebSocket. Rule: whatever keeps a connection from coming about is one error, which names the
URL and the cause.
"""

from __future__ import annotations

import asyncio
import socket
import ssl as ssl_module
from collections.abc import Mapping
from typing import Any, Final

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost, SessionClosed
from capnweb_runtime.transports.ends import refusal, said, shown_url
from capnweb_runtime.transports.engine import (
    QUIET,
    ClientProtocol,
    Event,
    InvalidStatus,
    Response,
    Subprotocol,
    WebSocketException,
    WebSocketURI,
    parse_subprotocol,
    parse_uri,
)
from capnweb_runtime.transports.keepalive import DEFAULT_SILENCE, Silence
from capnweb_runtime.transports.unix import unix_url_of
from capnweb_runtime.transports.websocket import AGREEABLE, WebSocketEnd

_TEXT_ONLY: Final = Subprotocol("capnweb-gen.text")
# Some servers agree to whatever stands first without knowing it, which must therefore mean nothing.
_OFFERED: Final = (_TEXT_ONLY, *AGREEABLE)
_SUBPROTOCOL_HEADER: Final = "sec-websocket-protocol"


class _WebSocketClient(WebSocketEnd):
    """The client's end of one WebSocket, which asks for the connection as soon as there is a socket."""

    def __init__(
        self,
        url: str,
        uri: WebSocketURI,
        connection: Connection,
        headers: Mapping[str, str],
        silence: Silence = DEFAULT_SILENCE,
    ) -> None:
        engine = ClientProtocol(uri, max_size=connection.limits.message_size, subprotocols=_OFFERED, logger=QUIET)
        super().__init__(engine, connection.limits.message_size, silence)
        self._request = engine.connect()
        for name, value in headers.items():
            if name in self._request.headers:
                del self._request.headers[name]
            if name.lower() != _SUBPROTOCOL_HEADER:
                self._request.headers[name] = value
                continue
            # The application's own, or none at all where it is empty: some servers refuse what they do not know.
            engine.available_subprotocols = parse_subprotocol(value) if value.strip() else None
            if value.strip():
                self._request.headers[name] = value
        self._opening = connection
        self._url = url
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if isinstance(self._engine, ClientProtocol):
            self._engine.send_request(self._request)
            self._write_engine_data()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._fail(exc or ConnectionResetError("the peer closed the connection during the handshake"))

    def abort(self) -> None:
        """Gives the handshake up."""
        self.opened.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _ended(self, why: str, how: type[SessionClosed] = ConnectionLost) -> SessionClosed:
        return how.at(self._url, f"{why} ({self._url})")

    def _handshake(self, events: list[Event]) -> None:
        response = events[0] if events else None
        if self._engine.handshake_exc is not None:
            self._fail(self._engine.handshake_exc)
        elif isinstance(response, Response) and not self.opened.done():
            self._connect(self._opening)
            self.opened.set_result(None)

    def _fail(self, error: Exception) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)
            if self._transport is not None:
                self._transport.close()


async def open_websocket(
    url: str,
    connection: Connection,
    *,
    headers: Mapping[str, str],
    ssl: ssl_module.SSLContext | None,
    open_timeout: float | None,
    silence: Silence = DEFAULT_SILENCE,
    sock: socket.socket | None = None,
) -> None:
    """Connects to a server and attaches the connection to the socket.

    Parameters:
        url: where to, ws:// or wss://, or of a file, see `unix`.
        connection: what to attach; its session's messages wait until then.
        headers: headers of the request, beside those that the handshake needs.
        ssl: settings of TLS for wss://; None means the system's defaults.
        open_timeout: seconds to wait; None means without end.
        silence: how long the server may be silent afterwards.
        sock: a socket that is connected already, and belongs to the session from now on; None if one is to be.

    Raises:
        ValueError: the URL or a header is not valid.
        SessionClosed: there is no connection; the message names the URL and the cause, and the class says which kind of
            cause it is.
    """
    try:
        plain, file = unix_url_of(url) or (url, None)
        uri = parse_uri(plain)
        client = _WebSocketClient(shown_url(url), uri, connection, headers, silence)
    except (ValueError, WebSocketException) as error:
        raise ValueError(f"cannot connect to {shown_url(url)}: {error}") from None
    if ssl is not None and not uri.secure:
        raise ValueError(f"cannot connect to {shown_url(url)}: ssl= is for wss:// URLs")
    tls: dict[str, Any] = {"ssl": ssl or True, "server_hostname": uri.host} if uri.secure else {}
    opened = False
    try:
        async with asyncio.timeout(open_timeout):
            loop = asyncio.get_running_loop()
            if sock is not None:
                await loop.create_connection(lambda: client, sock=sock, **tls)
            elif file is None:
                await loop.create_connection(lambda: client, uri.host, uri.port, **tls)
            else:
                await loop.create_unix_connection(lambda: client, file, **tls)
            await client.opened
        opened = True
    except TimeoutError as error:
        raise _not_connected(url, str(error) or f"no answer within {open_timeout} s", ConnectionLost) from error
    except InvalidStatus as error:
        response: Response = error.response
        status, reason = response.status_code, response.reason_phrase
        why = said(status, reason, bytes(response.body), response.headers.get("Location"))
        shown, again = shown_url(url), response.headers.get("Retry-After")
        raise refusal(shown, f"cannot connect to {shown}: {why}", status, again) from error
    except (OSError, WebSocketException) as error:
        raise _not_connected(url, _cause(error), _kind(error)) from error
    finally:
        if not opened:
            client.abort()


def _not_connected(url: str, why: str, kind: type[SessionClosed]) -> SessionClosed:
    shown = shown_url(url)
    return kind.at(shown, f"cannot connect to {shown}: {why}")


def _kind(error: BaseException) -> type[SessionClosed]:
    """Whether a connection broke, which may go better another time, or the ends do not fit together."""
    if isinstance(error, ssl_module.SSLError):
        return ConnectionLost if isinstance(error, ssl_module.SSLEOFError) else SessionClosed
    return ConnectionLost if isinstance(error, OSError) or isinstance(error.__cause__, EOFError) else SessionClosed


def _cause(error: BaseException) -> str:
    """What went wrong, with what to do about it where that is known."""
    text = str(error) or type(error).__name__
    if error.__cause__ is not None:
        text += f": {error.__cause__}"
    if isinstance(error, ssl_module.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        text += "; the server may not speak TLS at this port: ws:// connects without"
    return text
