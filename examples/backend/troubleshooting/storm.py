"""A cache storm: an entry expires, and everybody loads it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

Load = Callable[[], Awaitable[str]]


class Database:
    """What is behind the cache.

    Attributes:
        asked: how often it was asked.
        most: how many asked at the same time.
    """

    def __init__(self) -> None:
        self.asked = self.most = self._now = 0

    async def query(self) -> str:
        """A slow query."""
        self.asked += 1
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0.005)
        self._now -= 1
        return "the answer"


class StormyCache:
    """What most people write first. While one loads, the others find nothing, and load as well."""

    def __init__(self) -> None:
        self._value: str | None = None

    async def get(self, load: Load) -> str:
        """The value, which is loaded if it is not there."""
        if self._value is None:
            self._value = await load()
        return self._value


class CalmCache:
    """The same with a lock, and a second look once it is held: whoever waited finds what the first has loaded."""

    def __init__(self) -> None:
        self._value: str | None = None
        self._loading = asyncio.Lock()

    async def get(self, load: Load) -> str:
        """The value, which is loaded if it is not there; by one."""
        if self._value is None:
            async with self._loading:
                if self._value is None:
                    self._value = await load()
        return self._value


async def storm(cache: StormyCache | CalmCache, clients: int) -> Database:
    """Have many ask for the same at once, and see what reaches the database."""
    database = Database()
    await asyncio.gather(*(cache.get(database.query) for _ in range(clients)))
    return database
