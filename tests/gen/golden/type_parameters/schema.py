"""Aliases and generic models as Python 3.12 writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, Protocol, TypedDict

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


@dataclass
class Spot[A, B]:
    row: A
    seat: B


class Point[N](NamedTuple):
    x: N
    y: N


class Options[T](TypedDict):
    value: T


class Page[T](Protocol):
    """Some of many."""

    async def items(self) -> list[T]: ...
    async def next(self) -> Page[T] | None: ...


class Users(Page[User], Protocol):
    """Pages of users, which can be counted."""

    async def count(self) -> int: ...


class Shelf(Protocol):
    """Boxes, by number."""

    async def box(self, number: UserId) -> Box[User]: ...
    async def boxes(self, names: Names, at_least: Count = 0) -> list[Box[Names]]: ...
    async def pair(self, of: Pair[int, str] | None = None) -> Pair[UserId, Range[float]]: ...
    async def find(self, id: UserId, on_found: OnFound) -> Found: ...
    async def within(self, ids: Range[UserId]) -> AsyncIterator[User]: ...
    async def others(self) -> Shelves: ...
    async def spot(self, point: Point[float], options: Options[Names]) -> Spot[int, str]: ...
    async def pages(self) -> Page[Box[User]]: ...
    async def users(self) -> Users: ...
