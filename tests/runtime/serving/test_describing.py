"""Servers that say what they serve, with `serve(reflection=True)` and in mounts."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import aiohttp
import pytest

from capnweb_runtime import Peer, Refuse, RpcTarget, connect, serve
from capnweb_runtime.mounts.mount import Mounts
from capnweb_runtime.serving.options import rules_of
from capnweb_runtime.serving.peer import peer_of
from capnweb_runtime.transports.keepalive import Silence
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub, SubscriptionTarget
from tests.bench.generated.plain import PlainTarget


class Plain(PlainTarget):
    """Its IR was not written."""

    def add(self, a: int, b: int) -> int:
        return a + b


class Subscription(SubscriptionTarget):
    """Tells when it is disposed."""

    disposed = 0

    def cancel(self) -> None: ...

    def dispose(self) -> None:
        type(self).disposed += 1


async def answer(url: str, method: str = "GET", **options: Any) -> tuple[int, Mapping[str, str], str]:
    """Status, headers and text of what a server answers."""
    async with asyncio.timeout(30), aiohttp.request(method, url, **options) as response:
        return response.status, response.headers, await response.text()


async def asked(url: str, **options: Any) -> tuple[int, Any]:
    status, _, text = await answer(url, **options)
    return status, json.loads(text) if status == 200 else text


def front(peer: Peer) -> Front:
    return Front(Accounts())


async def test_a_get_is_answered_with_the_ir() -> None:
    async with serve(front, "127.0.0.1", 0, path="/rpc", reflection=True) as server:
        status, headers, text = await answer(server.http_url)
        assert (status, headers["Content-Type"]) == (200, "application/json")
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
        document = json.loads(text)
        assert document["main"] == [{"module": "schemas.accounts", "name": "PublicApi"}]
        async with connect(server.url, PublicApiStub) as api:
            assert await api.authenticate("secret").me() == 1
        assert (await asked(server.http_url.replace("/rpc", "/")))[0] == 404


async def test_nothing_is_told_unless_that_was_said() -> None:
    async with serve(front, "127.0.0.1", 0) as server:
        status, headers, _ = await answer(server.http_url)
        assert (status, headers["Allow"]) == (405, "POST")
    async with serve(front, "127.0.0.1", 0, reflection=True) as server:
        status, headers, _ = await answer(server.http_url, "PUT")
        assert (status, headers["Allow"]) == (405, "GET, POST")


async def test_pages_and_names_are_checked_as_for_a_session() -> None:
    async with serve(front, "127.0.0.1", 0, origins=["https://app.example"], reflection=True) as server:
        assert (await asked(server.http_url, headers={"Origin": "https://evil.example"}))[0] == 403
        assert (await asked(server.http_url, headers={"Host": "evil.example"}))[0] == 421
        status, headers, _ = await answer(server.http_url, headers={"Origin": "https://app.example"})
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, "https://app.example")


async def test_who_is_refused_a_session_is_told_nothing() -> None:
    def for_friends(peer: Peer) -> Front:
        if peer.headers.get("Authorization") != "friend":
            raise Refuse(401, "Who are you?")
        return front(peer)

    async with serve(for_friends, "127.0.0.1", 0, reflection=True) as server:
        assert await asked(server.http_url) == (401, "Who are you?\n")
        assert (await asked(server.http_url, headers={"Authorization": "friend"}))[0] == 200


async def test_each_peer_is_told_what_it_would_get() -> None:
    async def by_path(peer: Peer) -> RpcTarget:
        await asyncio.sleep(0)
        return Subscription() if peer.path == "/sub" else front(peer)

    before = Subscription.disposed
    async with serve(by_path, "127.0.0.1", 0, path=None, reflection=True) as server:
        told = [(await asked(server.http_url + path))[1]["main"][0]["name"] for path in ("sub", "api")]
        assert told == ["Subscription", "PublicApi"]
        assert server.stats().sessions.now == 0
    assert Subscription.disposed == before + 1  # what was made to be described has been given up


async def test_a_server_of_websockets_alone_answers_no_batches_with_it() -> None:
    async with serve(front, "127.0.0.1", 0, transports=["websocket"], reflection=True) as server:
        assert (await asked(server.http_url))[0] == 200
        assert (await answer(server.http_url, "POST"))[0] == 501


async def test_a_server_that_is_going_away_tells_nothing() -> None:
    async with serve(front, "127.0.0.1", 0, reflection=True) as server:
        server._admission.refusing = True
        assert (await answer(server.http_url))[0] == 503


def annotated(peer: Peer) -> Plain:
    return Plain()


class ForPeer(Plain):
    """Wants to know who asks."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer


@pytest.mark.parametrize("factory", [ForPeer, annotated, partial(annotated)])
def test_a_missing_ir_is_told_before_anything_listens(factory: Callable[[Peer], Plain]) -> None:
    with pytest.raises(LookupError, match=r"run: capnweb-gen tests/bench/schema .*--reflection"):
        _ = serve(factory, "127.0.0.1", 0, reflection=True)


async def test_a_missing_ir_that_comes_late_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with serve(lambda peer: Plain(), "127.0.0.1", 0, reflection=True) as server:
        assert await asked(server.http_url) == (501, "This server cannot say what it serves.\n")
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "run: capnweb-gen tests/bench/schema" in line.getMessage()


def test_webtransport_alone_cannot_tell() -> None:
    with pytest.raises(ValueError, match='it needs "websocket" or "http"'):
        rules_of(front, transports=frozenset(("webtransport",)), silence=Silence(None), reflection=True)


async def test_mounts_tell_it_too() -> None:
    async def nothing() -> bytes:
        return b""

    peer = peer_of([("Host", "localhost")], ("127.0.0.1", 1), "/rpc", "http")
    for reflection, status in ((True, 200), (False, 405)):
        mount = Mounts(front, ["http"], Silence(None), {"path": None, "reflection": reflection}).here()
        reply = await mount.reply("GET", peer, "127.0.0.1", nothing)
        assert reply.status == status
        assert (b'"PublicApi"' in reply.body) == reflection
        await mount.aclose()
