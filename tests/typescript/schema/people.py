"""What another schema imports."""

from datetime import date
from enum import IntEnum, StrEnum
from typing import NewType, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T")

PersonId = NewType("PersonId", int)


class Colour(StrEnum):
    """What somebody likes."""

    RED = "red"
    DARK_BLUE = "dark blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Person(BaseModel):
    """Somebody."""

    id: PersonId
    name: str
    born: date
    likes: Colour | None = None


class Page(Protocol[T]):
    """Some of many."""

    @property
    def items(self) -> list[T]: ...

    async def next(self) -> "Page[T] | None": ...
