"""A subscriber that keeps what it was told, and can be waited for."""

from __future__ import annotations

import asyncio

from capnweb_runtime.scale import TopicBatch, TopicGap
from examples.pubsub.schemas.pubsub import News


class Seen:
    """What was delivered.

    Parameters:
        wait_for: until it is set, `deliver` does not return.

    Attributes:
        items: texts of events, and reasons of gaps as `gap: slow`, in the order in which they came.
        cursor: behind what was told last; None before anything was.
    """

    def __init__(self, wait_for: asyncio.Event | None = None) -> None:
        self.items: list[str] = []
        self.cursor: str | None = None
        self._wait_for = wait_for
        self._news = asyncio.Condition()

    async def deliver(self, batch: TopicBatch[News]) -> None:
        """What the server calls."""
        for item in batch.items:
            self.items.append(f"gap: {item.reason}" if isinstance(item, TopicGap) else item.data.text)
        self.cursor = batch.cursor
        async with self._news:
            self._news.notify_all()
        if self._wait_for is not None and batch.items:
            await self._wait_for.wait()

    async def begun(self) -> str:
        """The cursor, once it was told one."""
        async with self._news:
            await self._news.wait_for(lambda: self.cursor is not None)
        assert self.cursor is not None
        return self.cursor

    async def until(self, count: int) -> list[str]:
        """What has come, once it is that many items."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.items) >= count)
        return self.items
