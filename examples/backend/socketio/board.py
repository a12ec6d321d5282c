"""What is posted, and who is told. Rule: it knows neither Socket.IO nor RPC; both come to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable

from examples.backend.socketio.schemas.rooms import Message

Told = Callable[[Message], Awaitable[None]]


class Board:
    """The messages of all rooms.

    Parameters:
        tell: is told of each message that is posted.
    """

    def __init__(self, tell: Told) -> None:
        self._tell = tell
        self._messages: dict[str, list[str]] = defaultdict(list)

    async def post(self, message: Message) -> int:
        """Keep a message, tell it, and return how many there are in its room."""
        if message.room == "attic":
            raise RuntimeError("the database of the attic is gone")  # what no client is to see
        kept = self._messages[message.room]
        kept.append(message.text)
        number = len(kept)
        await self._tell(message)
        return number

    def messages(self, room: str) -> list[str]:
        """What was posted in a room."""
        return list(self._messages.get(room, ()))
