"""A mount in a Flask application, under gunicorn."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from capnweb_runtime import ConnectionRefused, connect
from capnweb_runtime.mounts.flask import blueprint
from tests.runtime.mounts.office import OfficeStub, OfficeTarget
from tests.runtime.mounts.servers import Running, running

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module", params=[["--threads", "4"], ["--preload", "--workers", "2"]], ids=["threads", "forked"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    arguments = ["gunicorn", "tests.runtime.mounts.with_flask:app", "--bind", "127.0.0.1:{port}", *request.param]
    with running("gunicorn", arguments) as one:
        yield one


async def test_batches(server: Running) -> None:
    url = server.url("/rpc?floor=1", "http")
    async with asyncio.timeout(30), connect(url, OfficeStub, headers={"Cookie": "a=1; b=2"}) as office:
        told, total = await asyncio.gather(office.who(), office.next_door().add(office.add(1, 2), 4))
    assert total == 7
    assert (told["path"], told["query"], told["client"], told["transport"]) == ("/rpc", "floor=1", True, "http")
    assert told["found"] == ["before the request", "1"]
    async with asyncio.timeout(30), connect(url, OfficeStub) as office:
        assert await office.echo("x" * 12 * MEGABYTE) == "x" * 12 * MEGABYTE


async def test_many_batches_at_a_time(server: Running) -> None:
    async def one(number: int) -> int:
        async with connect(server.url("/rpc", "http"), OfficeStub) as office:
            return await office.add(number, 1)

    async with asyncio.timeout(30):
        assert await asyncio.gather(*map(one, range(20))) == list(range(1, 21))


async def test_who_is_refused_is_told_the_status_and_the_text(server: Running) -> None:
    with pytest.raises(ConnectionRefused, match=r"Nobody has no office\.") as refused:
        async with connect(server.url("/rpc", "http"), OfficeStub, headers={"X-Agent": "nobody"}) as office:
            await office.add(1, 2)
    assert refused.value.status == 401


async def test_what_is_not_for_the_mount_gets_its_status_and_the_server_serves_on(server: Running) -> None:
    origin = "https://app.example"
    async with asyncio.timeout(30), aiohttp.ClientSession(base_url=server.url("", "http")) as client:
        for method, where, headers, status in (
            ("GET", "/rpc", {}, 405),
            ("OPTIONS", "/rpc", {}, 405),
            ("POST", "/rpc/elsewhere", {}, 404),
            *(("POST", "/rpc", {"Origin": page}, 403) for page in server.hostile_origins()),
            ("OPTIONS", "/rpc", {"Origin": origin, "Access-Control-Request-Method": "POST"}, 403),
            ("POST", "/rpc", {"Host": "evil.example"}, 421),
            ("POST", "/rpc", {"Content-Encoding": "gzip"}, 415),
            ("GET", "/rpc", {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}, 400),
            ("POST", "/rpc/", {}, 200),
        ):
            async with client.request(method, where, headers=headers) as answer:
                assert answer.status == status, (method, where, headers)
        own = server.url("", "http")
        preflight = {"Origin": own, "Access-Control-Request-Method": "POST"}
        async with client.options("/rpc", headers=preflight) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, own)
        async with client.post("/rpc", data=b"no message") as answer:
            assert answer.status == 500
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (33 * MEGABYTE))
        assert b" 413 " in await reader.readline()
        writer.close()


async def test_callbacks_fail_with_what_to_do(server: Running) -> None:
    async with asyncio.timeout(30), connect(server.url("/rpc", "http"), OfficeStub) as office:
        with pytest.raises(Exception, match="Use a ws:// URL"):
            await office.apply(lambda value: value, 1)


async def test_a_call_in_progress_is_answered_when_the_server_is_told_to_stop(tmp_path: Path) -> None:
    arguments = ["gunicorn", "tests.runtime.mounts.with_flask:app", "--bind", "127.0.0.1:{port}", "--threads", "4"]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    async def call(url: str) -> str:
        async with connect(url, OfficeStub) as office:
            return await office.read(str(pipe))

    with running("gunicorn", arguments) as server:
        async with asyncio.timeout(30):
            answer = asyncio.create_task(call(server.url("/rpc", "http")))
            writing = await asyncio.to_thread(pipe.open, "w")  # returns when the method reads
            server.stop()
            await asyncio.to_thread(server.wait_to_say, "Handling signal: term")
            writing.write("read")
            writing.close()
            assert await answer == "read"
        assert await asyncio.to_thread(server.process.wait, 20) == 0


def test_what_cannot_be_served_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="url_prefix has to be a path"):
        blueprint(OfficeTarget, url_prefix="rpc")
    with pytest.raises(ValueError, match="path has to start with a slash"):
        blueprint(OfficeTarget, path="rpc")
