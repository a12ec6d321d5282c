"""What is ingested, for all who watch. Rule: nobody who watches holds up those who ingest; for each of them so much
waits at most, and then the oldest is left out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from examples.streaming_analytics.engine import Engine
from examples.streaming_analytics.schemas.analytics import Closed, Row, Spec

BOUND = 64
"""Chunks that wait for one who watches."""
LIVE = Spec(size=250, step=250, lateness=500)


class Watcher:
    """Somebody who watches.

    Attributes:
        most: how many chunks have waited at a time.
        skipped: chunks that were left out.
    """

    def __init__(self) -> None:
        self._waiting: deque[Closed] = deque(maxlen=BOUND)
        self._news = asyncio.Event()
        self._left_out = 0  # since the last chunk that was read
        self.most = 0
        self.skipped = 0

    def put(self, closed: Closed) -> None:
        """Have a chunk wait; beyond the bound, in place of the oldest."""
        if len(self._waiting) == BOUND:
            self.skipped += 1
            self._left_out += 1
        self._waiting.append(closed)
        self.most = max(self.most, len(self._waiting))
        self._news.set()

    async def get(self) -> Closed:
        """The oldest chunk, and how many were left out before it."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        left_out, self._left_out = self._left_out, 0
        return self._waiting.popleft().model_copy(update={"skipped": left_out})


class Hub:
    """Adds up what several ingest, and tells all who watch."""

    def __init__(self) -> None:
        self._engine = Engine(LIVE)
        self.watchers: list[Watcher] = []

    def take(self, rows: list[Row]) -> None:
        """Take rows, and publish the windows that they close."""
        self._engine.add(rows)
        if windows := self._engine.closed():
            self.publish(Closed(windows=windows, late=self._engine.late))

    def publish(self, closed: Closed) -> None:
        """Tell all who watch."""
        for watcher in self.watchers:
            watcher.put(closed)

    async def watch(self) -> AsyncIterator[Closed]:
        """What is published from now on, until its reader stops."""
        watcher = Watcher()
        self.watchers.append(watcher)
        try:
            while True:
                yield await watcher.get()
        finally:
            self.watchers.remove(watcher)
