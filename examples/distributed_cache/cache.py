"""The cache of one node. Rule: it knows nothing of networks; time, chance and the loader are arguments."""

from __future__ import annotations

import asyncio
import random as chance
import time
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """How much is kept, and for how long.

    Attributes:
        ttl: seconds that a value is kept, on average.
        jitter: by which part of that it may be more or less, so that values which were loaded together do not expire
            together.
        capacity: values that are kept; the one that was not asked for the longest is the first to go.
        largest: bytes of a value that is kept. Larger ones are passed on.
    """

    ttl: float = 60.0
    jitter: float = 0.2
    capacity: int = 1000
    largest: int = 100_000


@dataclass(frozen=True)
class Entry:
    """A value, and the time at which it expires."""

    value: str
    expires: float


class Cache:
    """Values by key, loaded once however many ask for them.

    Parameters:
        load: gives the value of a key, or raises.
        settings: how much is kept, and for how long.
        clock: seconds on a clock that never goes back.
        random: a number from 0 up to 1.

    Attributes:
        hits: how often a value was there.
        misses: how often it was not.
        joined: how many of these waited for a load that was under way.
        loads: how many loads were begun.
        too_large: how many values were passed on and not kept.
    """

    def __init__(
        self,
        load: Callable[[str], Awaitable[str]],
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = chance.random,
    ) -> None:
        self._load = load
        self._settings = settings
        self._clock = clock
        self._random = random
        self._entries: dict[str, Entry] = {}  # the one that was asked for last is the last
        self._flights: dict[str, asyncio.Task[str]] = {}
        self.hits = self.misses = self.joined = self.loads = self.too_large = 0

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._entries)

    async def get(self, key: str) -> str:
        """The value of a key. Raises what loading it raises, for everybody who waits, and keeps nothing of that."""
        entry = self._entries.pop(key, None)
        if entry is not None and entry.expires > self._clock():
            self._entries[key] = entry
            self.hits += 1
            return entry.value
        self.misses += 1
        flight = self._flights.get(key)
        if flight is None:
            # In a context of its own: the deadline of whoever comes first is not that of the others.
            flight = self._flights[key] = asyncio.create_task(self._fly(key), context=Context())
            flight.add_done_callback(_seen)
        else:
            self.joined += 1
        return await asyncio.shield(flight)  # whoever gives up leaves the others waiting

    def drop(self, key: str) -> None:
        """Forgets a value, and what is being loaded for it: that may be older."""
        self._entries.pop(key, None)
        self._flights.pop(key, None)

    def clear(self) -> None:
        """Forgets everything."""
        self._entries.clear()
        self._flights.clear()

    async def _fly(self, key: str) -> str:
        self.loads += 1
        try:
            value = await self._load(key)
        finally:
            is_wanted = self._flights.get(key) is asyncio.current_task()
            if is_wanted:
                del self._flights[key]
        if is_wanted:  # else it was dropped meanwhile
            self._keep(key, value)
        return value

    def _keep(self, key: str, value: str) -> None:
        settings = self._settings
        if len(value.encode()) > settings.largest:
            self.too_large += 1
            return
        ttl = settings.ttl * (1 + settings.jitter * (2 * self._random() - 1))
        self._entries[key] = Entry(value, self._clock() + ttl)
        while len(self._entries) > settings.capacity:
            del self._entries[next(iter(self._entries))]


def _seen(flight: asyncio.Task[str]) -> None:
    """A load that has failed after everybody has given up is nobody's error."""
    if not flight.cancelled():
        flight.exception()
