"""A cache that asks once for what many want, and forgets in time, though never everything at once.

Rule: keys are made by `key`, so that all that belongs together can be forgotten together. Time and chance are
arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

VERSION = 1
"""Goes up when what is cached changes its shape, so that a new release never reads what an old one has left."""


def key(kind: str, *parts: str) -> str:
    """The key of something: `quote:v1:ACME`. Parts may hold whatever users type, colons too."""
    return ":".join([kind, f"v{VERSION}", *(part.replace("%", "%25").replace(":", "%3A") for part in parts)])


def _seen(task: asyncio.Task[T]) -> None:
    """Look at how a load has ended, also if nobody waits for it any more."""
    if not task.cancelled():
        task.exception()


@dataclass(frozen=True)
class CacheStats:
    """What a cache has done.

    Attributes:
        hits: questions that it has answered.
        loads: questions that it has passed on.
        shared: questions that waited for a load that was going on.
    """

    hits: int
    loads: int
    shared: int

    @property
    def hit_rate(self) -> float:
        """Questions that cost no load, among all."""
        asked = self.hits + self.loads + self.shared
        return (self.hits + self.shared) / asked if asked else 0.0


class Cache(Generic[T]):
    """Values by key, each for a time of its own.

    Parameters:
        ttl: seconds for which a value is good at least.
        jitter: how much longer it may be good, as a part of that.
        clock: the time in seconds.
        chance: chooses how much longer.
    """

    def __init__(self, ttl: float, jitter: float, clock: Callable[[], float], chance: Random) -> None:
        self._ttl = ttl
        self._jitter = jitter
        self._clock = clock
        self._chance = chance
        self._values: dict[str, tuple[T, float]] = {}
        self._loading: dict[str, asyncio.Task[T]] = {}
        self._hits = self._loads = self._shared = 0

    async def get(self, key: str, load: Callable[[], Awaitable[T]]) -> T:
        """A value, which is loaded if it is not there; by one, however many ask meanwhile.

        Parameters:
            key: of the value.
            load: gets it. What it raises is raised by all who wait, and is not kept.
        """
        found = self._values.get(key)
        if found is not None and self._clock() < found[1]:
            self._hits += 1
            return found[0]
        if key in self._loading:
            self._shared += 1
        else:
            self._loads += 1
            self._loading[key] = task = asyncio.create_task(self._load(key, load))
            task.add_done_callback(_seen)
        # Whoever gives up waiting does not end the load for the others.
        return await asyncio.shield(self._loading[key])

    async def _load(self, key: str, load: Callable[[], Awaitable[T]]) -> T:
        try:
            value = await load()
            if self._is_current(key):
                self._values[key] = (value, self.expiry())
            return value
        finally:
            if self._is_current(key):
                del self._loading[key]

    def _is_current(self, key: str) -> bool:
        """Whether the load that runs is still the one of its key: what it gives may have been forgotten meanwhile."""
        return self._loading.get(key) is asyncio.current_task()

    async def warm(self, keys: Iterable[str], load: Callable[[str], Awaitable[T]]) -> None:
        """Load values before anybody asks: at the start, say. What fails is left for whoever asks."""
        await asyncio.gather(*(self.get(key, partial(load, key)) for key in keys), return_exceptions=True)

    def forget(self, prefix: str) -> int:
        """Forget every value whose key begins like this, and what is being loaded. Returns how many."""
        for key in [key for key in self._loading if key.startswith(prefix)]:
            del self._loading[key]
        gone = [key for key in self._values if key.startswith(prefix)]
        for key in gone:
            del self._values[key]
        return len(gone)

    def expiry(self) -> float:
        """Until when a value is good that is kept now."""
        return self._clock() + self._ttl * (1 + self._jitter * self._chance.random())

    def stats(self) -> CacheStats:
        """What it has done so far."""
        return CacheStats(self._hits, self._loads, self._shared)
