"""Who may look at a server, from where, and what that leaves alone."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import aiohttp
import pytest

from capnweb_runtime import ConnectionRefused, Peer, connect, serve
from capnweb_runtime.inspector import Inspector
from capnweb_runtime.inspector.generated.inspection import DoorStub
from capnweb_runtime.serving.server import Server
from tests.runtime.inspector.looking import door, looking
from tests.runtime.transports.example_api import Example, ExampleStub

TOKEN = "correct horse battery staple"


async def asked(server: Server, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, str]:
    """Status, headers and text of an answer."""
    url = f"http://127.0.0.1:{server.port}{path}"
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers) as got,
    ):
        return got.status, got.headers, await got.text()


async def test_there_is_no_inspector_unless_it_is_asked_for() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc") as server:
        assert server.inspector_url == ""
        assert (await asked(server, "/inspector"))[0] == 404
        with pytest.raises(ConnectionRefused):
            async with connect(f"ws://127.0.0.1:{server.port}/inspector/session", DoorStub) as opened:
                await opened.authenticate(TOKEN)


async def test_the_page_is_whole_and_nothing_else_may_run_in_it() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=True) as server:
        status, headers, text = await asked(server, "/inspector")
    assert status == 200
    assert text.startswith("<!doctype html>")
    assert not [word for word in (' src="', "@import", "//cdn", "url(") if word in text]
    assert len(text) < 150_000
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert server.inspector_url.partition("#")[2] not in text


@pytest.mark.parametrize(
    "host", ["rebound.example", "rebound.example:80", "localhost.rebound.example", "", "127.0.0.1.nip.io"]
)
async def test_a_name_that_leads_here_from_elsewhere_is_refused(host: str) -> None:
    inspector = Inspector(token=TOKEN)
    async with serve(lambda _: Example(), "127.0.0.1", 0, hosts=["*"], inspector=inspector) as server:
        assert (await asked(server, "/inspector", Host=host))[0] == 403
        with pytest.raises(ConnectionRefused, match="403"):
            async with connect(door(server)[0], DoorStub, headers={"Host": host}) as opened:
                await opened.authenticate(TOKEN)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9", "[::1]:80", "192.0.2.7", "inspect.example"])
async def test_names_of_this_machine_addresses_and_allowed_names_lead_to_the_page(host: str) -> None:
    inspector = Inspector(token=TOKEN, hosts=["inspect.example"])
    async with serve(lambda _: Example(), "127.0.0.1", 0, inspector=inspector) as server:
        assert (await asked(server, "/inspector", Host=host))[0] == 200


async def test_pages_of_others_are_refused_even_where_they_may_call_the_server() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, origins=["*"], inspector=True) as server:
        assert (await asked(server, "/inspector", Origin="https://page.example"))[0] == 403
        url, token = door(server)
        with pytest.raises(ConnectionRefused, match="403"):
            async with connect(url, DoorStub, headers={"Origin": "https://page.example"}) as opened:
                await opened.authenticate(token)
        own = f"http://127.0.0.1:{server.port}"
        async with connect(url, DoorStub, headers={"Origin": own}) as opened:
            assert (await opened.authenticate(token).about()).path == "/"


async def test_a_wrong_token_opens_nothing_and_is_answered_late_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("capnweb_runtime.inspector.target.sleep", sleep)
    async with serve(lambda _: Example(), "127.0.0.1", 0, inspector=Inspector(wrong_token_delay=3)) as server:
        url, token = door(server)
        async with connect(url, DoorStub) as opened:
            for wrong in ("", token[:-1], token + "x", "\ud800é"):
                with pytest.raises(PermissionError, match="not the token"):
                    await opened.authenticate(wrong).about()
            assert (await opened.authenticate(token).about()).calls is False
    assert waited == [3.0] * 4
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 4
    assert token not in caplog.text


async def test_the_token_is_another_one_for_each_server() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, inspector=True) as one,
        serve(lambda _: Example(), "127.0.0.1", 0, inspector=True) as other,
    ):
        assert door(one)[1] != door(other)[1]
        assert len(door(one)[1]) >= 32


@pytest.mark.parametrize("host", ["0.0.0.0", "::", None, "192.0.2.1", "api.example"])
def test_a_server_that_others_reach_needs_a_token_of_its_own(host: str | None) -> None:
    with pytest.raises(ValueError, match="needs a token of its own"):
        _ = serve(lambda _: Example(), host, 0, inspector=True)
    _ = serve(lambda _: Example(), host, 0, inspector=Inspector(token=TOKEN))


def test_a_socket_that_others_reach_needs_one_too() -> None:
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        with pytest.raises(ValueError, match=r"listens on 0\.0\.0\.0"):
            _ = serve(lambda _: Example(), sock=listening, inspector=True)
    with pytest.raises(ValueError, match="is a file"):
        _ = serve(lambda _: Example(), unix="/tmp/server.sock", inspector=True)


def test_what_is_no_inspector_is_refused_and_one_without_http() -> None:
    with pytest.raises(TypeError, match='has to be True, "calls"'):
        _ = serve(lambda _: Example(), "127.0.0.1", 0, inspector="yes")  # type: ignore[arg-type]  # which is the point
    with pytest.raises(ValueError, match="two things"):
        asyncio.run(_started("/rpc", "/rpc"))


async def _started(path: str, inspector: str) -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, path=path, inspector=Inspector(path=inspector)):
        pass


async def test_a_token_of_its_makers_is_not_logged_and_one_of_the_process_is(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serve(lambda _: Example(), "127.0.0.1", 0, inspector=True) as server:
        assert server.inspector_url in caplog.text
    caplog.clear()
    async with serve(lambda _: Example(), "127.0.0.1", 0, inspector=Inspector(token=TOKEN)) as server:
        assert server.inspector_url.endswith(TOKEN)
        assert TOKEN not in caplog.text


async def test_who_looks_is_none_of_the_sessions_that_are_shown_and_counted() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=True) as server,
        looking(server) as inspection,
        connect(server.url, ExampleStub) as example,
    ):
        await example.add(1, 2)
        shown = await inspection.sessions("", "newest", 0, 10)
        assert (shown.total, [row.received for row in shown.rows]) == (1, [1])
        assert server.stats().sessions.now == 1


async def test_sessions_of_every_path_are_shown_where_every_path_is_served() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path=None, inspector=True) as server,
        looking(server) as inspection,
        connect(f"{server.url}anything", ExampleStub) as example,
    ):
        assert await example.add(1, 2) == 3
        assert (await inspection.about()).path is None
        assert (await inspection.sessions("", "newest", 0, 10)).total == 1


async def test_a_server_closes_while_somebody_looks() -> None:
    async with asyncio.timeout(30):
        server = await serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=True)
        async with looking(server) as inspection:
            await inspection.calls(0, None)
            await server.close()


async def test_batches_over_http_are_seen_while_somebody_looks() -> None:
    async with (
        serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", inspector=True) as server,
        looking(server) as inspection,
    ):
        await inspection.calls(0, None)
        async with connect(server.http_url, ExampleStub) as example:
            assert await example.add(1, 2) == 3
        [call] = (await inspection.calls(0, None)).calls
        assert (call.name, call.arguments, call.state, call.outcome) == ("Example.add", "a: 1, b: 2", "done", "3")


async def test_a_factory_sees_the_peers_that_it_saw_before() -> None:
    seen: list[str] = []

    def main(peer: Peer) -> Example:
        seen.append(peer.path)
        return Example()

    async with serve(main, "127.0.0.1", 0, path="/rpc", inspector=True) as server, looking(server) as inspection:
        await inspection.about()
        async with connect(server.url, ExampleStub) as example:
            await example.add(1, 2)
    assert seen == ["/rpc"]
