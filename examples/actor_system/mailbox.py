"""The mailbox of an actor. Rule: messages are processed one at a time, in the order in which they came; there is room
for so many, and the next one is refused.

A call that arrives is a task that waits here for its turn: `asyncio.Lock` lets tasks in as they came.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from examples.actor_system.schemas.actor_system import MailboxFull


class Mailbox:
    """Lets one message at a time through.

    Parameters:
        room: how many may be there, the one that is being processed included.
    """

    def __init__(self, room: int = 1000) -> None:
        self._room = room
        self._inside = 0
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self) -> AsyncGenerator[None]:
        """The time in which one message is processed.

        Raises:
            MailboxFull: there is no room.
        """
        if self._inside >= self._room:
            raise MailboxFull(f"{self._inside} messages wait already")
        self._inside += 1
        try:
            async with self._turn:
                yield
        finally:
            self._inside -= 1
