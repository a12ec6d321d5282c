"""A subscriber that keeps what it was told, and can be waited for."""

from __future__ import annotations

import asyncio

from examples.pubsub.schemas.pubsub import Batch, Event, Gap


class Seen:
    """What was delivered.

    Parameters:
        wait_for: until it is set, `deliver` does not return.

    Attributes:
        events: the events, in the order in which they came.
        gaps: how many were missing, for each gap.
    """

    def __init__(self, wait_for: asyncio.Event | None = None) -> None:
        self.events: list[Event] = []
        self.gaps: list[int | None] = []
        self._wait_for = wait_for
        self._news = asyncio.Event()

    async def deliver(self, batch: Batch) -> None:
        """What the server calls."""
        for entry in batch.entries:
            if isinstance(entry, Gap):
                self.gaps.append(entry.missed)
            else:
                self.events.append(entry)
        self._news.set()
        if self._wait_for is not None:
            await self._wait_for.wait()

    async def until(self, count: int) -> None:
        """Waits until that many events have come."""
        while len(self.events) < count:
            self._news.clear()
            await self._news.wait()
