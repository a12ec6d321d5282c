"""Rate limits over whole sessions, in memory and on Redis: who is let in, what the others are told, and what becomes of
them when the engine does not answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from capnweb_runtime import CallInfo, RateLimited, RpcError, connect, serve
from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale.rate_limits import RateLimit, RateLimits, RateLimitStats
from capnweb_runtime.telemetry.prometheus import Metrics
from examples.demo.server import Accounts, Front
from examples.form.processes import started
from generated.accounts import PublicApiStub
from tests.gen.golden.raises.expected import DirectoryStub
from tests.gen.test_raises import Directory
from tests.interop.node import program
from tests.needs import needs_node, needs_redis
from tests.runtime.scale.servers import RedisServer, Server
from tests.runtime.scale.test_windows import Clock

REDIS = pytest.param("redis", marks=needs_redis)


@pytest.fixture(params=["memory", REDIS])
def url(request: pytest.FixtureRequest) -> str:
    """Where is counted."""
    if request.param == "memory":
        return "memory:"
    server: Server = request.getfixturevalue("redis_server")
    return server.url


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """What keeps tests apart that share a server."""
    return f"{abs(hash(request.node.nodeid)):x}"


@pytest.fixture
def own() -> Iterator[Server]:
    """A Redis that this test alone has."""
    server = RedisServer()
    yield server
    server.close()


async def proceeds(call: CallInfo) -> str:
    return "ran"


def call(name: str = "Search.find", user: str = "ada") -> CallInfo:
    interface, _, method = name.partition(".")
    return CallInfo(interface, method, served=True, metadata={"user": user})


def user(call: CallInfo) -> str | None:
    return call.metadata.get("user")


async def outcomes(limits: RateLimits, number: int, one: CallInfo) -> tuple[int, list[RateLimited]]:
    """How many of so many calls at once run, and what the others fail with."""
    found = await asyncio.gather(*(limits(one, proceeds) for _ in range(number)), return_exceptions=True)
    refusals = [each for each in found if isinstance(each, RateLimited)]
    assert found.count("ran") + len(refusals) == number, found
    return found.count("ran"), refusals


@asynccontextmanager
async def served(limits: Collection[Any]) -> AsyncIterator[PublicApiStub]:
    accounts = Accounts()
    async with (
        serve(lambda peer: Front(accounts), "127.0.0.1", 0, interceptors=[*limits]) as server,
        connect(server.url, PublicApiStub) as api,
    ):
        yield api


# ---- who is let in


async def test_as_many_are_let_in_as_the_rule_says_and_the_others_are_told_when(url: str, name: str) -> None:
    async with RateLimits([RateLimit("20/hour")], url, principal=user, name=name) as limits:
        ran, refusals = await outcomes(limits, 50, call())
        assert ran == 20
        waits = [refusal.retry_after for refusal in refusals]
        assert all(wait is not None and 3500 < wait <= 3600 for wait in waits)
        assert (await outcomes(limits, 5, call(user="bob")))[0] == 5
        assert limits.stats() == RateLimitStats(admitted=25, refused=30, uncounted=0)


async def test_who_waits_as_long_as_was_said_is_let_in() -> None:
    clock = Clock()
    limits = RateLimits([RateLimit("2/minute")], clock=clock)
    assert await limits(call(), proceeds) == "ran"
    clock.now += 20
    assert await limits(call(), proceeds) == "ran"
    with pytest.raises(RateLimited, match=r"more than 2/minute: call again in 40\.0 s") as refused:
        await limits(call(), proceeds)
    assert refused.value.retry_after == 40.0
    clock.now += 40
    assert await limits(call(), proceeds) == "ran"


async def test_all_rules_have_to_let_a_call_in_and_the_longest_wait_is_told(url: str, name: str) -> None:
    rules = [RateLimit("2/minute", methods=["Search.find"]), RateLimit("4/hour")]
    async with RateLimits(rules, url, name=name) as limits:
        assert (await outcomes(limits, 2, call()))[0] == 2
        assert (await outcomes(limits, 2, call("Search.count")))[0] == 2
        ran, refusals = await outcomes(limits, 1, call())
        assert ran == 0
        assert (refusals[0].retry_after or 0) > 3000


async def test_calls_that_one_rule_refuses_take_nothing_of_the_others(url: str, name: str) -> None:
    rules = [RateLimit("1/hour", methods=["Search.find"]), RateLimit("4/hour")]
    async with RateLimits(rules, url, name=name) as limits:
        assert (await outcomes(limits, 10, call()))[0] == 1
        assert (await outcomes(limits, 10, call("Search.count")))[0] == 3


async def test_heavy_calls_take_more(url: str, name: str) -> None:
    rules = [RateLimit("10/hour", weight={"Search.find": 4})]
    async with RateLimits(rules, url, name=name) as limits:
        assert (await outcomes(limits, 3, call()))[0] == 2
        assert (await outcomes(limits, 3, call("Search.count")))[0] == 2, "what is too little for one does for another"


async def test_what_is_too_heavy_ever_to_be_let_in_is_told_so(url: str, name: str) -> None:
    async with RateLimits([RateLimit("10/hour", weight=lambda call: 11)], url, name=name) as limits:
        with pytest.raises(RateLimited, match="counts for 11, and no more than 10/hour are let in") as refused:
            await limits(call(), proceeds)
        assert refused.value.retry_after is None


async def test_only_what_is_served_counts() -> None:
    limits = RateLimits([RateLimit("0/hour")])
    assert await limits(CallInfo("Search", "find"), proceeds) == "ran"
    with pytest.raises(RateLimited):
        await limits(call(), proceeds)


# ---- over a session


async def test_a_caller_sees_an_error_of_its_own_with_the_time(caplog: pytest.LogCaptureFixture) -> None:
    limits = RateLimits([RateLimit("1/hour", methods=["PublicApi.authenticate"])])
    async with served([limits]) as api:
        (await api.authenticate("secret")).dispose()
        with pytest.raises(RateLimited, match="more than 1/hour") as refused:
            await api.authenticate("secret").user_name
    assert isinstance(refused.value, RpcError)
    assert 3500 < (refused.value.retry_after or 0) <= 3600
    assert not [record for record in caplog.records if record.levelno >= logging.INFO], "callers could fill the log"


async def test_calls_of_a_map_and_what_is_pipelined_count_one_by_one() -> None:
    limits = RateLimits([RateLimit("100/hour")])
    async with served([limits]) as api:
        authed = api.authenticate("secret")
        assert len(await authed.friends().map(lambda friend: authed.get_profile(friend).name)) == 2
        assert limits.stats().admitted == 4
        assert await authed.user_name == "Ada"
        assert limits.stats().admitted == 5


async def test_a_row_that_is_refused_fails_its_map() -> None:
    async with served([RateLimits([RateLimit("1/hour", methods=["AuthedApi.get_profile"])])]) as api:
        authed = api.authenticate("secret")
        with pytest.raises(RateLimited):
            await authed.friends().map(lambda friend: authed.get_profile(friend).name)


async def test_metrics_around_it_see_what_is_refused() -> None:
    registry = CollectorRegistry()
    limits = RateLimits([RateLimit("1/hour", methods=["PublicApi.*"])])
    async with served([Metrics(registry), limits]) as api:
        (await api.authenticate("secret")).dispose()
        with pytest.raises(RateLimited):
            await api.authenticate("secret")
    labels = {"rpc_method": "PublicApi/authenticate", "error_type": "RateLimited"}
    assert registry.get_sample_value("rpc_server_call_duration_seconds_count", labels) == 1


@pytest.mark.parametrize("told", [-1, "soon", None, float("nan"), float("inf"), 10**400, [1]])
def test_what_is_no_time_is_not_taken_for_one(told: Any) -> None:
    error = RateLimited("no")
    error.props = {"retryAfter": told}
    assert error.retry_after is None


@needs_node
async def test_the_npm_package_sees_name_and_time() -> None:
    limits = RateLimits([RateLimit("1/hour", methods=["Directory.find"])])
    async with (
        serve(lambda peer: Directory(), "127.0.0.1", 0, path="/rpc", interceptors=[limits]) as server,
        program("errors.mjs", "call", server.url) as reference,
    ):
        lines = await reference.rest()
    first, second = lines[:2]
    assert '"errorName":"NotFound"' in first
    assert '"errorName":"RateLimited"' in second
    assert '"retryAfter":36' in second or '"retryAfter":35' in second


async def test_an_error_of_another_server_goes_on_as_it_is() -> None:
    """A relay's own caller is told by whom it asks."""

    class Relay(Directory):
        def find(self, user_id: int) -> Any:
            raise RateLimited("elsewhere", 7.5)

    async with (
        serve(lambda peer: Relay(), "127.0.0.1", 0) as server,
        connect(server.url, DirectoryStub) as api,
    ):
        with pytest.raises(RateLimited) as refused:
            await api.find(1)
        assert refused.value.retry_after == 7.5


