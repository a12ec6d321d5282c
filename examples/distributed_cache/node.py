"""A node: its cache, the snapshots that clients hold, and its links to other nodes.

Rule: a node that may have missed something knows nothing. While a link is down, copies may be out of date for as long
as they live; when it is up again, both sides drop everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from capnweb_runtime import Connected, SessionError
from examples.distributed_cache.cache import Cache
from examples.distributed_cache.generated.distributed_cache import (
    NodeStub,
    NodeTarget,
    ReplicaStub,
    ReplicaTarget,
    SnapshotTarget,
)
from examples.distributed_cache.schemas.distributed_cache import Invalidated, Joined, Stats

PATIENCE = 2.0
"""Seconds that another node has to drop a copy."""


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


class Replica(ReplicaTarget):
    """What another node may do here."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def drop(self, key: str) -> None:
        self._cache.drop(key)


class Node(NodeTarget):
    """The main object of all sessions of a node.

    Parameters:
        name: by which other nodes know it.
        cache: its values.
        tables: gives how many imports and exports all its sessions have.
    """

    def __init__(self, name: str, cache: Cache, tables: Callable[[], tuple[int, int]] = lambda: (0, 0)) -> None:
        self.name = name
        self._cache = cache
        self._tables = tables
        self._snapshots: set[Snapshot] = set()
        self._links: dict[str, ReplicaStub | None] = {}  # None for nodes that are away

    async def get(self, key: str) -> str:
        return await self._cache.get(key)

    async def snapshot(self, key: str) -> Snapshot:
        return Snapshot(await self._cache.get(key), self._snapshots)

    async def invalidate(self, key: str) -> Invalidated:
        self._cache.drop(key)
        links = sorted(self._links.items())
        have = await asyncio.gather(*(_tell(replica, key) for _, replica in links))
        told = [name for (name, _), has in zip(links, have, strict=True) if has]
        return Invalidated(told=told, unreachable=[name for name, _ in links if name not in told])

    def stats(self) -> Stats:
        cache = self._cache
        imports, exports = self._tables()
        return Stats(
            hits=cache.hits,
            misses=cache.misses,
            joined=cache.joined,
            loads=cache.loads,
            kept=len(cache),
            too_large=cache.too_large,
            snapshots=len(self._snapshots),
            imports=imports,
            exports=exports,
        )

    # ---- links

    def join(self, name: str, replica: ReplicaStub) -> Joined[ReplicaTarget]:
        self._linked(name, replica.dup())  # the one that was passed ends with this call
        return Joined(name=self.name, replica=Replica(self._cache))

    async def link(self, other: NodeStub, info: Connected) -> None:
        """Joins another node on a new session; for `Reconnect.on_connect`."""
        joined = await other.join(self.name, Replica(self._cache))
        self._linked(joined.name, joined.replica)

    def _linked(self, name: str, replica: ReplicaStub) -> None:
        if name in self._links:
            self._cache.clear()  # nobody knows what it has not told us meanwhile
            self._unlinked(name, self._links[name])
        self._links[name] = replica
        replica.on_broken(lambda error: self._unlinked(name, replica))

    def _unlinked(self, name: str, replica: ReplicaStub | None) -> None:
        if replica is not None:
            if self._links[name] is replica:
                self._links[name] = None
            replica.dispose()


async def _tell(replica: ReplicaStub | None, key: str) -> bool:
    """Has another node drop a copy, and says whether it has."""
    if replica is None:
        return False
    try:
        async with asyncio.timeout(PATIENCE):
            await replica.drop(key)
    except (SessionError, TimeoutError):
        return False
    return True
