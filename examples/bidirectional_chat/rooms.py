"""Rooms: for each one log of what has happened, and who is there.

Rule: nothing is queued for anybody. The log is bounded and all share it; a member is a cursor in it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal

from examples.bidirectional_chat.generated.chat import MemberStub
from examples.bidirectional_chat.schemas.chat import Came, News, Said, Went

Event = Said | Came | Went
Why = Literal["left", "lost", "deaf"]
PASSWORD = "correct horse"
"""Of the door, unless the server is told another."""
BATCH = 100
"""Events that a member is told in one call at most."""


class Log:
    """What has happened in a room, as far as it is kept.

    Parameters:
        most: how many events are kept.

    Attributes:
        last: the number of the newest; 0 if there was none yet.
    """

    def __init__(self, most: int) -> None:
        self._events: deque[Event] = deque(maxlen=most)
        self._newer = asyncio.Event()
        self.last = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, make: Callable[[int], Event]) -> int:
        """Make an event with the next number, and wake whoever waits for one."""
        self.last += 1
        self._events.append(make(self.last))
        self._newer.set()
        self._newer = asyncio.Event()
        return self.last

    def after(self, cursor: int, most: int = BATCH) -> News:
        """The oldest events behind a cursor, and how many before them are not kept any more."""
        first = self._events[0].number if self._events else self.last + 1
        start = max(cursor + 1, first)
        events = [self._events[number - first] for number in range(start, min(start + most, self.last + 1))]
        return News(events=events, lost=start - cursor - 1)

    async def later_than(self, cursor: int) -> None:
        """Wait until there is something behind a cursor."""
        while self.last <= cursor:
            await self._newer.wait()


class Room:
    """A room.

    Parameters:
        name: its name.
        kept: how many events it keeps.

    Attributes:
        log: what has happened.
        places: who is here, by name.
    """

    def __init__(self, name: str, kept: int) -> None:
        self.name = name
        self.log = Log(kept)
        self.places: dict[str, Place] = {}


class Place:
    """A member in a room: its presence, and the task that tells it what happens.

    Parameters:
        room: where.
        name: the member's.
        member: whom to tell; remains the caller's.
        after: the cursor; None tells what happens from now on.
        patience: seconds that the member has to take what it is told, before it counts as deaf.
    """

    def __init__(self, room: Room, name: str, member: MemberStub, after: int | None, patience: float) -> None:
        self._room = room
        self._name = name
        self._member = member
        self._patience = patience
        last = room.log.last
        # A cursor beyond the log is one of a log before this one: all of this log is new to its owner.
        self._cursor = last if after is None else after if after <= last else 0
        self.here = True
        room.places[name] = self
        room.log.add(lambda number: Came(number=number, name=name))
        self._telling = asyncio.create_task(self._tell())

    def leave(self, why: Why) -> None:
        """Be here no more, and let the others know; does nothing the second time."""
        if self.here:
            self.here = False
            del self._room.places[self._name]
            self._room.log.add(lambda number: Went(number=number, name=self._name, why=why))
            self._telling.cancel()

    async def _tell(self) -> None:
        """Tell all that is new in one call, and go on when it was taken: whoever is slow gets more at a time."""
        log = self._room.log
        try:
            while True:
                await log.later_than(self._cursor)
                news = log.after(self._cursor)
                async with asyncio.timeout(self._patience):
                    await self._member.happened(self._room.name, news)
                self._cursor = news.events[-1].number
        except Exception:  # it was too slow, or does not want to hear; of a lost session on_broken has told before
            self.leave("deaf")
