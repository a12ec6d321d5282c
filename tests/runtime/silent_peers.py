"""Peers that are there and say nothing: a proxy that stops reading, and bare sockets that speak WebSocket by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from tests.runtime.transports.raw_websocket import REQUEST, accepted, raw_frame

PING, PONG, CLOSE, TEXT = 0x89, 0x8A, 0x88, 0x81


class Hole:
    """A proxy that passes bytes on, until it is told to swallow them."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._to = port
        self._passing: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def swallow(self) -> None:
        """Reads nothing more, in either direction, and closes nothing."""
        for task in self._passing:
            task.cancel()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to, limit=1024)
        self._writers += writer, back
        for source, sink in ((reader, back), (there, writer)):
            task = asyncio.create_task(_pass_on(source, sink))
            self._passing.add(task)

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(1024):
            sink.write(data)
            await sink.drain()
        sink.write_eof()


@asynccontextmanager
async def hole(port: int) -> AsyncIterator[Hole]:
    """A proxy before a port of this machine."""
    made = Hole(port)
    listener = await asyncio.start_server(made.accept, "127.0.0.1", 0, limit=1024)
    made.port = listener.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        listener.close()
        made.swallow()
        made.close()


class Bare:
    """One end of a WebSocket, by hand, after its handshake."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, client: bool) -> None:
        self.reader = reader
        self.writer = writer
        self._client = client

    def send(self, first: int, payload: bytes = b"") -> None:
        self.writer.write(raw_frame(first, payload, masked=self._client))

    async def receive(self) -> tuple[int, bytes]:
        """The next frame: its first byte and its payload, which has to be short."""
        first, length = await self.reader.readexactly(2)
        key = bytes(4) if self._client else await self.reader.readexactly(4)
        payload = await self.reader.readexactly(length & 0x7F)
        return first, bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


@asynccontextmanager
async def bare_client(port: int) -> AsyncIterator[Bare]:
    """A client that does nothing by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(REQUEST % b"")
        await reader.readuntil(b"\r\n\r\n")
        yield Bare(reader, writer, client=True)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def bare_server(behave: Callable[[Bare], Awaitable[object]]) -> AsyncIterator[str]:
    """A server that shakes hands, and then does as it is told. Gives its URL."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(accepted(request, agreed=False))
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await behave(Bare(reader, writer, client=False))
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    finally:
        listener.close()
        for writer in writers:
            writer.transport.abort()


@asynccontextmanager
async def answering(head: bytes) -> AsyncIterator[int]:
    """A server that gives everybody the same answer, and closes. Gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if head:
            await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
