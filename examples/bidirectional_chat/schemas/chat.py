"""A chat: what members may do, and what the server calls on each of them."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from annotated_types import Interval, MaxLen, MinLen
from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises

Name = Annotated[str, MinLen(1), MaxLen(32)]
Text = Annotated[str, MinLen(1), MaxLen(500)]


class Said(BaseModel):
    """Somebody has said something."""

    kind: Literal["said"] = "said"
    number: int
    name: str
    text: str


class Came(BaseModel):
    """Somebody is in the room from now on."""

    kind: Literal["came"] = "came"
    number: int
    name: str


class Went(BaseModel):
    """Somebody is not in the room any more: has left, was lost without a word, or did not listen for too long."""

    kind: Literal["went"] = "went"
    number: int
    name: str
    why: Literal["left", "lost", "deaf"]


class News(BaseModel):
    """What has happened in a room after a cursor, in order. `number` of the last event is the next cursor.

    Attributes:
        events: none is left out between the first and the last.
        lost: how many there were before them that the room has forgotten.
    """

    events: list[Said | Came | Went]
    lost: int = 0


class WrongPassword(Exception):
    """The door stays closed."""

    def __init__(self) -> None:
        super().__init__("that is not the password")


class NameTaken(Exception):
    """Somebody who answers has this name."""

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


class NotHere(Exception):
    """Whoever asks has left, was put out, or has lost the name to somebody else while not answering."""

    def __init__(self) -> None:
        super().__init__("you are not here any more: enter again, and join the room after your cursor")


class Member(Protocol):
    """What a client hands over when it enters, for the server to call."""

    async def happened(self, room: str, news: News) -> None:
        """Take what is new in a room. More comes when this has been answered."""
        ...

    async def alive(self) -> None:
        """Somebody else asks for the name: answer, and keep it."""
        ...


class Room(Protocol):
    """A place in a room. Whoever disposes of it leaves."""

    @raises(NotHere)
    async def say(self, text: Text) -> int:
        """Say something to all who are here, oneself included. Returns the number of the event."""
        ...

    async def present(self) -> list[str]:
        """Who is here, in the order of coming."""
        ...

    @idempotent
    async def history(self, after: int, most: Annotated[int, Interval(ge=1, le=100)] = 100) -> News:
        """What has happened after a cursor, the oldest first; 0 is the beginning."""
        ...


class House(Protocol):
    """What a member may do."""

    async def rooms(self) -> list[str]: ...

    @raises(NoSuchRoom, NotHere)
    async def join(self, room: str, after: int | None = None) -> Room:
        """Come into a room, and be told of all that happens there from now on, or after a cursor."""
        ...


class Chat(Protocol):
    """The door."""

    @raises(WrongPassword, NameTaken)
    async def enter(self, name: Name, password: str, member: Member) -> House: ...
