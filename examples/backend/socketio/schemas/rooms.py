"""Rooms in which messages are posted, by RPC or by an event of Socket.IO."""

from __future__ import annotations

from typing import Annotated, Protocol

from annotated_types import Len, MaxLen
from pydantic import BaseModel


class Message(BaseModel):
    """What somebody has said. Events have the same payload, checked by the same model."""

    room: Annotated[str, Len(1, 20)]
    text: Annotated[str, MaxLen(200)]


class Rooms(Protocol):
    """Posts messages."""

    async def post(self, message: Message) -> int:
        """Post a message, and say how many there are in its room."""
        ...

    async def messages(self, room: str) -> list[str]: ...
