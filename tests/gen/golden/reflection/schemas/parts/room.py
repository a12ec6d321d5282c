"""Rooms, which belong to hotels that they do not know."""

from typing import Protocol

from pydantic import BaseModel


class Guest(BaseModel):
    name: str


class Key(Protocol):
    """Opens a room."""

    async def open(self) -> None: ...


class Room(Protocol):
    """A room."""

    @property
    def number(self) -> int: ...

    async def key(self) -> Key: ...
    async def guest(self) -> Guest | None: ...
