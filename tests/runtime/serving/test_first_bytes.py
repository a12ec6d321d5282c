"""Ports that speak TLS: what is kept of handshakes, and what clients that do not speak it are told."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from capnweb_runtime.connecting.connect import connect
from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.serving.serve import serve
from capnweb_runtime.serving.server import Server
from tests.runtime.transports.example_api import Example, ExampleStub

CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"
HELLO = bytes.fromhex("160301")
"""How every TLS handshake begins."""
WRONG = HELLO + b"\xff\xff" + b"\xff" * 200


@contextlib.asynccontextmanager
async def tls_server(request_timeout: float = 60) -> AsyncIterator[Server]:
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(CERTIFICATE)
    async with (
        asyncio.timeout(60),
        serve(Example, "localhost", 0, ssl=settings, request_timeout=request_timeout) as server,
    ):
        yield server


def trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=CERTIFICATE)


async def works(server: Server) -> None:
    async with connect(server.url, ExampleStub, ssl=trust()) as api:
        assert await api.add(1, 2) == 3


async def until(condition: Callable[[], bool]) -> None:
    """Lets the loop turn until something is so."""
    for _ in iter(condition, True):
        await asyncio.sleep(0)


async def all_read(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


@contextlib.asynccontextmanager
async def socket_to(server: Server) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("localhost", server.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


class TestHandshakes:
    @pytest.mark.parametrize("wrong", [WRONG, b"\x00\x01", b"\x80garbage", b"GET / HTTP/1.1\r\n\r\n"])
    async def test_nothing_is_kept_of_one_that_fails_and_closing_does_not_wait_for_it(
        self, wrong: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with tls_server() as server:
            for _ in range(3):
                async with socket_to(server) as (reader, writer):
                    writer.write(wrong)
                    await all_read(reader)
            await until(lambda: not server._sockets)  # until the server has heard of it, too
            await works(server)
        assert caplog.records == []

    async def test_one_that_the_client_leaves_is_not_kept(self) -> None:
        async with tls_server() as server:
            for sent in (b"", HELLO[:1], HELLO):
                async with socket_to(server) as (_, writer):
                    writer.write(sent)
                    await until(lambda: bool(server._sockets))
            await until(lambda: not server._sockets)

    @pytest.mark.parametrize("sent", [b"", HELLO])
    async def test_closing_ends_one_that_is_under_way(self, sent: bytes) -> None:
        async with tls_server() as server, socket_to(server) as (reader, writer):
            writer.write(sent)
            await until(lambda: any(getattr(one, "_handshake", None) or not sent for one in server._sockets))
            await server.close()
            assert not server._sockets
            assert await all_read(reader) == b""

    @pytest.mark.parametrize("sent", [b"", HELLO])
    async def test_one_that_takes_too_long_is_given_up(self, sent: bytes) -> None:
        async with tls_server(request_timeout=0.01) as server, socket_to(server) as (reader, writer):
            writer.write(sent)
            assert await all_read(reader) == b""

    async def test_one_that_comes_byte_by_byte_succeeds(self) -> None:
        async with tls_server() as server, socket_to(server) as (reader, writer):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            inside = trust().wrap_bio(incoming, outgoing, server_hostname="localhost")

            async def exchange() -> None:
                for byte in outgoing.read():
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0)
                incoming.write(await reader.read(65536))

            while True:
                try:
                    inside.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    await exchange()
            inside.write(b"what is this?\r\n\r\n")
            answer = b""
            while not answer.startswith(b"HTTP/1."):
                with contextlib.suppress(ssl.SSLWantReadError):
                    answer = inside.read(100)
                    break
                await exchange()
            assert b" 400 " in answer

    async def test_it_is_the_loops_own_tls_that_serves(self) -> None:
        async with tls_server() as server:
            await works(server)
            async with connect(server.http_url, ExampleStub, ssl=trust()) as api:
                assert await api.add(1, 2) == 3


class TestMistakenSchemes:
    @pytest.mark.parametrize("scheme", ["ws", "http"])
    async def test_a_client_without_tls_is_told_at_once_to_use_it(self, scheme: str) -> None:
        async with tls_server() as server:
            with pytest.raises(SessionClosed) as caught:
                async with connect(f"{scheme}://localhost:{server.port}/", ExampleStub) as api:
                    await api.add(1, 2)
        assert caught.value.status == 400
        assert "(This port speaks TLS: use wss:// or https://.)" in str(caught.value)

    @pytest.mark.parametrize("scheme", ["wss", "https"])
    async def test_a_client_of_tls_is_told_at_once_where_there_is_none(
        self, scheme: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with asyncio.timeout(60), serve(Example, "127.0.0.1", 0) as server:
            url = f"{scheme}://127.0.0.1:{server.port}/"
            with pytest.raises(SessionClosed, match=r"(?i)wrong.version.number") as caught:
                async with connect(url, ExampleStub) as api:
                    await api.add(1, 2)
        assert caught.value.url == url
        if scheme == "wss":
            assert "the server may not speak TLS at this port: ws:// connects without" in str(caught.value)
        assert caplog.records == []


async def test_what_failed_is_logged_for_those_who_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "capnweb_runtime.server")
    async with tls_server() as server, socket_to(server) as (reader, writer):
        writer.write(WRONG)
        await all_read(reader)
        await until(lambda: not server._sockets)
    [line] = [record for record in caplog.records if record.levelno == logging.DEBUG]
    assert line.getMessage().startswith("no TLS with (")
