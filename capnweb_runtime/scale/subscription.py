"""One subscriber of a topic. Rule: what waits for it is bounded, and what is thrown away leaves a `Gap`."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Self, TypeAlias

from capnweb_runtime.scale.contract import Bounds, Cursor, Event, Gap


@dataclass(frozen=True, slots=True)
class Mark:
    """A position that an engine has made up, so that a topic without events has one. Cursors pass it; nobody sees it.

    Attributes:
        cursor: where it stands.
        previous: see `Event`.
    """

    cursor: Cursor
    previous: int


Step: TypeAlias = Event | Mark


class QueuedSubscription:
    """See `Subscription`.

    Parameters:
        topic: what it is of.
        after: what was processed before, or None.
        bounds: of what may wait.
        join: subscribes it, and calls `begin`.
        leave: the reverse; may be called twice.
    """

    def __init__(
        self,
        topic: str,
        after: Cursor | None,
        bounds: Bounds,
        join: Callable[[QueuedSubscription], Awaitable[None]],
        leave: Callable[[QueuedSubscription], None],
    ) -> None:
        self.topic = topic
        self.after = after
        self._bounds = bounds
        self._join = join
        self._leave = leave
        self._cursor: Cursor | None = None
        self._replay: deque[Step | Gap] = deque()
        self._queue: deque[Step | Gap] = deque()
        self._queued = 0  # bytes
        self._something = asyncio.Event()
        self._ended = False

    @property
    def cursor(self) -> Cursor:
        """See `Subscription`. Raises RuntimeError before it is entered."""
        if self._cursor is None:
            raise RuntimeError("a subscription has no cursor before it is entered: async with backplane.subscribe(...)")
        return self._cursor

    async def __aenter__(self) -> Self:
        if self._cursor is not None or self._ended:
            raise RuntimeError("a subscription is entered once; make another with backplane.subscribe()")
        await self._join(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.end()

    def begin(self, cursor: Cursor, replay: Iterable[Step | Gap]) -> None:
        """What it has missed is known. What was offered meanwhile comes after that, unless it is in it."""
        self._cursor = cursor
        self._replay.extend(replay)
        self._something.set()

    def offer(self, item: Step | Gap) -> None:
        """Something happened in the topic."""
        size = size_of(item)
        if len(self._queue) >= self._bounds.queue_events or self._queued + size > self._bounds.queue_bytes:
            self._queue.clear()
            self._queued = size = 0
            item = Gap("slow", item.cursor)
        self._queue.append(item)
        self._queued += size
        self._something.set()

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._queue.clear()
        self._replay.clear()
        self._leave(self)
        self._something.set()

    def __aiter__(self) -> AsyncIterator[Event | Gap]:
        return self

    async def __anext__(self) -> Event | Gap:
        item = self._next()
        while item is None:
            if self._ended:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
            item = self._next()
        return item

    async def batch(self, events: int, size: int) -> list[Event | Gap]:
        """See `Subscription`."""
        items: list[Event | Gap] = []
        item = await anext(self, None)
        while item is not None:
            items.append(item)
            size -= size_of(item)
            item = self._next() if len(items) < events and size > 0 else None
        return items

    def _next(self) -> Event | Gap | None:
        """What comes next, if it is there already."""
        at = self.cursor
        while self._replay or self._queue:
            item = self._take()
            if _is_news(item, at):
                self._cursor = at = item.cursor
                if not isinstance(item, Mark):
                    return item
        return None

    def _take(self) -> Step | Gap:
        if self._replay:
            return self._replay.popleft()
        item = self._queue.popleft()
        self._queued -= size_of(item)
        return item


def size_of(item: Step | Gap) -> int:
    """Bytes that it counts for."""
    return len(item.data) if isinstance(item, Event) else 0


def _is_news(item: Step | Gap, at: Cursor) -> bool:
    """Whether something is told that one who stands at a cursor does not know. What was offered while the history was
    being read may be older than that history.
    """
    same = item.cursor.epoch == at.epoch
    if not isinstance(item, Gap):
        return same and item.cursor.offset > at.offset  # of another epoch: it stands before the gap that begins ours
    return not same or item.cursor.offset > at.offset or item.reason in ("ahead", "too_far")
