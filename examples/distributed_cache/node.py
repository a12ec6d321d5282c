"""A node: its cache, the loads that it makes for all nodes, and the snapshots that clients hold.

Rule: nobody takes a value that may be older than what was dropped. Whoever makes the loads of a key forgets those under
way before anybody hears of the drop; a node that may have missed one, which the topic says, knows nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from zlib import crc32

from capnweb_runtime import Disconnected
from capnweb_runtime.scale import Backplane, Cluster, Topic, TopicGap, TopicSubscription
from examples.distributed_cache.cache import Cache, Settings
from examples.distributed_cache.generated.distributed_cache import LoadsStub, LoadsTarget, NodeTarget, SnapshotTarget
from examples.distributed_cache.schemas.distributed_cache import LoadFailed, Stats

PARTS = 8
"""Of the keys: the loads of each are made by one node, the first that is asked."""


class Snapshot(SnapshotTarget):
    """A value that somebody holds."""

    def __init__(self, value: str, held: set[Snapshot]) -> None:
        self._value = value
        self._held = held
        held.add(self)

    @property
    def value(self) -> str:
        return self._value

    def dispose(self) -> None:
        self._held.discard(self)


class Loads(LoadsTarget):
    """Loads of a part of the keys, in the node that makes them."""

    def __init__(self, flights: Cache) -> None:
        self._flights = flights

    async def load(self, key: str) -> str:
        return await self._flights.get(key)

    def drop(self, key: str) -> None:
        self._flights.drop(key)


class Node(NodeTarget):
    """The main object of all sessions of a node.

    Parameters:
        backplane: what the nodes share.
        cluster: its part in their cluster.
        load: gives the value of a key, or raises.
        settings: how much is kept, and for how long.
        tables: gives how many imports and exports all its sessions have.
    """

    def __init__(
        self,
        backplane: Backplane,
        cluster: Cluster,
        load: Callable[[str], Awaitable[str]],
        settings: Settings,
        tables: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        self._dropped = Topic(backplane, "dropped", str)
        self._origin = load
        self._flights = Cache(self._from_origin, Settings(capacity=0))  # which keeps nothing
        self._cache = Cache(self._for_all, settings)
        self._tables = tables
        self._snapshots: set[Snapshot] = set()
        cluster.register(LoadsStub, lambda owned: Loads(self._flights))
        self._parts = [cluster.lasting(LoadsStub, str(part)) for part in range(PARTS)]

    async def get(self, key: str) -> str:
        return await self._cache.get(key)

    async def snapshot(self, key: str) -> Snapshot:
        return Snapshot(await self._cache.get(key), self._snapshots)

    async def invalidate(self, key: str) -> None:
        dropped = None
        while dropped is None:
            with suppress(Disconnected):  # another node makes the loads from now on
                await self._part(key).drop(key)
                dropped = await self._dropped.publish(key)
        self._drop(key)

    def stats(self) -> Stats:
        cache = self._cache
        imports, exports = self._tables()
        return Stats(
            hits=cache.hits,
            misses=cache.misses,
            joined=cache.joined,
            loads=cache.loads,
            shared=self._flights.joined,
            kept=len(cache),
            too_large=cache.too_large,
            snapshots=len(self._snapshots),
            imports=imports,
            exports=exports,
        )

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """Hears what is dropped, as long as the block takes."""
        async with self._dropped.subscribe() as dropped, asyncio.TaskGroup() as group:
            follow = group.create_task(self._follow(dropped))
            yield
            follow.cancel()
        for part in self._parts:
            part.dispose()

    async def _follow(self, dropped: TopicSubscription[str]) -> None:
        async for item in dropped:
            if isinstance(item, TopicGap):
                self._cache.clear()
                self._flights.clear()
            else:
                self._drop(item.data)

    def _drop(self, key: str) -> None:
        self._cache.drop(key)
        self._flights.drop(key)

    def _part(self, key: str) -> LoadsStub:
        return self._parts[crc32(key.encode()) % PARTS]

    async def _for_all(self, key: str) -> str:
        """Has the value loaded by the node that loads it for all."""
        try:
            return await self._part(key).load(key)
        except ConnectionError:  # that is gone, or the engine is
            return await self._flights.get(key)

    async def _from_origin(self, key: str) -> str:
        try:
            return await self._origin(key)
        except Exception as error:
            raise LoadFailed(key, str(error)) from error
