"""Aliases and generic models as Python 3.12 writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Literal, Protocol

from annotated_types import Ge
from pydantic import BaseModel

type UserId = int
type Names = list[str]
type Count = Annotated[int, Ge(0)]
type Found = User | Missing | None
type OnFound = Callable[[Found], None]
type Shelves = dict[str, Shelf]


class User(BaseModel):
    kind: Literal["user"] = "user"
    id: UserId
    names: Names = []


class Missing(BaseModel):
    """Nobody."""

    kind: Literal["missing"] = "missing"
    id: UserId


class Box[T](BaseModel):
    """Something with a label."""

    content: T
    labels: Names = []


class Range[N: (int, float)](BaseModel):
    start: N
    end: N | None = None


class Pair[A, B](BaseModel):
    first: A
    second: Box[B]


class Shelf(Protocol):
    """Boxes, by number."""

    async def box(self, number: UserId) -> Box[User]: ...
    async def boxes(self, names: Names, at_least: Count = 0) -> list[Box[Names]]: ...
    async def pair(self, of: Pair[int, str] | None = None) -> Pair[UserId, Range[float]]: ...
    async def find(self, id: UserId, on_found: OnFound) -> Found: ...
    async def within(self, ids: Range[UserId]) -> AsyncIterator[User]: ...
    async def others(self) -> Shelves: ...
