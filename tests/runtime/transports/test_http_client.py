"""Sending batches over HTTP, with aiohttp's server as the other side."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from capnweb_runtime.errors import SessionClosed
from capnweb_runtime.transports.http_client import post

CERTIFICATE = Path(__file__).parents[1] / "localhost.pem"

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def stock_server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    server = web.Server(handler)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=tls)
    try:
        port = listener.sockets[0].getsockname()[1]
        yield f"http{'' if tls is None else 's'}://127.0.0.1:{port}/"
    finally:
        listener.close()
        await server.shutdown(0)


async def posted(url: str, body: bytes = b"abc", **options: Any) -> bytes:
    settings: dict[str, Any] = {"headers": {}, "ssl": None, "open_timeout": 30.0, "body_limit": 1000} | options
    answer = await post(url, body, **settings)
    assert (answer.status, answer.reason, answer.url) == (200, "OK", url)
    return answer.body


async def echo(request: web.BaseRequest) -> web.Response:
    return web.Response(body=await request.read() + b" " + request.headers.get("X-User", "").encode())


class TestPost:
    async def test_the_body_travels_both_ways_with_headers(self) -> None:
        async with stock_server(echo) as url:
            assert await posted(url, b"a\nb", headers={"X-User": "alice"}) == b"a\nb alice"

    async def test_a_long_body_travels_without_a_warning(self) -> None:
        async def length(request: web.BaseRequest) -> web.Response:
            return web.Response(text=str(sum([len(chunk) async for chunk in request.content.iter_any()])))

        async with stock_server(length) as url:
            assert await posted(url, b"x" * 3_000_000) == b"3000000"

    async def test_a_header_replaces_our_own(self) -> None:
        async def content_type(request: web.BaseRequest) -> web.Response:
            return web.Response(text=", ".join(request.headers.getall("Content-Type")))

        async with stock_server(content_type) as url:
            assert await posted(url) == b"text/plain; charset=utf-8"
            assert await posted(url, headers={"content-type": "application/json"}) == b"application/json"

    async def test_a_status_that_is_no_success_fails_with_what_the_server_said(self) -> None:
        async def refuse(request: web.BaseRequest) -> web.Response:
            return web.Response(status=503, text="come back later\nor never")

        async with stock_server(refuse) as url:
            with pytest.raises(SessionClosed) as caught:
                await posted(url.replace("://", "://user:secret@"))
        said = "the server answered 503 Service Unavailable (come back later)"
        assert str(caught.value) == f"RPC request to {url} failed: {said}"
        assert (caught.value.url, caught.value.status) == (url, 503)
        assert caught.value.__notes__ == ["come back later\nor never"]

    async def test_redirects_are_not_followed(self) -> None:
        async def redirect(request: web.BaseRequest) -> web.Response:
            return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/"})

        async with stock_server(redirect) as url:
            with pytest.raises(SessionClosed, match=r"answered 307 Temporary Redirect \(to http://127\.0\.0\.1:1/\)"):
                await posted(url)

    async def test_a_response_beyond_the_limit_fails(self) -> None:
        async def flood(request: web.BaseRequest) -> web.Response:
            return web.Response(body=b"x" * 1001)

        async with stock_server(flood) as url:
            with pytest.raises(SessionClosed, match="longer than 1000 bytes") as caught:
                await posted(url)
            assert caught.value.status == 200

    async def test_nobody_listening_is_told(self) -> None:
        with pytest.raises(SessionClosed, match=r"RPC request to http://127\.0\.0\.1:1/ failed: ") as caught:
            await posted("http://127.0.0.1:1/")
        assert (caught.value.url, caught.value.status) == ("http://127.0.0.1:1/", None)

    async def test_tls_is_verified_unless_trusted(self) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(CERTIFICATE)
        async with stock_server(echo, tls) as url:
            assert await posted(url, ssl=ssl.create_default_context(cafile=CERTIFICATE)) == b"abc "
            with pytest.raises(SessionClosed, match="certificate verify failed"):
                await posted(url)
