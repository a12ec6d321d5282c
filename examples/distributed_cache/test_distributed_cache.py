"""The cache does what its README claims."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from capnweb_runtime import Connected, Reconnect, connect, deadline, serve, time_left
from capnweb_runtime.testing import PairFixture
from examples.distributed_cache.cache import Cache, Settings
from examples.distributed_cache.expiry import loads
from examples.distributed_cache.generated.distributed_cache import NodeStub
from examples.distributed_cache.node import Node
from examples.distributed_cache.schemas.distributed_cache import Invalidated, LoadFailed
from examples.form.testing import as_documented
from tests.chaos.proxy import Proxy


class Source:
    """What is loaded from: it counts, and waits and fails as told."""

    def __init__(self) -> None:
        self.loads: Counter[str] = Counter()
        self.version = 1
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()

    async def load(self, key: str) -> str:
        self.loads[key] += 1
        value = f"{key} {self.version}"
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return value


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with asyncio.timeout(60):
        yield Source()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def cache_of(
    source: Source, clock: Clock | None = None, *, ttl: float = 60, capacity: int = 100, largest: int = 100
) -> Cache:
    settings = Settings(ttl=ttl, jitter=0, capacity=capacity, largest=largest)
    return Cache(source.load, settings, clock or Clock())


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("distributed_cache")
    assert ran.number("misses that waited for it") == 99
    assert ran.claims["invalidated at one node, which has told"] == "['b']"
    assert ran.number("hit rate, in percent") == 67
    assert ran.number("all ten disposed of: snapshots") == 0
    assert ran.number("after kill -9 of it: snapshots") == 0
    assert ran.number("readers of what cannot be loaded that are told so") == 100
    assert ran.number("most loads in any second, with a jitter of 20 %") == 39


# ---- one load for all


async def test_a_hundred_misses_are_one_load(source: Source) -> None:
    cache = cache_of(source)
    source.gate.clear()
    readers = [asyncio.create_task(cache.get("a")) for _ in range(100)]
    await source.begun.wait()
    source.gate.set()
    assert set(await asyncio.gather(*readers)) == {"a 1"}
    assert (source.loads["a"], cache.misses, cache.joined, cache.loads) == (1, 100, 99, 1)


async def test_a_failure_is_that_of_all_who_wait_and_of_nobody_later(source: Source) -> None:
    cache = cache_of(source)
    source.gate.clear()
    source.error = LoadFailed("a", "no")
    readers = [asyncio.create_task(cache.get("a")) for _ in range(100)]
    await source.begun.wait()
    source.gate.set()
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    assert all(isinstance(outcome, LoadFailed) for outcome in outcomes)
    source.error = None
    assert await cache.get("a") == "a 1"
    assert source.loads["a"] == 2


async def test_whoever_gives_up_leaves_the_others_waiting(source: Source) -> None:
    cache = cache_of(source)
    source.gate.clear()
    first, second = asyncio.create_task(cache.get("a")), asyncio.create_task(cache.get("a"))
    await source.begun.wait()
    first.cancel()
    await asyncio.wait([first])
    source.gate.set()
    assert await second == "a 1"


async def test_a_load_that_fails_after_everybody_has_given_up_is_nobodys_error(source: Source) -> None:
    reported: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    cache = cache_of(source)
    source.gate.clear()
    source.error = LoadFailed("a", "no")
    only = asyncio.create_task(cache.get("a"))
    await source.begun.wait()
    only.cancel()
    await asyncio.wait([only])
    source.gate.set()
    for _ in range(5):  # until the load is over
        await asyncio.sleep(0)
    del only  # it holds what it was waiting for
    gc.collect()
    assert cache.loads == 1
    assert not reported


async def test_the_deadline_of_the_first_is_not_that_of_the_load() -> None:
    left: list[float | None] = []

    async def load(key: str) -> str:
        left.append(time_left())
        return key

    with deadline(30):
        assert time_left() is not None
        assert await Cache(load, Settings()).get("a") == "a"
    assert left == [None]


# ---- how long, and how much


async def test_a_value_lives_for_its_time(source: Source, clock: Clock) -> None:
    cache = cache_of(source, clock, ttl=100)
    await cache.get("a")
    clock.now = 99.9
    await cache.get("a")
    assert source.loads["a"] == 1
    clock.now = 100.0
    await cache.get("a")
    assert source.loads["a"] == 2


async def test_jitter_spreads_what_was_loaded_together() -> None:
    assert max((await loads(jitter=0.0)).values()) == 1000
    assert max((await loads(jitter=0.2)).values()) < 50


async def test_the_value_that_was_not_asked_for_the_longest_goes_first(source: Source) -> None:
    cache = cache_of(source, capacity=2)
    for key in "abac":
        await cache.get(key)
    assert len(cache) == 2
    await cache.get("a")
    assert source.loads == {"a": 1, "b": 1, "c": 1}
    await cache.get("b")
    assert source.loads["b"] == 2


async def test_a_value_that_is_too_large_is_passed_on_and_not_kept(source: Source) -> None:
    cache = cache_of(source, largest=3)
    assert await cache.get("ä") == "ä 1"  # four bytes
    assert await cache.get("a") == "a 1"
    assert (len(cache), cache.too_large) == (1, 1)


async def test_what_is_loaded_while_it_is_dropped_is_not_kept(source: Source) -> None:
    cache = cache_of(source)
    source.gate.clear()
    early = asyncio.create_task(cache.get("a"))
    await source.begun.wait()
    source.version = 2
    cache.drop("a")
    late = asyncio.create_task(cache.get("a"))
    source.gate.set()
    assert (await early, await late) == ("a 1", "a 2")
    assert await cache.get("a") == "a 2"
    assert source.loads["a"] == 2


# ---- snapshots


@pytest.mark.capnweb(no_leaks=True)
async def test_a_snapshot_stays_as_it_was_until_its_last_duplicate_is_disposed_of(
    source: Source, capnweb_pair: PairFixture
) -> None:
    async with capnweb_pair(Node("a", cache_of(source)), NodeStub) as node:
        with await node.snapshot("a") as first:
            second = first.dup()
        source.version = 2
        await node.invalidate("a")
        assert (await node.get("a"), await second.value) == ("a 2", "a 1")
        assert (await node.stats()).snapshots == 1
        second.dispose()
        assert (await node.stats()).snapshots == 0


async def test_a_session_that_ends_lets_its_snapshots_go(source: Source, capnweb_pair: PairFixture) -> None:
    target = Node("a", cache_of(source))
    async with capnweb_pair(target, NodeStub) as node:
        held = [await node.snapshot("a") for _ in range(10)]
        assert target.stats().snapshots == 10
    assert target.stats().snapshots == 0
    for snapshot in held:
        snapshot.dispose()


# ---- nodes


async def test_a_link_that_is_down_is_told_of_and_up_again_both_sides_begin_anew(source: Source) -> None:
    a, b = Node("a", cache_of(source)), Node("b", cache_of(source))
    up = asyncio.Event()

    is_cut = False

    async def link(other: NodeStub, info: Connected) -> None:
        await b.link(other, info)
        up.set()

    def allow(connection: int, upward: bool, passed: int, size: int) -> int:
        return 0 if is_cut else size

    policy = Reconnect(first=0.001, on_connect=link)
    async with (
        serve(lambda peer: a, "127.0.0.1", 0) as server,
        Proxy(server.port, allow) as proxy,
        connect(proxy.url, NodeStub, reconnect=policy) as linked,
    ):
        assert (await a.get("x"), await b.get("x")) == ("x 1", "x 1")
        up.clear()
        is_cut = True  # nothing passes, and whoever comes is cut off
        proxy.cut()
        source.version = 2
        assert await a.invalidate("x") == Invalidated(told=[], unreachable=["b"])
        assert await b.get("x") == "x 1"  # out of date, for as long as it lives
        is_cut = False
        await up.wait()
        assert (await linked.stats()).kept == 0
        assert await b.get("x") == "x 2"
        assert await b.invalidate("x") == Invalidated(told=["a"], unreachable=[])
        assert await a.invalidate("x") == Invalidated(told=["b"], unreachable=[])


async def test_keys_have_bounds(source: Source, capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Node("a", cache_of(source)), NodeStub) as node:
        with pytest.raises(TypeError, match="key"):
            await node.get("k" * 101)
        with pytest.raises(TypeError, match="key"):
            await node.get("")
