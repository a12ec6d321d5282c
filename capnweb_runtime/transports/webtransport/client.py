"""The client's end of a session over WebTransport. Rule: the server's certificate is checked as for https://.

The request is an extended CONNECT (https://datatracker.ietf.org/doc/html/rfc9220), the session's stream the first that
the client begins after it. aioquic does not know what is on a stream that it has begun itself, so what comes back on it
is taken before HTTP/3 sees it.
"""

from __future__ import annotations

import asyncio
import ssl as ssl_module
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, QuicEvent

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import ConnectionLost, SessionClosed
from capnweb_runtime.observe import printable
from capnweb_runtime.transports.ends import refusal, said, shown_url
from capnweb_runtime.transports.keepalive import DEFAULT_SILENCE, Silence
from capnweb_runtime.transports.webtransport.agreeing import AVAILABLE, agreed_in, offered
from capnweb_runtime.transports.webtransport.end import WebTransportEnd
from capnweb_runtime.transports.webtransport.quic import configuration

_PORT: Final = 443
_TLS_ALERTS: Final = 0x100  # https://datatracker.ietf.org/doc/html/rfc9001#section-4.8
# Settings of HTTP/3: of https://datatracker.ietf.org/doc/html/rfc9220#section-3, and of the drafts of WebTransport.
_CONNECT_PROTOCOL: Final = 0x8
_WEBTRANSPORT: Final = (0x2B603742, 0xC671706A, 0x14E9CD29, 0x2C7CF000)
_SHOWN_BODY: Final = 1024  # bytes of a refusal
_NONE_OFFERED: Final = "the server speaks HTTP/3, but no WebTransport"


class _Refused(Exception):
    """The server has answered the request with a status that is no success."""

    def __init__(self, status: int, body: bytes, location: str | None, retry_after: str | None) -> None:
        reason = HTTPStatus(status).phrase if status in {*HTTPStatus} else ""
        super().__init__(said(status, reason, body, location))
        self.status = status
        self.retry_after = retry_after


class _BadHandshake(Exception):
    """The server cannot be talked to, or not trusted: another attempt would come to the same."""


class WebTransportClient(WebTransportEnd):
    """The client's end of one session.

    Parameters:
        quic: the connection.
        connection: of the session.
        url: where to.
        headers: of the request, beside its own.
        silence: how long the server may be silent.
    """

    def __init__(
        self,
        quic: QuicConnection,
        connection: Connection,
        url: SplitResult,
        headers: Mapping[str, str],
        silence: Silence,
    ) -> None:
        super().__init__(quic, connection.limits.message_size, silence)
        self._opening = connection
        self._url = url
        self._headers = headers
        self._offers = True  # what two ends of this implementation can agree on
        self._refusal: tuple[int, dict[bytes, bytes], bytearray] | None = None
        self.opened: asyncio.Future[None] = self._loop.create_future()

    def quic_event_received(self, event: QuicEvent) -> None:
        """Takes what has happened on the connection."""
        super().quic_event_received(event)
        if isinstance(event, ConnectionTerminated):
            why = printable(event.reason_phrase) or f"code {event.error_code:#x}"
            is_tls = _TLS_ALERTS <= event.error_code < _TLS_ALERTS + 0x100
            self._fail(_BadHandshake(why) if is_tls else ConnectionError(why))
        elif self._request_id is None and self._http is not None and self._http.received_settings is not None:
            if offers_webtransport(self._http.received_settings):
                self._send_request()
            else:
                self._fail(_BadHandshake(_NONE_OFFERED))

    def failed(self, error: Exception) -> None:
        """See `WebTransportEnd.failed`."""
        self._fail(ConnectionError(str(error) or type(error).__name__))
        super().failed(error)

    def error_received(self, exc: Exception) -> None:
        """Called by the loop: nobody listens there, say."""
        self._fail(exc)

    def _is_own(self, stream_id: int) -> bool:
        return stream_id == self._stream_id

    def _over(self) -> None:
        self.release()

    def _ended(self, why: str, how: type[SessionClosed] = ConnectionLost) -> SessionClosed:
        shown = shown_url(self._url.geturl())
        return how.at(shown, f"{why} ({shown})")

    def _send_request(self) -> None:
        """Asks for the session: not before the server has said that it knows how
        (https://datatracker.ietf.org/doc/html/rfc9220#section-3).
        """
        assert self._http is not None
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        self._request_id = self.quic.get_next_available_stream_id()
        self._http.send_headers(
            self._request_id,
            [
                (b":method", b"CONNECT"),
                (b":scheme", b"https"),
                (b":authority", self._url.netloc.rpartition("@")[2].encode()),
                (b":path", path.encode()),
                (b":protocol", b"webtransport"),
                (b"sec-webtransport-http3-draft02", b"1"),
                *self._further_headers(),
            ],
        )
        self.send_soon()

    def _further_headers(self) -> list[tuple[bytes, bytes]]:
        """The application's headers; those that offer something may be among them, in place of ours."""
        own = [(name.lower().encode(), value.encode()) for name, value in self._headers.items()]
        self._offers = all(name != AVAILABLE for name, _ in own)
        return [*own, offered()] if self._offers else own

    def _headers_received(self, headers: HeadersReceived) -> None:
        request_id = self._request_id
        if request_id is None or headers.stream_id != request_id or self._connection is not None or self._http is None:
            return
        fields = dict(headers.headers)
        status = int(fields.get(b":status", b"0"))
        if status == HTTPStatus.OK:
            self._stream_id = self._http.create_webtransport_stream(request_id)
            self._begin(self._opening, agreed_in(headers.headers) if self._offers else None)
            if not self.opened.done():
                self.opened.set_result(None)
            return
        self._refusal = (status, fields, bytearray())
        if headers.stream_ended:
            self._refused()

    def _body_received(self, data: bytes, ended: bool) -> None:
        if self._refusal is not None:
            body = self._refusal[2]
            body += data[: _SHOWN_BODY - len(body)]
            if ended or len(body) >= _SHOWN_BODY:
                self._refused()

    def _refused(self) -> None:
        assert self._refusal is not None
        status, fields, body = self._refusal
        location, again = (fields.get(name, b"").decode("latin-1") or None for name in (b"location", b"retry-after"))
        self._fail(_Refused(status, bytes(body), location, again))

    def _fail(self, error: Exception) -> None:
        if not self.opened.done():
            self.opened.set_exception(error)


