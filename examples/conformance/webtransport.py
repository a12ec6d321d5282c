"""A connection over WebTransport whose messages are seen as they are, for checks: the counterpart of a WebSocket's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamDataReceived

from capnweb_runtime.transports.webtransport.capsules import Capsules, Closed
from capnweb_runtime.transports.webtransport.quic import Protocol


class WebTransportLines(Protocol):
    """One session, a line at a time.

    Attributes:
        close_code: with which the server has closed the session.
        close_reason: the server's reason.
    """

    def __init__(self, quic: QuicConnection) -> None:
        super().__init__(quic)
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._http = H3Connection(quic, enable_webtransport=True)
        self._capsules = Capsules()
        self._stream: int | None = None
        self._partial = b""
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._offered = asyncio.Event()
        self._status: asyncio.Future[int] = self._loop.create_future()
        self._over = asyncio.Event()

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, StreamDataReceived) and self._stream is not None and event.stream_id == self._stream:
            *lines, self._partial = (self._partial + event.data).split(b"\n")
            for line in lines:
                self._lines.put_nowait(line.decode())
            if event.end_stream:  # the reason follows when this end is through, too
                self._quic.send_stream_data(self._stream, b"", end_stream=True)
            return
        if isinstance(event, ConnectionTerminated):
            self._end()
        for happened in self._http.handle_event(event):
            if isinstance(happened, HeadersReceived) and not self._status.done():
                self._status.set_result(int(dict(happened.headers)[b":status"]))
            elif isinstance(happened, DataReceived):
                self._take_capsules(happened.data)
        if self._http.received_settings is not None:
            self._offered.set()

    def failed(self, error: Exception) -> None:
        self._end()

    def _take_capsules(self, data: bytes) -> None:
        for capsule in self._capsules.feed(data):
            if isinstance(capsule, Closed):
                self.close_code, self.close_reason = capsule
                self._end()

    def _end(self) -> None:
        self._over.set()
        self._lines.put_nowait(None)

    async def ask(self, authority: str, path: str) -> None:
        """Begin the session, with the stream of its messages."""
        await self._offered.wait()
        stream = self._quic.get_next_available_stream_id()
        headers = {b":method": b"CONNECT", b":scheme": b"https", b":protocol": b"webtransport"}
        headers |= {b":authority": authority.encode(), b":path": path.encode()}
        self._http.send_headers(stream, [*headers.items()])
        self.transmit()
        status = await self._status
        if status != 200:
            raise ConnectionError(f"the server answered {status}")
        self._stream = self._http.create_webtransport_stream(stream)

    async def send(self, line: str | bytes) -> None:
        """Send a line."""
        if self._stream is None or self._over.is_set():
            raise EOFError
        self._quic.send_stream_data(self._stream, (line.encode() if isinstance(line, str) else line) + b"\n")
        self.transmit()

    async def recv(self) -> str:
        """The next line."""
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
            raise EOFError
        return line

    async def hang_up(self) -> None:
        """Close the connection."""
        self.close()
        self._end()


@asynccontextmanager
async def webtransport_lines(url: str, *, insecure: bool) -> AsyncGenerator[WebTransportLines]:
    """A session at a URL."""
    parts = urlsplit(url)
    settings = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=True, max_datagram_frame_size=65_536)
    if insecure:
        settings.verify_mode = ssl.CERT_NONE
    _, lines = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: WebTransportLines(QuicConnection(configuration=settings)),
        remote_addr=(parts.hostname or "", parts.port or 443),
    )
    try:
        lines.begin()
        await lines.ask(parts.netloc, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
        yield lines
    finally:
        lines.close()
        lines.release()
