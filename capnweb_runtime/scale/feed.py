"""One topic as this process reads it: once, for all its subscribers. Rule: an event that does not follow on the last
one is preceded by a `Gap`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from capnweb_runtime.scale.contract import Bounds, Cursor, Gap
from capnweb_runtime.scale.subscription import QueuedSubscription, Step, size_of

_RECENT_BYTES: Final = 1024 * 1024


class Feed:
    """What is known of a topic.

    Parameters:
        topic: its name.
        bounds: of what is kept.

    Attributes:
        subscribers: who gets what happens.
        lock: held while the topic is opened or its history is read, so that many who come at once read it once.
        joining: how many are to be told what they have missed; while there are any, all that is replayed is kept.
        position: up to where it has been read; None until it is opened.
        past: epochs that are over; of these, nothing is believed any more.
    """

    def __init__(self, topic: str, bounds: Bounds) -> None:
        self.topic = topic
        self.subscribers: set[QueuedSubscription] = set()
        self.lock = asyncio.Lock()
        self.joining = 0
        self.position: Cursor | None = None
        self.past: set[str] = set()
        self._bounds = bounds
        self._recent: deque[Step] = deque()
        self._size = 0

    @property
    def at(self) -> Cursor:
        """Its position. Engines ask for it only while it is open."""
        assert self.position is not None, "a feed is read after it has been opened"
        return self.position

    def take(self, step: Step) -> None:
        """The next event has come, or one that is known already."""
        at = self.at
        if step.cursor.epoch != at.epoch:
            if step.cursor.epoch in self.past:
                return
            self.move(Gap("epoch", Cursor(step.cursor.epoch, step.previous)))
        elif step.cursor.offset <= at.offset:
            return
        elif step.previous > at.offset:
            self.move(Gap("trimmed", Cursor(at.epoch, step.previous)))
        self.position = step.cursor
        self._keep(step)
        for subscriber in self.subscribers:
            subscriber.offer(step)

    def judge(self, top: Cursor, seen: Cursor) -> None:
        """The engine was asked for the topic's last position, after a doubt.

        Parameters:
            top: its answer.
            seen: this feed's position before it was asked.
        """
        if top.epoch != self.at.epoch:
            if top.epoch not in self.past:
                self.move(Gap("epoch", top))
        elif seen.epoch == top.epoch and top.offset < seen.offset:
            self.move(Gap("ahead", top))

    def move(self, gap: Gap) -> None:
        """Go on elsewhere, and tell all."""
        if gap.cursor.epoch != self.at.epoch:
            self.past.add(self.at.epoch)
        self.position = gap.cursor
        self._recent.clear()
        self._size = 0
        for subscriber in self.subscribers:
            subscriber.offer(gap)

    def since(self, after: Cursor) -> list[Step] | None:
        """What came after a cursor, if that is still known here; else None."""
        at = self.at
        if after.epoch != at.epoch or after.offset > at.offset:
            return None
        if after.offset == at.offset:
            return []
        if not self._recent or self._recent[0].previous > after.offset:
            return None
        return [step for step in self._recent if step.cursor.offset > after.offset]

    def recall(self, steps: list[Step]) -> None:
        """History was read: keep what stands right before the recent ones, for those who come next."""
        start = self._recent[0] if self._recent else None
        until = self.at.offset if start is None else start.previous
        older = [step for step in steps if step.cursor.epoch == self.at.epoch and step.cursor.offset <= until]
        if older and older[-1].cursor.offset == until:
            newer = [*self._recent]
            self._recent.clear()
            self._size = 0
            for step in (*older, *newer):
                self._keep(step)

    def joined(self) -> None:
        """One of those who are joining has been told, or has given up."""
        self.joining -= 1
        self._trim()

    def _keep(self, step: Step) -> None:
        self._recent.append(step)
        self._size += size_of(step)
        self._trim()

    def _trim(self) -> None:
        bounds = self._bounds
        events, size = bounds.recent_events, _RECENT_BYTES
        if self.joining:
            events, size = max(events, bounds.replay_events), max(size, bounds.replay_bytes)
        while len(self._recent) > events or self._size > size:
            self._size -= size_of(self._recent.popleft())
