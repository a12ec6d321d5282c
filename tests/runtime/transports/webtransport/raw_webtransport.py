"""A client of WebTransport that writes whatever a test wants it to, right or wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamDataReceived, StreamReset

T = TypeVar("T")
PATIENCE = 10
"""Seconds after which a server that does nothing is taken for hung."""


class RawWebTransport(QuicConnectionProtocol):
    """One QUIC connection, and all that has come on it.

    Attributes:
        statuses: of answers, by stream.
        answers: headers of answers, by stream.
        request: what has come on the stream of the first request.
        lines: text that has come on streams of its own, by stream.
        resets: streams that were reset, with the code.
        ended: why the connection has ended.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.http = H3Connection(self._quic, enable_webtransport=True)
        self.own: set[int] = set()
        self.statuses: dict[int, int] = {}
        self.answers: dict[int, dict[bytes, bytes]] = {}
        self.request: bytes = b""
        self.lines: dict[int, bytes] = {}
        self.resets: dict[int, int] = {}
        self.ended: ConnectionTerminated | None = None
        self._changed = asyncio.Event()

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, StreamReset):
            self.resets[event.stream_id] = event.error_code
        elif isinstance(event, ConnectionTerminated):
            self.ended = event
        if isinstance(event, StreamDataReceived) and event.stream_id in self.own:
            self.lines[event.stream_id] = self.lines.get(event.stream_id, b"") + event.data
        else:
            for happened in self.http.handle_event(event):
                if isinstance(happened, HeadersReceived):
                    self.answers[happened.stream_id] = dict(happened.headers)
                    self.statuses[happened.stream_id] = int(self.answers[happened.stream_id][b":status"])
                elif isinstance(happened, DataReceived):
                    self.request += happened.data
        self._changed.set()

    def transmit(self) -> None:
        super().transmit()  # after every packet that comes
        self._changed.set()

    async def until(self, known: Callable[[], T | None]) -> T:
        """Waits until something is true."""
        async with asyncio.timeout(PATIENCE):
            while not (value := known()):
                self._changed.clear()
                await self._changed.wait()
        return value

    async def ask(self, path: str = "/", *, method: str = "CONNECT", **headers: str) -> int:
        """Sends a request, and waits for its status."""
        await self.until(lambda: self.http.received_settings)
        stream = self.send_request(path, method=method, **headers)
        self.transmit()
        return await self.until(lambda: self.statuses.get(stream, 0))

    def send_request(self, path: str, *, method: str = "CONNECT", **headers: str) -> int:
        """Writes a request, whatever the server has said that it can; gives its stream."""
        stream = self._quic.get_next_available_stream_id()
        protocol = [(b":protocol", headers.pop("protocol", "webtransport").encode())] if method == "CONNECT" else []
        self.http.send_headers(
            stream,
            [
                (b":method", method.encode()),
                (b":scheme", b"https"),
                (b":authority", headers.pop("authority", "localhost").encode()),
                (b":path", path.encode()),
                *protocol,
                *((name.encode(), value.encode()) for name, value in headers.items()),
            ],
            end_stream=method != "CONNECT",
        )
        return stream

    def stream(self, session: int = 0, *, one_way: bool = False) -> int:
        """Begins a stream of a session."""
        stream = self.http.create_webtransport_stream(session, is_unidirectional=one_way)
        self.own.add(stream)
        return stream

    def write(self, stream: int, data: bytes, *, ends: bool = False) -> None:
        """Writes to a stream, whatever it is."""
        self._quic.send_stream_data(stream, data, ends)
        self.transmit()

    def capsule(self, data: bytes, *, ends: bool = False) -> None:
        """Writes to the stream of the first request."""
        self.http.send_data(0, data, ends)
        self.transmit()

    def reset(self, stream: int, code: int = 0) -> None:
        """Breaks a stream off."""
        self._quic.reset_stream(stream, code)
        self.transmit()

    async def line(self, stream: int) -> bytes:
        """Waits for the first line on a stream."""
        await self.until(lambda: b"\n" in self.lines.get(stream, b""))
        line, _, self.lines[stream] = self.lines[stream].partition(b"\n")
        return line


@asynccontextmanager
async def raw_webtransport(port: int) -> AsyncIterator[RawWebTransport]:
    """Connects to a port of this machine."""
    settings = QuicConfiguration(
        alpn_protocols=H3_ALPN, is_client=True, max_datagram_frame_size=65_536, verify_mode=ssl.CERT_NONE
    )
    async with connect("127.0.0.1", port, configuration=settings, create_protocol=RawWebTransport) as raw:
        yield cast(RawWebTransport, raw)
