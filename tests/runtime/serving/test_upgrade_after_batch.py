"""A client that keeps its connection may ask for a WebSocket on it, after batches: some do, such as Node's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from capnweb_runtime.serving.serve import serve
from tests.runtime.serving.test_serve import pull, push
from tests.runtime.transports.example_api import Example

BODY = f"{push('add', 1, 2)}\n{pull(1)}".encode()
BATCH = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def kept() -> AsyncIterator[Ends]:
    """A connection on which a batch was answered."""
    async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            yield reader, writer
        finally:
            writer.close()


async def answered(reader: asyncio.StreamReader) -> bytes:
    """The head of an answer and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


def frame(text: str) -> bytes:
    """A text of a client's, masked with zeros."""
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


@pytest.mark.parametrize("pieces", [1, 2, len(UPGRADE)])
async def test_a_websocket_is_opened_after_a_batch_however_its_head_comes(pieces: int) -> None:
    size = -(-len(UPGRADE) // pieces)
    async with kept() as (reader, writer):
        writer.write(BATCH)
        assert b"200 OK" in await answered(reader)
        for start in range(0, len(UPGRADE), size):
            writer.write(UPGRADE[start : start + size])
            await writer.drain()
        assert b"101 Switching Protocols" in await answered(reader)
        writer.write(frame(push("add", 2, 3)) + frame(pull(1)))
        assert b'["resolve",1,5]' in await reader.readuntil(b"]")


async def test_frames_that_come_with_the_handshake_are_read() -> None:
    async with kept() as (reader, writer):
        writer.write(BATCH)
        await answered(reader)
        writer.write(UPGRADE + frame(push("add", 2, 3)) + frame(pull(1)))
        assert b"101 Switching Protocols" in await answered(reader)
        assert b'["resolve",1,5]' in await reader.readuntil(b"]")


async def test_other_requests_after_a_batch_are_answered_as_ever() -> None:
    async with kept() as (reader, writer):
        writer.write(BATCH)
        assert b"200 OK" in await answered(reader)
        writer.write(b"GE")
        await writer.drain()
        writer.write(b"T / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"405 Method Not Allowed" in await answered(reader)


async def test_a_batch_after_a_batch_is_answered() -> None:
    async with kept() as (reader, writer):
        for _ in range(3):
            writer.write(BATCH)
            assert b'["resolve",1,3]' in await answered(reader)


async def test_a_head_that_never_ends_is_refused() -> None:
    async with kept() as (reader, writer):
        writer.write(BATCH)
        await answered(reader)
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000)
        assert b" 400 " in await reader.readline()
