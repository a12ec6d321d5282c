"""The last events of a topic. Rule: the log is the one queue there is; a subscriber is no more than a place in it.

So a subscriber who is slow, or away, costs nothing but what it misses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice

from examples.pubsub.schemas.pubsub import BadCursor, Event

_DIGITS = 18
"""No log has so many events that it takes more."""


class Log:
    """Events, numbered from 1, of which the last ones are kept.

    Parameters:
        epoch: a name that no other log has had, not even that of this topic before the server was started again.
        keep: how many events are kept.
    """

    def __init__(self, epoch: str, keep: int) -> None:
        self._epoch = epoch
        self._events: deque[Event] = deque(maxlen=keep)
        self._news = asyncio.Event()  # set and replaced with each event
        self.last = 0

    def __len__(self) -> int:
        return len(self._events)

    def append(self, text: str) -> int:
        """Adds an event, and gives its number."""
        self.last += 1
        self._events.append(Event(number=self.last, text=text))
        self._news.set()
        self._news = asyncio.Event()
        return self.last

    async def wait(self, number: int) -> None:
        """Waits until there is something after that number."""
        while number >= self.last:
            await self._news.wait()

    def after(self, number: int, most: int) -> tuple[int, list[Event]]:
        """How many events after that number are not kept any more, and the first ones that are."""
        oldest = self.last - len(self._events)  # the number of the last one that is gone
        missed = max(0, oldest - number)
        begin = max(0, number - oldest)
        return missed, list(islice(self._events, begin, begin + most))

    def cursor(self, number: int) -> str:
        """The place behind an event, as subscribers keep it."""
        return f"{self._epoch}:{number}"

    def place(self, cursor: str) -> int | None:
        """The number behind which a cursor is; None if it is of another epoch.

        Raises:
            BadCursor: it is no cursor, or points behind the end.
        """
        epoch, _, number = cursor.rpartition(":")
        if not epoch or not number.isdecimal() or not number.isascii() or len(number) > _DIGITS:
            raise BadCursor(f"{cursor[:40]!r} is no cursor")
        if epoch != self._epoch:
            return None
        if int(number) > self.last:
            raise BadCursor(f"{cursor[:40]!r} is behind the last event, {self.last}")
        return int(number)
