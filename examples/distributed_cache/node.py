"""A node: its cache, and the snapshots that clients hold.

Rule: a node that may have missed something knows nothing. The topic says so, with a `Gap`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from capnweb_runtime.scale import Backplane, Cursor, Gap
from examples.distributed_cache.cache import Cache, Settings
from examples.distributed_cache.flights import Flights
from examples.distributed_cache.generated.distributed_cache import NodeTarget, SnapshotTarget
from examples.distributed_cache.news import ITEM, NEWS, Dropped
from examples.distributed_cache.schemas.distributed_cache import Stats


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


class Node(NodeTarget):
    """The main object of all sessions of a node.

    Parameters:
        backplane: what the nodes share.
        load: gives the value of a key, or raises.
        settings: how much is kept, and for how long.
        tables: gives how many imports and exports all its sessions have.
    """

    def __init__(
        self,
        backplane: Backplane,
        load: Callable[[str], Awaitable[str]],
        settings: Settings,
        tables: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        self._backplane = backplane
        self._flights = Flights(backplane, load, settings.largest)
        self._cache = Cache(self._flights.load, settings)
        self._tables = tables
        self._snapshots: set[Snapshot] = set()
        self._read = asyncio.Condition()
        self._at: Cursor | None = None

    async def get(self, key: str) -> str:
        return await self._cache.get(key)

    async def snapshot(self, key: str) -> Snapshot:
        return Snapshot(await self._cache.get(key), self._snapshots)

    async def invalidate(self, key: str) -> None:
        at = await self._backplane.publish(NEWS, Dropped(key=key).model_dump_json().encode())
        async with self._read:
            await self._read.wait_for(lambda: self._at is not None and _is_past(self._at, at))

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

    async def follow(self, begun: asyncio.Event) -> None:
        """Reads what nodes tell each other, without end; `begun` is set when it has begun."""
        async with self._backplane.subscribe(NEWS) as news:
            self._flights.begin(news.cursor)
            begun.set()
            async for item in news:
                if isinstance(item, Gap):
                    self._cache.clear()
                    self._flights.begin(item.cursor)
                else:
                    self._take(item.data, item.cursor)
                async with self._read:
                    self._at = item.cursor
                    self._read.notify_all()

    def _take(self, data: bytes, at: Cursor) -> None:
        item = ITEM.validate_json(data)
        if isinstance(item, Dropped):
            self._cache.drop(item.key)
            self._flights.dropped(item.key, at)
        else:
            self._flights.landed(item, at)


def _is_past(read: Cursor, published: Cursor) -> bool:
    """Whether something has been read; in another epoch everything has been dropped since."""
    return read.epoch != published.epoch or read.offset >= published.offset
