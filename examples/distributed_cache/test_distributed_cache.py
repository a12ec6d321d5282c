"""The cache does what its README claims."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from capnweb_runtime import SessionClosed, connect, deadline, serve, time_left
from capnweb_runtime.scale import (
    Backplane,
    BackplaneUnavailable,
    Cluster,
    MemoryBackplane,
    MemoryStore,
    open_backplane,
)
from capnweb_runtime.testing import PairFixture
from examples.distributed_cache.cache import Cache, Settings
from examples.distributed_cache.expiry import loads
from examples.distributed_cache.generated.distributed_cache import NodeStub
from examples.distributed_cache.node import Node
from examples.distributed_cache.origin import Origin
from examples.distributed_cache.schemas.distributed_cache import LoadFailed
from examples.distributed_cache.server import SECRET
from examples.form.processes import started
from examples.form.testing import as_documented
from tests.needs import needs_redis
from tests.runtime.scale.servers import RedisServer, Server

SHARED = "a secret of the nodes"
SERVER = "examples.distributed_cache.server"


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
    assert ran.number("misses at one node that waited for it") == 99
    assert ran.claims["the other node hears of it, and has"] == "front page, version 2"
    assert ran.number("hit rate, in percent") == 67
    assert ran.number("all ten disposed of: snapshots") == 0
    assert ran.number("after kill -9 of it: snapshots") == 0
    assert ran.number("readers of what cannot be loaded that are told so") == 100
    assert ran.number("most loads in any second, with a jitter of 20 %") == 39


@pytest.fixture
def redis() -> Iterator[Server]:
    """One that this test alone has."""
    server = RedisServer()
    yield server
    server.close()


@needs_redis
def test_nodes_in_processes_of_their_own_print_the_same(redis: Server) -> None:
    as_documented("distributed_cache", "--backplane", redis.url)


@asynccontextmanager
async def following(backplane: Backplane, source: Source) -> AsyncGenerator[Node]:
    """A node that follows the others."""
    async with Cluster(backplane, listen="127.0.0.1:0", secret=SHARED, ttl=1.0) as cluster:
        node = Node(backplane, cluster, source.load, Settings())
        async with node.following():
            yield node


@pytest.fixture
async def node(source: Source) -> AsyncIterator[Node]:
    async with following(MemoryBackplane(), source) as node:
        yield node


@pytest.fixture(params=["memory", pytest.param("redis", marks=needs_redis)])
def opened(request: pytest.FixtureRequest) -> Callable[[], Backplane]:
    """Opens the backplane of one more node."""
    if request.param == "memory":
        store = MemoryStore()
        return lambda: MemoryBackplane(store)
    url = request.getfixturevalue("redis").url
    return lambda: open_backplane(url)


@pytest.fixture
async def nodes(opened: Callable[[], Backplane], source: Source) -> AsyncIterator[tuple[Node, Node]]:
    async with opened() as here, opened() as there, following(here, source) as a, following(there, source) as b:
        yield a, b


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
    source: Source, node: Node, capnweb_pair: PairFixture
) -> None:
    async with capnweb_pair(node, NodeStub) as api:
        with await api.snapshot("a") as first:
            second = first.dup()
        source.version = 2
        await api.invalidate("a")
        assert (await api.get("a"), await second.value) == ("a 2", "a 1")
        assert (await api.stats()).snapshots == 1
        second.dispose()
        assert (await api.stats()).snapshots == 0


async def test_a_session_that_ends_lets_its_snapshots_go(node: Node, capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(node, NodeStub) as api:
        held = [await api.snapshot("a") for _ in range(10)]
        assert node.stats().snapshots == 10
    assert node.stats().snapshots == 0
    for snapshot in held:
        snapshot.dispose()


async def test_keys_have_bounds(node: Node, capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(node, NodeStub) as api:
        with pytest.raises(TypeError, match="key"):
            await api.get("k" * 101)
        with pytest.raises(TypeError, match="key"):
            await api.get("")


# ---- nodes


async def until(holds: Callable[[], bool]) -> None:
    """Lets the loop turn until something is so."""
    async with asyncio.timeout(30):
        for _ in iter(holds, True):
            await asyncio.sleep(0)


@pytest.mark.parametrize("key", ["x", "x" * 100_000], ids=["kept", "too large to keep"])
async def test_what_two_nodes_miss_is_loaded_once(nodes: tuple[Node, Node], source: Source, key: str) -> None:
    a, b = nodes
    source.gate.clear()
    readers = [asyncio.create_task(node.get(key)) for node in (a, b) for _ in range(10)]
    await source.begun.wait()
    await until(lambda: a.stats().shared + b.stats().shared == 1)
    source.gate.set()
    assert set(await asyncio.gather(*readers)) == {f"{key} 1"}
    assert source.loads[key] == 1


async def test_what_cannot_be_loaded_is_told_at_both_nodes(nodes: tuple[Node, Node], source: Source) -> None:
    source.gate.clear()
    source.error = LookupError("no")
    readers = [asyncio.create_task(node.get("x")) for node in nodes for _ in range(10)]
    await source.begun.wait()
    source.gate.set()
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    assert {str(outcome) for outcome in outcomes} == {"'x' could not be loaded: no"}
    assert all(isinstance(outcome, LoadFailed) for outcome in outcomes)


async def test_what_is_invalidated_at_one_node_is_dropped_at_both(nodes: tuple[Node, Node], source: Source) -> None:
    a, b = nodes
    assert [await node.get("x") for node in nodes] == ["x 1", "x 1"]
    source.version = 2
    await a.invalidate("x")
    assert await a.get("x") == "x 2"
    await until(lambda: b.stats().kept == 0)
    assert await b.get("x") == "x 2"


async def test_nobody_takes_what_another_node_began_to_load_before_it_was_dropped(
    nodes: tuple[Node, Node], source: Source
) -> None:
    a, b = nodes
    source.gate.clear()
    early = asyncio.create_task(a.get("x"))
    await source.begun.wait()
    source.version = 2
    await b.invalidate("x")
    late = asyncio.create_task(b.get("x"))  # while the other one still loads
    await until(lambda: b.stats().misses == 1)
    source.gate.set()
    assert await early == "x 1"
    assert await late == "x 2"
    assert await b.get("x") == "x 2"


async def test_whoever_makes_the_loads_forgets_those_under_way_before_others_hear_of_a_drop(source: Source) -> None:
    store = MemoryStore()
    async with Cluster(MemoryBackplane(store), listen="127.0.0.1:0", secret=SHARED) as cluster:
        deaf = Node(MemoryBackplane(store), cluster, source.load, Settings())  # it does not follow: it hears nothing
        source.gate.clear()
        early = asyncio.create_task(deaf.get("x"))
        await source.begun.wait()
        async with following(MemoryBackplane(store), source) as node:
            source.version = 2
            await node.invalidate("x")
            late = asyncio.create_task(node.get("x"))
            await until(lambda: source.loads["x"] == 2)
            source.gate.set()
            assert (await early, await late) == ("x 1", "x 2")


@needs_redis
async def test_who_is_killed_while_it_loads_for_all_is_not_waited_for(redis: Server, source: Source) -> None:
    origin = Origin()
    origin.gate.clear()
    async with (
        open_backplane(redis.url) as backplane,
        following(backplane, source) as node,
        serve(lambda peer: origin, "127.0.0.1", 0) as loaded_from,
        started(
            SERVER, "--port", "0", "--origin", loaded_from.url, "--backplane", redis.url, env={SECRET: SHARED}
        ) as other,
        connect(other.url, NodeStub) as doomed,
    ):
        lost = asyncio.ensure_future(doomed.get("x"))
        while not (await doomed.stats()).loads or not origin.loads["x"]:
            pass
        waiting = asyncio.create_task(node.get("x"))
        while not (await doomed.stats()).shared:
            pass
        assert not source.loads
        await other.kill()
        assert await waiting == "x 1"
        await node.invalidate("x")  # once the lease of who was killed is over
        assert await node.get("x") == "x 1"
        with pytest.raises(SessionClosed):
            await lost


async def test_nodes_that_may_have_missed_something_forget_all(source: Source) -> None:
    store = MemoryStore()
    async with following(MemoryBackplane(store), source) as a, following(MemoryBackplane(store), source) as b:
        assert [await node.get("x") for node in (a, b)] == ["x 1", "x 1"]
        store.lose()
        await until(lambda: a.stats().kept == b.stats().kept == 0)
        assert [await node.get("x") for node in (a, b)] == ["x 1", "x 1"]


@needs_redis
async def test_without_the_engine_each_node_loads_for_itself_and_nothing_is_invalidated(
    redis: Server, source: Source
) -> None:
    async with open_backplane(redis.url) as backplane, following(backplane, source) as node:
        assert await node.get("x") == "x 1"
        redis.kill()
        assert (await node.get("x"), await node.get("y")) == ("x 1", "y 1")
        with pytest.raises(BackplaneUnavailable):
            await node.invalidate("x")
        redis.start()
        await until(lambda: node.stats().kept == 0)  # what was told meanwhile is not known