# ---- several processes


@needs_redis
async def test_two_processes_let_no_more_in_than_one(redis_server: Server, name: str) -> None:
    options = ("--port", "0", "--backplane", redis_server.url, "--name", name, "--rate", "25/hour")
    worker = "tests.runtime.scale.limited_worker"
    async with (
        started(worker, *options) as first,
        started(worker, *options) as second,
        connect(first.url, DirectoryStub) as here,
        connect(second.url, DirectoryStub) as there,
    ):
        calls = [one.ids() for _ in range(50) for one in (here, there)]
        found = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in found if isinstance(one, RateLimited)]
    assert (found.count([1, 9]), len(refused)) == (25, 75)


@needs_redis
async def test_a_process_whose_clock_is_ahead_gets_no_more_and_locks_nobody_out(
    redis_server: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = time.time
    rules = [RateLimit("3/hour")]
    async with RateLimits(rules, redis_server.url, name=name) as right:
        with monkeypatch.context() as wrong:
            wrong.setattr(time, "time", lambda: true() + 7200)
            async with RateLimits(rules, redis_server.url, name=name) as ahead:
                assert (await outcomes(ahead, 1, call()))[0] == 1
                ran, refusals = await outcomes(right, 4, call())
                assert ran == 2
                assert all((refusal.retry_after or 0) <= 3600 for refusal in refusals)
                assert (await outcomes(ahead, 4, call()))[0] == 0


@needs_redis
async def test_each_call_asks_once_and_one_that_is_known_to_be_refused_not_at_all(own: Server, name: str) -> None:
    async with RateLimits([RateLimit("5/hour")], own.url, name=name) as limits, Redis.from_url(own.url) as redis:
        for _ in range(20):
            await outcomes(limits, 1, call())
        commands = await redis.info("commandstats")
    assert commands["cmdstat_evalsha"]["calls"] - commands["cmdstat_evalsha"]["failed_calls"] == 6


@needs_redis
async def test_many_calls_at_once_share_some_connections(own: Server, name: str) -> None:
    async with RateLimits([RateLimit("1000/hour")], own.url, name=name) as limits, Redis.from_url(own.url) as redis:
        assert (await outcomes(limits, 500, call()))[0] == 500
        assert len(await redis.client_list()) <= 17


@needs_redis
async def test_windows_on_redis_end_by_themselves(own: Server, name: str) -> None:
    async with (
        RateLimits([RateLimit("5/hour")], own.url, name=name) as limits,
        Redis.from_url(own.url, decode_responses=True) as redis,
    ):
        await limits(call(), proceeds)
        (key,) = await redis.keys("*")
        assert str(key).startswith(f"{name}:rate:")
        assert 3500 < await redis.ttl(key) <= 3600


@needs_redis
async def test_windows_on_redis_keep_no_more_than_they_may_hold(own: Server, name: str) -> None:
    async with RateLimits([RateLimit("5/hour")], own.url, name=name) as limits, Redis.from_url(own.url) as redis:
        await limits(call(), proceeds)
        (key,) = await redis.keys("*")
        await redis.rpush(key, *["1000000000.0"] * 20)  # of calls that have left the window
        await limits(call(), proceeds)
        assert await redis.llen(key) == 5


# ---- an engine that does not answer


@needs_redis
async def test_an_engine_that_is_down_is_told_of_at_the_start(own: Server, name: str) -> None:
    own.kill()
    with pytest.raises(BackplaneUnavailable, match="Redis did not answer"):
        async with RateLimits([RateLimit("5/hour")], own.url, name=name):
            pass


@needs_redis
async def test_while_it_is_lost_calls_are_let_in_or_refused_as_each_rule_says(
    own: Server, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    rules = [RateLimit("5/hour"), RateLimit("5/day", methods=["Search.log_in"], unavailable="refuse")]
    async with RateLimits(rules, own.url, name=name, clock=clock) as limits:
        assert await limits(call("Search.log_in"), proceeds) == "ran"
        own.kill()
        assert (await outcomes(limits, 10, call()))[0] == 10
        with pytest.raises(RateLimited, match="calls cannot be counted now") as refused:
            await limits(call("Search.log_in"), proceeds)
        assert refused.value.retry_after == 1.0
        assert limits.stats().uncounted == 11
        own.start()
        assert (await outcomes(limits, 1, call()))[0] == 1, "it is not asked again at once"
        clock.now += 1.0
        assert (await outcomes(limits, 10, call()))[0] == 4, "it has kept the one that it knew"
    said = [record.getMessage() for record in caplog.records if record.name == "capnweb_runtime.scale"]
    assert len([line for line in said if line.startswith("calls are not counted: Redis did not answer")]) == 1


@needs_redis
async def test_an_engine_that_hangs_holds_calls_up_for_a_moment_only(own: Server, name: str) -> None:
    async with RateLimits([RateLimit("5/hour")], own.url, name=name) as limits:
        own.pause()
        async with asyncio.timeout(30):
            assert (await outcomes(limits, 40, call()))[0] == 40
        own.go_on()
