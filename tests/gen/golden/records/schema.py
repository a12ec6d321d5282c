"""Dataclasses, NamedTuples and TypedDicts travel by value."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import NamedTuple, NotRequired, Protocol, Required

from pydantic import BaseModel
from typing_extensions import TypedDict

WIRE_CASE = "camel"


class Currency(Enum):
    EUR = "EUR"
    USD = "USD"


@dataclass(frozen=True)
class Money:
    """An amount."""

    amount: int
    currency: Currency = Currency.EUR

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise ValueError("an amount is not negative")


@dataclass(kw_only=True, slots=True)
class Item:
    list_price: Money
    labels: list[str] = field(default_factory=list)
    parts: list[Item] = field(default_factory=list)
    count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.count = len(self.parts)


@dataclasses.dataclass
class Gift(Item):
    to: str


class Spot(NamedTuple):
    x: int
    y: int = 0
    map: str | None = None


class Movie(TypedDict):
    title: str
    year: NotRequired[int]
    shown_at: NotRequired[Spot]


class Search(TypedDict, total=False):
    words: Required[list[str]]
    before: date
    like: Movie


class Shelf(BaseModel):
    items: list[Item] = []
    at: Spot
    price: Money | None = None
    movie: Movie


class _Private(NamedTuple):
    path: object


class Shop(Protocol):
    @property
    def best(self) -> Movie: ...
    async def price(self, item: Item, gifts: list[Gift]) -> Money: ...
    async def spot(self, of: Spot | None = None) -> Spot: ...
    async def movies(self, search: Search) -> list[Movie]: ...
    async def shelf(self, shelves: dict[str, Shelf]) -> Shelf | None: ...
    async def either(self, value: Spot | str) -> Movie | list[int]: ...
