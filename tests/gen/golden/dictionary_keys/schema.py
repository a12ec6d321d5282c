"""Dictionaries whose keys are more than plain strings."""

from datetime import date
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Literal, NewType, Protocol
from uuid import UUID

from annotated_types import Ge, MaxLen
from pydantic import BaseModel


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    BIG = "big"


class Level(IntEnum):
    LOW = 1


UserId = NewType("UserId", str)
Number = NewType("Number", int)


class User(BaseModel):
    name: str


class Stock(BaseModel):
    by_number: dict[int, User]
    by_id: dict[UserId, list[int]] = {}
    by_size: dict[Size, str] = {}


class Store(Protocol):
    @property
    def stock(self) -> Stock: ...
    async def users(self, ages: dict[UserId, int]) -> dict[UserId, User]: ...
    async def numbers(self, names: dict[Number, str]) -> Annotated[dict[int, User], MaxLen(2)]: ...
    async def colours(self, names: dict[Colour, str], levels: dict[Level, str]) -> dict[Size, int] | None: ...
    async def days(self, first: dict[date, UUID]) -> dict[UUID, date]: ...
    async def some(self, sides: dict[Literal["left", "right"], int], dice: dict[Literal[1, 2], str]) -> None: ...
    async def limited(self, of: dict[Annotated[str, MaxLen(3)], int]) -> dict[Annotated[int, Ge(1)], str]: ...