async def open_webtransport(
    url: str,
    connection: Connection,
    *,
    headers: Mapping[str, str],
    ssl: ssl_module.SSLContext | None,
    open_timeout: float | None,
    silence: Silence = DEFAULT_SILENCE,
) -> None:
    """Connects to a server and attaches the connection to a stream.

    Parameters:
        url: where to, https://.
        connection: what to attach; its session's messages wait until then.
        headers: headers of the request, beside those of the protocol.
        ssl: settings of TLS, of which the trusted certificates count, and whether the server's is checked at all; None
            means the system's defaults.
        open_timeout: seconds to wait; None means without end.
        silence: how long the server may be silent afterwards.

    Raises:
        ValueError: the URL or `ssl` cannot be used.
        SessionClosed: there is no session; the message names the URL and the cause.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(f"cannot connect to {shown_url(url)}: WebTransport needs an https:// URL with a host")
    client: WebTransportClient | None = None
    opened = False
    try:
        async with asyncio.timeout(open_timeout):
            settings = _trusting(
                configuration(is_client=True, keepalive=silence.keepalive, server_name=parts.hostname), ssl
            )
            client = await _connected(parts, connection, headers, settings, silence)
            await client.opened
        opened = True
    except TimeoutError as error:
        raise _not_connected(url, str(error) or f"no answer within {open_timeout} s", ConnectionLost) from error
    except _Refused as error:
        shown = shown_url(url)
        raise refusal(shown, f"cannot connect to {shown}: {error}", error.status, error.retry_after) from error
    except _BadHandshake as error:
        raise _not_connected(url, str(error), SessionClosed) from error
    except OSError as error:
        raise _not_connected(url, str(error) or type(error).__name__, ConnectionLost) from error
    finally:
        if client is not None and not opened:
            client.opened.cancel()
            client.close_quic()


async def _connected(
    url: SplitResult,
    connection: Connection,
    headers: Mapping[str, str],
    settings: QuicConfiguration,
    silence: Silence,
) -> WebTransportClient:
    """A client whose socket is there, and which has begun to ask."""
    loop = asyncio.get_running_loop()
    place: Any = (url.hostname, url.port or _PORT)
    _, client = await loop.create_datagram_endpoint(
        lambda: WebTransportClient(QuicConnection(configuration=settings), connection, url, headers, silence),
        remote_addr=place,
    )
    client.begin()
    return client


def _trusting(settings: QuicConfiguration, ssl: ssl_module.SSLContext | None) -> QuicConfiguration:
    """Settings that trust whom the settings of TLS trust, of which QUIC has its own."""
    if ssl is None:
        paths = ssl_module.get_default_verify_paths()
        settings.load_verify_locations(cafile=paths.cafile, capath=paths.capath)
        return settings
    if ssl.verify_mode is ssl_module.CERT_NONE:
        settings.verify_mode = ssl_module.CERT_NONE
        return settings
    if not ssl.check_hostname:
        raise ValueError("over WebTransport a certificate is checked with its host, or not at all: see ssl=")
    trusted = map(ssl_module.DER_cert_to_PEM_cert, ssl.get_ca_certs(binary_form=True))
    settings.load_verify_locations(cadata="".join(trusted).encode())
    return settings


def offers_webtransport(settings: Mapping[int, int]) -> bool:
    """Whether a server with these settings takes sessions: of draft 2, as most do, or of a later one."""
    return settings.get(_CONNECT_PROTOCOL) == 1 and any(settings.get(name) for name in _WEBTRANSPORT)


def _not_connected(url: str, why: str, how: type[SessionClosed]) -> SessionClosed:
    shown = shown_url(url)
    return how.at(shown, f"cannot connect to {shown}: {why}")
