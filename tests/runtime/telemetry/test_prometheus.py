"""Metrics for Prometheus, as its own client library gives them to whoever scrapes."""

from __future__ import annotations

import asyncio
import gc
from functools import partial

import aiohttp
import pytest
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from capnweb_runtime import AnyStub, Limits, Pool, RpcError, SessionClosed, connect, serve
from capnweb_runtime.health import Health
from capnweb_runtime.mounts.asgi import CapnwebASGI
from capnweb_runtime.telemetry.prometheus import Metrics, exposition
from tests.chaos.generated.bank import BankStub
from tests.chaos.proxy import Proxy
from tests.chaos.server import Bank, State
from tests.runtime.connecting.test_reconnecting import AT_ONCE
from tests.runtime.telemetry.answering import PATIENCE, Answering, SearchStub, TooBroad, joined, until
from tests.runtime.test_cancellation import Search, asked

SERVED, MADE = "rpc_server_call_duration_seconds", "rpc_client_call_duration_seconds"


class Scraped:
    """What a registry of its own has."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)

    def calls(self, name: str = SERVED) -> dict[tuple[str, str], float]:
        """How many calls were counted, by method and error."""
        return {
            (sample.labels["rpc_method"], sample.labels["error_type"]): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == f"{name}_count"
        }

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"capnweb_{name}", labels)

    def names(self) -> set[str]:
        return {family.name for family in self.registry.collect()}


@pytest.fixture
def scraped() -> Scraped:
    return Scraped()


class TestCalls:
    async def test_they_are_counted_at_each_end_by_method_and_error(self, scraped: Scraped) -> None:
        metrics = scraped.metrics
        async with joined(Answering(), [metrics], [metrics]) as search:
            for _ in range(3):
                await search.count([])
            await search.each("x", lambda number, *, last=False: True)
            with pytest.raises(TooBroad):
                await search.find("everything")
            with pytest.raises(RpcError):
                await search.find("trouble")
        served = {("Search/count", ""): 3, ("Search/each", ""): 1, ("callback", ""): 1}
        failed = {("Search/find", "TooBroad"): 1}
        assert scraped.calls(SERVED) == {**served, **failed, ("Search/find", "KeyError"): 1}
        assert scraped.calls(MADE) == {**served, **failed, ("Search/find", "RpcError"): 1}

    async def test_a_stream_is_counted_when_it_ends(self, scraped: Scraped) -> None:
        target = Answering()
        target.may_go_on.clear()
        async with joined(target, serving=[scraped.metrics]) as search:
            chunks = await search.follow("x")
            assert await anext(chunks) == 0
            assert scraped.calls() == {}
            target.may_go_on.set()
            assert [number async for number in chunks] == [1]
            await until(lambda: scraped.calls() == {("Search/follow", ""): 1})

    async def test_ten_thousand_names_and_hostile_ones_are_one_series(self, scraped: Scraped) -> None:
        hostile = ['x"} 1\nforged 1', "\\", "\x1b[2K", "x" * 10_000, "Search/count", "_OTHER"]
        async with joined(Answering(), serving=[scraped.metrics]) as search:
            anything = AnyStub(search._hook.dup())
            for begin in range(0, 10_000, 100):
                names = range(begin, begin + 100)
                await asyncio.gather(*(anything.call(f"n{name}") for name in names), return_exceptions=True)
            await asyncio.gather(*map(anything.call, hostile), return_exceptions=True)
            await search.count([])
        assert scraped.calls() == {("_OTHER", "TypeError"): 10_000 + len(hostile), ("Search/count", ""): 1}
        body, _ = exposition(scraped.registry)
        assert b"forged" not in body
        families = {family.name.removesuffix("_created") for family in text_string_to_metric_families(body.decode())}
        assert families == scraped.names()

    async def test_names_that_a_peer_gives_its_errors_are_nobodys_label(self, scraped: Scraped) -> None:
        class Naming(Answering):
            async def find(self, word: str, limit: int = 10) -> list[int]:
                raise RpcError("no", word)

        async with joined(Naming(), [scraped.metrics]) as search:
            for number in range(100):
                with pytest.raises(RpcError):
                    await search.find(f"Error{number}")
        assert scraped.calls(MADE) == {("Search/find", "RpcError"): 100}

    async def test_a_call_that_was_given_up_unasked_is_not_counted(self, scraped: Scraped) -> None:
        async with joined(Answering(), [scraped.metrics]) as search:
            assert await search.inside("x").count([]) == 0
        await asyncio.sleep(0)
        assert scraped.calls(MADE) == {("Search/count", ""): 1}


class TestServers:
    async def test_what_a_server_holds_is_read_when_somebody_scrapes(self, scraped: Scraped) -> None:
        target, value = Search(), partial(scraped.value, server="")
        async with asyncio.timeout(PATIENCE), serve(lambda peer: target, "127.0.0.1", 0) as server:
            scraped.metrics.watch_server(server)
            assert [value(f"server_{name}") for name in ("sessions", "calls_in_progress", "exports")] == [0, 0, 0]
            async with connect(server.url, SearchStub) as search:
                call = asked(search.count([]))
                await target.begun.wait()
                assert value("server_sessions") == value("server_connections") == 1
                assert value("server_calls_in_progress") == 1
                assert value("server_exports") == 2
                assert value("server_imports") == 1
                target.may_end.set()
                assert await call == 7
            async with connect(server.http_url, SearchStub) as search:
                await search.count([])
            assert value("server_sessions_opened_total") == 2
            assert value("server_queued_bytes") == value("server_held_bytes") == 0
            assert scraped.value("server_bound", server="", bound="calls") == server.stats().calls.most

    async def test_refusals_are_counted_by_status_and_bounds_by_name(self, scraped: Scraped) -> None:
        def nobody(peer: object) -> Answering:
            raise PermissionError("no")

        async with serve(nobody, "127.0.0.1", 0, path="/rpc", hosts=["api.example", "127.0.0.1"]) as server:
            scraped.metrics.watch_server(server, "public")
            for url, headers in ((server.url, {}), (server.url + "/x", {}), (server.url, {"Host": "evil.example"})):
                with pytest.raises(SessionClosed):
                    await connect(url, SearchStub, headers=headers)
        refused = {
            status: scraped.value("server_sessions_refused_total", server="public", status=status)
            for status in ("404", "421", "500")
        }
        assert refused == {"404": 1, "421": 1, "500": 1}

    async def test_limits_that_were_passed_are_counted(self, scraped: Scraped) -> None:
        target, limits = Search(), Limits(calls=1, message_size=10_000)
        async with serve(
            lambda peer: target, "127.0.0.1", 0, limits=limits, observer=scraped.metrics.observer()
        ) as server:
            scraped.metrics.watch_server(server)
            async with connect(server.url, SearchStub) as search:
                first = asked(search.count([]))
                await target.begun.wait()
                with pytest.raises(RpcError, match="calls are running"):
                    await search.count([])
                assert scraped.value("limits_passed_total") == 1
                target.may_end.set()
                await first
                with pytest.raises(SessionClosed):
                    await search.count([0] * 10_000)
            await until(lambda: not server.stats().sessions.now)
            assert scraped.value("server_sessions_ended_at_limits_total", server="") == 1
        assert scraped.value("limits_passed_total") == 2

    async def test_a_mount_is_watched_from_a_thread_as_well(self, scraped: Scraped) -> None:
        mount = CapnwebASGI(lambda peer: Answering())
        scraped.metrics.watch_server(mount, "mount")
        assert "capnweb_server_sessions" not in await asyncio.to_thread(scraped.names)
        await mount.drain(0)
        assert await asyncio.to_thread(scraped.value, "server_sessions", server="mount") == 0
        assert scraped.value("server_sessions", server="mount") == 0

    async def test_each_has_a_name_of_its_own_and_what_is_gone_is_not_shown(self, scraped: Scraped) -> None:
        async def served() -> None:
            async with (
                serve(lambda peer: Answering(), "127.0.0.1", 0) as server,
                serve(lambda peer: Answering(), "127.0.0.1", 0) as other,
            ):
                scraped.metrics.watch_server(server, "a")
                scraped.metrics.watch_server(server, "a")
                with pytest.raises(ValueError, match=r"a server is watched by the name 'a' already"):
                    scraped.metrics.watch_server(other, "a")
                scraped.metrics.watch_server(other, "b")
                assert scraped.value("server_sessions", server="a") == 0

        await served()
        for _ in range(3):
            await asyncio.sleep(0)
        gc.collect()
        assert "capnweb_server_sessions" not in scraped.names()


class TestClients:
    async def test_a_client_shows_what_it_holds(self, scraped: Scraped) -> None:
        async with serve(lambda peer: Answering(), "127.0.0.1", 0) as server:
            connecting = connect(server.url, SearchStub)
            scraped.metrics.watch_client(connecting, "search")
            assert scraped.value("client_imports", client="search") is None
            async with connecting as search:
                await search.count([])
                assert scraped.value("client_imports", client="search") == connecting.stats().imports
                assert scraped.value("client_exports", client="search") == connecting.stats().exports
                assert scraped.value("client_reconnects_total", client="search") == 0

    async def test_reconnects_are_counted(self, scraped: Scraped) -> None:
        state = State()
        async with (
            asyncio.timeout(PATIENCE),
            serve(lambda peer: Bank(state), "127.0.0.1", 0, path="/") as server,
            Proxy(server.port) as proxy,
        ):
            connecting = connect(proxy.url, BankStub, reconnect=AT_ONCE)
            scraped.metrics.watch_client(connecting)
            assert scraped.value("client_reconnects_total", client="") is None
            async with connecting as api:
                for lost in (0, 1, 2):
                    assert await api.get("x") == 1
                    assert scraped.value("client_reconnects_total", client="") == lost
                    proxy.cut()

    async def test_a_pool_shows_what_it_has(self, scraped: Scraped) -> None:
        async with (
            serve(lambda peer: Answering(), "127.0.0.1", 0) as server,
            Pool(server.url, SearchStub, size=2) as pool,
        ):
            scraped.metrics.watch_pool(pool, "search")
            await pool.stub.count([])
            assert scraped.value("pool_sessions", pool="search") == 1
            assert scraped.value("pool_sessions_opened_total", pool="search") == 1
            assert scraped.value("pool_calls_in_progress", pool="search") == 0


class TestExposition:
    async def test_it_is_what_health_gives_at_its_path(self, scraped: Scraped) -> None:
        health = Health(metrics="/metrics", exposition=partial(exposition, scraped.registry))
        async with serve(
            lambda peer: Answering(), "127.0.0.1", 0, interceptors=[scraped.metrics], health=health
        ) as server:
            scraped.metrics.watch_server(server, 'a"b\nc')
            async with connect(server.url, SearchStub) as search:
                await search.count([])
                url = f"http://127.0.0.1:{server.port}/metrics"
                async with aiohttp.ClientSession() as session, session.get(url) as answer:
                    assert answer.headers["Content-Type"] == CONTENT_TYPE_LATEST
                    text = await answer.text()
        samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert samples[("capnweb_server_sessions", ("server", 'a"b\nc'))] == 1
        assert samples[(f"{SERVED}_count", ("error_type", ""), ("rpc_method", "Search/count"))] == 1

    def test_a_registry_has_them_once(self, scraped: Scraped) -> None:
        with pytest.raises(ValueError, match="Duplicated timeseries"):
            Metrics(scraped.registry)

    def test_the_registry_of_the_process_is_the_usual_one(self) -> None:
        body, kind = exposition()
        assert b"python_info" in body
        assert kind == CONTENT_TYPE_LATEST
