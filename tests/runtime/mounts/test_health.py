"""What a mount says of its health, inside an ASGI, an aiohttp and a Flask application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from flask import Flask
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Mount

from capnweb_runtime import AnyStub, connect
from capnweb_runtime.health import Check, Health
from capnweb_runtime.mounts.aiohttp import CapnwebAiohttp
from capnweb_runtime.mounts.asgi import CapnwebASGI
from capnweb_runtime.mounts.flask import blueprint
from capnweb_runtime.telemetry.prometheus import Metrics, exposition
from tests.runtime.mounts.office import OfficeTarget
from tests.runtime.mounts.test_asgi import Client

Answered = tuple[int, str, str]
"""Status, type and text of an answer."""
Ask = Callable[..., Awaitable[Answered]]
BATCH = '["push",["pipeline",0,["add"],[1,2]]]\n["pull",1]'


@dataclass
class Mounted:
    """A mount in an application.

    Attributes:
        ask: asks at a path of the application.
        drain: ends the mount, where the application can.
        below: what stands before the paths of health.
        sessions: the path of sessions.
    """

    ask: Ask
    drain: Callable[[], Awaitable[None]] | None = None
    below: str = ""
    sessions: str = "/rpc"


def in_asgi(**options: Any) -> Mounted:
    mount = CapnwebASGI(OfficeTarget, **options)
    app = Starlette(routes=[Mount("/rpc", mount)])

    async def ask(path: str, method: str = "GET", body: str = "") -> Answered:
        client = Client(app, "http", path=path, method=method)
        client.say("http.request", body=body.encode(), more_body=False)
        start, content = await client.told(), await client.told()
        await client.end()
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], headers.get("content-type", ""), content["body"].decode()

    return Mounted(ask, mount.drain, "/rpc", "/rpc/")


def in_flask(**options: Any) -> Mounted:
    app = Flask(__name__)
    app.register_blueprint(blueprint(OfficeTarget, url_prefix="/rpc", **options))

    def asked(path: str, method: str = "GET", body: str = "") -> Answered:
        answer = app.test_client().open(path, method=method, data=body)
        return answer.status_code, answer.content_type or "", answer.text

    async def ask(path: str, method: str = "GET", body: str = "") -> Answered:
        return await asyncio.to_thread(asked, path, method, body)

    return Mounted(ask)


Make = Callable[..., Awaitable[Mounted]]


@pytest.fixture(params=["asgi", "aiohttp", "flask"])
async def mounted(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Makes an application with a mount at /rpc, which has the given options."""
    clients: list[TestClient[web.Request, web.Application]] = []

    async def make(**options: Any) -> Mounted:
        if request.param == "asgi":
            return in_asgi(**options)
        if request.param == "flask":
            return in_flask(**options)
        mount, app = CapnwebAiohttp(OfficeTarget, **options), web.Application()
        mount.add_to(app, "/rpc")
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)

        async def ask(path: str, method: str = "GET", body: str = "") -> Answered:
            async with client.request(method, path, data=body) as answer:
                return answer.status, answer.headers.get("Content-Type", ""), await answer.text()

        return Mounted(ask, mount.drain)

    yield make
    for client in clients:
        await client.close()


HEALTH = Health(alive="/healthz", ready="/readyz")


async def test_it_is_alive_and_ready_and_serves_sessions(mounted: Make) -> None:
    one = await mounted(health=HEALTH)
    assert await one.ask(f"{one.below}/healthz") == (200, "text/plain; charset=utf-8", "alive\n")
    status, kind, text = await one.ask(f"{one.below}/readyz")
    assert (status, kind, json.loads(text)) == (200, "application/json", {"status": "ready", "checks": {}})
    status, _, text = await one.ask(one.sessions, "POST", BATCH)
    assert (status, text) == (200, '["resolve",1,3]')


async def test_nothing_is_said_where_nothing_was_asked_for(mounted: Make) -> None:
    one = await mounted()
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await one.ask(one.below + path))[0] == 404


async def test_other_methods_than_get_are_refused(mounted: Make) -> None:
    one = await mounted(health=HEALTH)
    assert (await one.ask(f"{one.below}/healthz", "POST"))[0] == 405
    assert (await one.ask(f"{one.below}/healthz", "HEAD"))[0] == 200


async def test_without_what_it_needs_it_is_not_ready_and_says_what(mounted: Make) -> None:
    def database() -> None:
        raise ConnectionError("no database at db.internal")

    health = Health(ready="/readyz", checks=[Check("database", database), Check("cache", lambda: True)])
    one = await mounted(health=health)
    status, _, text = await one.ask(f"{one.below}/readyz")
    report = json.loads(text)
    assert (status, report["status"]) == (503, "not ready")
    assert {name: check["state"] for name, check in report["checks"].items()} == {"database": "failed", "cache": "ok"}
    assert "internal" not in text


@pytest.mark.parametrize("mounted", ["asgi", "aiohttp"], indirect=True)
async def test_while_it_is_drained_it_is_alive_and_not_ready(mounted: Make) -> None:
    one = await mounted(health=HEALTH)
    assert one.drain is not None
    assert (await one.ask(f"{one.below}/readyz"))[0] == 200
    await one.drain()
    assert (await one.ask(f"{one.below}/healthz"))[0] == 200
    status, _, text = await one.ask(f"{one.below}/readyz")
    assert (status, json.loads(text)["status"]) == (503, "draining")


async def test_metrics_are_those_of_prometheus(mounted: Make) -> None:
    registry = CollectorRegistry()
    health = Health(metrics="/metrics", exposition=partial(exposition, registry))
    one = await mounted(health=health, interceptors=[Metrics(registry)])
    assert (await one.ask(one.sessions, "POST", BATCH))[2] == '["resolve",1,3]'
    status, kind, text = await one.ask(f"{one.below}/metrics")
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert 'rpc_server_call_duration_seconds_count{error_type="",rpc_method="Office/add"} 1.0' in text


def test_a_page_and_sessions_cannot_have_one_path() -> None:
    health = Health(alive="/rpc")
    for make in (
        lambda: CapnwebASGI(OfficeTarget, path="/rpc", health=health),
        lambda: CapnwebAiohttp(OfficeTarget, health=health).add_to(web.Application(), "/rpc"),
        lambda: blueprint(OfficeTarget, url_prefix="/rpc/", health=health),
    ):
        with pytest.raises(ValueError, match="two things are to be served at /rpc"):
            make()


async def test_sessions_and_pages_share_a_port() -> None:
    app = web.Application()
    CapnwebAiohttp(OfficeTarget, health=HEALTH).add_to(app, "/rpc")
    async with (
        TestServer(app) as server,
        connect(str(server.make_url("/rpc")).replace("http", "ws"), AnyStub) as office,
        ClientSession() as client,
        client.get(server.make_url("/readyz")) as answer,
    ):
        assert await office.call("add", 1, 2) == 3
        assert answer.status == 200
