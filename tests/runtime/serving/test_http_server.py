"""Answering batches over HTTP, with aiohttp's client as the other side."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from http import HTTPStatus

import aiohttp
import pytest

from capnweb_runtime.limits import DEFAULT_SERVER_LIMITS, ServerLimits
from capnweb_runtime.serving.bounds import Bounds, Guest
from capnweb_runtime.serving.http_server import BatchHttpServer
from capnweb_runtime.serving.peer import Peer, Refuse


class Service:
    """Answers a batch with its body in capitals."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.refusal: Refuse | None = None
        self.entered = asyncio.Event()
        self.ended = asyncio.Event()

    async def answer(self, peer: Peer, body: bytes) -> tuple[int, bytes]:
        self.peers.append(peer)
        if body == b"wait":
            self.entered.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.ended.set()
        return (500, b"Error: no") if body == b"fail" else (200, body.upper())

    def check(self, peer: Peer) -> None:
        if self.refusal is not None:
            raise self.refusal
        if peer.path == "/refused":
            raise Refuse(HTTPStatus.NOT_FOUND)


@contextlib.asynccontextmanager
async def http_server(
    service: Service, body_limit: int = 1000, limits: ServerLimits = DEFAULT_SERVER_LIMITS
) -> AsyncIterator[str]:
    server = BatchHttpServer(service.answer, service.check, body_limit=body_limit)
    bounds = Bounds(limits)

    def protocol() -> asyncio.Protocol:
        return server.protocol(Guest(bounds))

    listener = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
    finally:
        listener.close()
        await server.close(0)
        bounds.close()


