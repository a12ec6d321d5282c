"""Whether a server is alive and ready, as those see it who probe it over HTTP."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from capnweb_runtime import connect, serve
from capnweb_runtime.health import Check, Health
from capnweb_runtime.serving.server import Server
from tests.runtime.transports.example_api import Example, ExampleStub, Gates

READY = Health(alive="/healthz", ready="/readyz")


async def asked(server: Server, path: str, method: str = "GET", **options: Any) -> tuple[int, Any]:
    """Status and content of an answer."""
    url = f"http://127.0.0.1:{server.port}{path}"
    async with asyncio.timeout(30), aiohttp.ClientSession() as session, session.request(method, url, **options) as got:
        assert got.headers.get("Cache-Control") == "no-store" or got.status in {404, 405}
        return got.status, await (got.json() if "json" in got.content_type else got.text())


def checked(*checks: Check, max_age: float = 1.0) -> Health:
    return Health(ready="/readyz", checks=checks, max_age=max_age)


async def fine() -> None:
    pass


async def broken() -> None:
    raise ConnectionError("no database at db.internal:5432")


async def test_nothing_is_said_where_nothing_was_asked_for() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc") as server:
        assert [(await asked(server, path))[0] for path in ("/healthz", "/readyz", "/metrics")] == [404, 404, 404]


async def test_a_server_is_alive_and_ready_and_serves_sessions() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, health=READY) as server:
        assert await asked(server, "/healthz") == (200, "alive\n")
        assert await asked(server, "/readyz") == (200, {"status": "ready", "checks": {}})
        assert await asked(server, "/readyz", "HEAD") == (200, None)
        async with connect(server.url, ExampleStub) as example:
            assert await example.add(1, 2) == 3


async def test_who_probes_by_address_or_from_a_page_is_answered() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, hosts=["api.example"], health=READY) as server:
        headers = {"Host": "10.0.0.7:8080", "Origin": "https://page.example"}
        assert (await asked(server, "/healthz", headers=headers))[0] == 200


async def test_other_methods_are_refused_and_bodies_are_not_read() -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, health=READY) as server:
        assert (await asked(server, "/healthz", "POST", data="x"))[0] == 405
        assert await asked(server, "/healthz", data="x" * 100_000) == (200, "alive\n")


async def test_a_drained_server_is_alive_and_not_ready() -> None:
    gates = Gates()
    async with serve(lambda _: Example(gates=gates), "127.0.0.1", 0, health=READY) as server:
        async with asyncio.timeout(30), connect(server.url, ExampleStub) as example:
            call = asyncio.ensure_future(example.wait("a"))
            await gates.come("a").wait()
            draining = asyncio.create_task(server.drain())
            await asyncio.sleep(0)
            assert await asked(server, "/healthz") == (200, "alive\n")
            assert await asked(server, "/readyz") == (503, {"status": "draining", "checks": {}})
            gates.open("a").set()
            assert await call == "a"
        await draining


@pytest.mark.parametrize(
    ("required", "status", "said"), [(True, 503, "not ready"), (False, 200, "degraded")], ids=["required", "optional"]
)
async def test_what_fails_is_reported_by_name_and_logged_with_the_reason(
    required: bool, status: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    health = checked(Check("cache", fine), Check("database", broken, required=required))
    async with serve(lambda _: Example(), "127.0.0.1", 0, health=health) as server:
        found, report = await asked(server, "/readyz")
    assert (found, report["status"]) == (status, said)
    states = {name: (check["state"], check["required"]) for name, check in report["checks"].items()}
    assert states == {"cache": ("ok", True), "database": ("failed", required)}
    assert "db.internal" not in str(report)
    assert "the check database failed" in caplog.text
    assert "ConnectionError: no database at db.internal:5432" in caplog.text


async def never() -> None:
    await asyncio.get_running_loop().create_future()


async def also_awaited() -> bool:
    return False


def in_a_thread() -> bool:
    return threading.current_thread() is not threading.main_thread()


@pytest.mark.parametrize(
    ("run", "state"),
    [
        (never, "timed out"),
        (also_awaited, "failed"),
        (in_a_thread, "ok"),
        (lambda: fine(), "ok"),
        (lambda: False, "failed"),
        (lambda: 1 / 0, "failed"),
    ],
)
async def test_a_check_may_wait_return_raise_or_block(
    run: Callable[[], Awaitable[object] | object], state: str
) -> None:
    async with serve(lambda _: Example(), "127.0.0.1", 0, health=checked(Check("it", run, timeout=0.05))) as server:
        assert (await asked(server, "/readyz"))[1]["checks"]["it"]["state"] == state


async def test_a_crowd_of_probes_is_one_check() -> None:
    runs = 0

    async def count() -> None:
        nonlocal runs
        runs += 1

    async with serve(lambda _: Example(), "127.0.0.1", 0, health=checked(Check("it", count), max_age=1e9)) as server:
        assert {status for status, _ in await asyncio.gather(*(asked(server, "/readyz") for _ in range(20)))} == {200}
        assert runs == 1


async def test_the_log_has_what_changes_and_not_each_probe(caplog: pytest.LogCaptureFixture) -> None:
    works = [False]
    caplog.set_level(logging.INFO, "capnweb_runtime.health")
    async with serve(
        lambda _: Example(), "127.0.0.1", 0, health=checked(Check("it", lambda: works[0]), max_age=0)
    ) as server:
        for works[0] in (False, False, True, True, False):
            await asked(server, "/readyz")
    told = [record.getMessage().split(" after")[0] for record in caplog.records if "check" in record.name + record.msg]
    assert told == ["the check it failed", "the check it is ok again", "the check it failed"]


async def test_metrics_are_what_gives_them() -> None:
    health = Health(metrics="/metrics", exposition=lambda: (b"up 1\n", "text/plain; version=0.0.4"))
    async with serve(lambda _: Example(), "127.0.0.1", 0, health=health) as server:
        assert await asked(server, "/metrics") == (200, "up 1\n")


async def test_a_page_and_sessions_cannot_have_one_path() -> None:
    with pytest.raises(ValueError, match=r"two things are to be served at /rpc"):
        await serve(lambda _: Example(), "127.0.0.1", 0, path="/rpc", health=Health(alive="/rpc"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Health(alive="healthz"), r"start with a slash, as in '/healthz'"),
        (lambda: Health(alive="/x", ready="/x"), "the paths of health have to differ"),
        (lambda: Health(ready="/x", checks=[Check("a", fine), Check("a", fine)]), "a name of its own: a, a"),
        (lambda: Health(alive="/x", checks=[Check("a", fine)]), r'as in ready="/readyz"'),
        (lambda: Health(metrics="/metrics"), "metrics need a path and what gives them"),
        (lambda: Check("", fine), "a check needs a name"),
        (lambda: Check("a", fine, timeout=0), "has to be more than 0 seconds"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()
