r"""Texts of all kinds: "quotes", '''three''', \back\slashes, \N{BULLET}, ünïcödé, and lines far longer than what fits into one of a file that is generated."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, Field

from capnweb_runtime.schema import SturdyRef, raises
from tests.gen.golden.reflection.schemas.parts.room import Guest, Room


class NoSuchRoom(LookupError):
    """There is no room of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Wishes(BaseModel):
    """What a guest asks for."""

    view: Literal["sea", 'the "garden"', "a\\b"] = "sea"
    pattern: Annotated[str, Field(pattern=r"^\"+\\d{3}$", description="ends with a quote \"")] = '"""'


class Hotel(Protocol):
    """A hotel."""

    @raises(NoSuchRoom)
    async def room(self, number: int, wishes: Wishes | None = None) -> Room:
        """A room, by its number: "\\" is what it says on the doors of those that are locked, and a comment this long is
        broken into several lines of the generated file, although it is one string to whoever reads it there.
        """
        ...

    async def guests(self) -> list[Guest]: ...
    async def again(self, room: SturdyRef[Room]) -> Room: ...


class Unrelated(Protocol):
    """Cannot be reached from a hotel."""

    async def nothing(self) -> None: ...