@contextlib.asynccontextmanager
async def raw(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to a server."""
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def exchange(url: str, *chunks: bytes) -> tuple[bytes, bytes]:
    """Status line and body of what a server answers to raw bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
    for chunk in chunks:
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(0)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    assert length is not None
    body = await reader.readexactly(int(length[1]))
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return head.partition(b"\r\n")[0], body


class TestServer:
    async def test_a_post_is_answered(self) -> None:
        service = Service()
        async with http_server(service) as url, aiohttp.ClientSession() as client:
            async with client.post(url + "x?y=1", data=b"abc", headers={"X-User": "alice"}) as response:
                assert (response.status, await response.read()) == (200, b"ABC")
                assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
            async with client.post(url, data=b"fail") as response:
                assert (response.status, await response.read()) == (500, b"Error: no")
        peer = service.peers[0]
        assert (peer.path, peer.query, peer.headers["x-user"], peer.transport) == ("/x", "y=1", "alice", "http")
        assert peer.address is not None
        assert peer.address[0] == "127.0.0.1"

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
    async def test_other_methods_are_refused_without_a_body(self, method: str) -> None:
        service = Service()
        async with (
            http_server(service) as url,
            aiohttp.ClientSession() as client,
            client.request(method, url) as response,
        ):
            assert (response.status, await response.read()) == (405, b"")
            assert response.headers["Allow"] == "POST"
        assert service.peers == []

    async def test_a_refusal_is_answered_before_the_body_is_read(self) -> None:
        service = Service()
        service.refusal = Refuse(HTTPStatus.NOT_FOUND, "not here")
        async with http_server(service) as url:
            answer = await exchange(url, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        assert answer == (b"HTTP/1.1 404 Not Found", b"not here\n")

    async def test_a_request_may_come_byte_by_byte(self) -> None:
        request = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
        async with http_server(Service()) as url:
            answer = await exchange(url, *(request[index : index + 1] for index in range(len(request))))
        assert answer == (b"HTTP/1.1 200 OK", b"ABC")

    @pytest.mark.parametrize("chunked", [False, True])
    async def test_a_body_beyond_the_limit_is_refused(self, chunked: bool) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(11):
                yield b"x" * 100

        service = Service()
        async with (
            http_server(service) as url,
            aiohttp.ClientSession() as client,
            client.post(url, data=chunks() if chunked else b"x" * 1001) as response,
        ):
            assert response.status == 413
            assert "1000 bytes" in await response.text()
        assert service.peers == []

    async def test_a_body_beyond_the_limit_that_comes_with_the_head_is_refused(self) -> None:
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        service = Service()
        async with http_server(service) as url:
            status, text = await exchange(url, head + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 413 ")
        assert b"1000 bytes" in text
        assert service.peers == []

    async def test_a_body_that_does_not_come_is_given_up(self) -> None:
        async with http_server(Service(), limits=ServerLimits(unfinished_seconds=0.01)) as url:
            answer = await exchange(url, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
        assert answer[0].startswith(b"HTTP/1.1 408 ")

    async def test_compressed_bodies_are_refused(self) -> None:
        service = Service()
        async with http_server(service) as url, aiohttp.ClientSession() as client:
            async with client.post(url, data=b"abc", compress="gzip") as response:
                assert response.status == 415
            async with client.post(url, data=b"abc", headers={"Content-Encoding": "identity"}) as response:
                assert response.status == 200
        assert len(service.peers) == 1

    @pytest.mark.parametrize("expectation", ["100-continue", "100-Continue"])
    async def test_a_client_that_asks_before_it_sends_its_body_is_told_to(self, expectation: str) -> None:
        head = f"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: {expectation}\r\nContent-Length: 3\r\n\r\n"
        async with http_server(Service()) as url, raw(url) as (reader, writer):
            for _ in range(2):
                writer.write(head.encode())
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                writer.write(b"abc")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
                assert await reader.readexactly(3) == b"ABC"

    @pytest.mark.parametrize(
        ("head", "status"),
        [
            (b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n", b"413"),
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", b"405"),
            (b"POST /refused HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", b"404"),
            (b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: a miracle\r\nContent-Length: 3\r\n\r\n", b"417"),
            (b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", b"200"),
            (b"POST / HTTP/1.0\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", b"200"),
        ],
    )
    async def test_one_whose_answer_is_known_already_gets_that(self, head: bytes, status: bytes) -> None:
        async with http_server(Service()) as url, raw(url) as (reader, writer):
            writer.write(head)
            assert (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1] == status

    @pytest.mark.parametrize(
        "request_bytes",
        [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"what is this?\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET  /  HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: what\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nHost\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
            b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
            b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"CONNECT example.org:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"\r\n\r\n",
        ],
        ids=lambda sent: sent[:40].decode("ascii", "replace"),
    )
    async def test_what_strangers_send_is_answered_and_not_logged(
        self, request_bytes: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with http_server(Service()) as url, raw(url) as (reader, writer):
            writer.write(request_bytes)
            writer.write_eof()
            answer = await reader.read()
        assert not answer or answer.split(b" ", 2)[1] in {b"400", b"404", b"405"}
        assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
        assert all("refused" in record.getMessage() for record in caplog.records)

    async def test_malformed_chunks_of_a_body_are_answered_with_400(self, caplog: pytest.LogCaptureFixture) -> None:
        service = Service()
        async with http_server(service) as url, raw(url) as (reader, writer):
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(b"no length\r\n\r\n")
            assert b" 400 " in await reader.readuntil(b"\r\n")
        assert service.peers == []
        assert caplog.records == []

    @pytest.mark.parametrize("expects", [False, True], ids=["at once", "after 100 Continue"])
    async def test_a_failure_of_the_server_itself_is_answered_and_logged_with_its_traceback(
        self, expects: bool, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(Service):
            async def answer(self, peer: Peer, body: bytes) -> tuple[int, bytes]:
                raise ZeroDivisionError("a bug")

        async with (
            http_server(Broken()) as url,
            aiohttp.ClientSession() as client,
            client.post(url, data=b"abc", expect100=expects) as response,
        ):
            assert response.status == 500
        [record] = caplog.records
        assert (record.name, record.levelno) == ("capnweb_runtime.server", logging.ERROR)
        assert "ZeroDivisionError: a bug" in caplog.text

    async def test_a_page_of_an_allowed_origin_may_read_the_answer(self) -> None:
        headers = {"Origin": "https://app.example"}
        async with (
            http_server(Service()) as url,
            aiohttp.ClientSession() as client,
            client.post(url, data=b"abc", headers=headers) as response,
        ):
            assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
            assert response.headers["Vary"] == "Origin"

    async def test_a_client_that_goes_away_ends_its_batch(self) -> None:
        service = Service()
        async with http_server(service) as url:
            _, writer = await asyncio.open_connection("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
            writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nwait")
            await service.entered.wait()
            writer.close()
            await service.ended.wait()
