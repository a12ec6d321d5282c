"""A chat: what members may do, and what they are told."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel, RootModel

from capnweb_runtime.scale.schema import Events
from capnweb_runtime.schema import idempotent, raises

Name = Annotated[str, MinLen(1), MaxLen(32)]
Text = Annotated[str, MinLen(1), MaxLen(500)]


class Said(BaseModel):
    """Somebody has said something."""

    kind: Literal["said"] = "said"
    name: str
    text: str


class Came(BaseModel):
    """Somebody is in the room from now on."""

    kind: Literal["came"] = "came"
    name: str


class Went(BaseModel):
    """Somebody is not in the room any more: has left, or was lost without a word and has not come back."""

    kind: Literal["went"] = "went"
    name: str
    why: Literal["left", "lost"]


class Happened(RootModel[Said | Came | Went]):
    """What is told of a room."""


class WrongPassword(Exception):
    """The door stays closed."""

    def __init__(self) -> None:
        super().__init__("that is not the password")


class NameTaken(Exception):
    """Somebody who is here, or was lost a moment ago, has this name."""

    taken: str

    def __init__(self, taken: str) -> None:
        super().__init__(f"somebody else is called {taken}")
        self.taken = taken


class NoSuchRoom(Exception):
    """There are others."""

    room: str
    rooms: list[str]

    def __init__(self, room: str, rooms: list[str]) -> None:
        super().__init__(f"there is no room {room}; there are: {', '.join(rooms)}")
        self.room, self.rooms = room, rooms


class Member(Protocol):
    """What a client hands over when it enters: it is there for as long as the server can hold this."""


class Room(Protocol):
    """A place in a room. Whoever disposes of it leaves."""

    async def say(self, text: Text) -> str:
        """Say something to all who are here, oneself included. Returns the cursor behind it."""
        ...

    async def present(self) -> list[str]:
        """Who is here, in the order of coming."""
        ...


class House(Protocol):
    """What a member may do."""

    async def rooms(self) -> list[str]: ...

    @idempotent
    @raises(NoSuchRoom)
    async def events(self, room: str) -> Events[Happened]:
        """What happens in a room, from now on or behind a cursor."""
        ...

    @raises(NoSuchRoom)
    async def join(self, room: str) -> Room:
        """Come into a room, or come back after the connection was lost."""
        ...


class Chat(Protocol):
    """The door."""

    @raises(WrongPassword, NameTaken)
    async def enter(self, name: Name, password: str, key: str, member: Member) -> House:
        """Come in. `key` is made up by the client: with it, and with nothing else, it has its name again."""
        ...
