"""Enums, literals and unions to which later versions may add."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum, Flag
from typing import Annotated, Generic, Literal, Protocol, TypedDict, TypeVar

from pydantic import BaseModel, Field

from capnweb_runtime.schema import Open, raises

T = TypeVar("T")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Access(Flag):
    READ = 1
    WRITE = 2


class Circle(BaseModel):
    kind: Literal["circle"] = "circle"
    radius: float


class Square(BaseModel):
    kind: Literal["square"] = "square"
    side: float


Tint = Open[Colour]


class Drawing(BaseModel):
    colour: Tint
    frame: Open[Annotated[Circle | Square, Field(discriminator="kind")]] | None = None
    shapes: list[Open[Circle | Square]]
    mode: Open[Literal["draft", "final"]] = "draft"


@dataclass
class Stock:
    best: Open[Colour | None]
    left: dict[Open[Colour], int]


class Wish(TypedDict):
    colour: Open[Literal[Colour.RED]]


@dataclass
class Box(Generic[T]):
    item: T


@dataclass
class Faded(Exception):
    colour: Open[Colour]


class Studio(Protocol):
    def paint(self, colour: Open[Colour] = Colour.RED) -> Open[Colour]: ...

    def grant(self, access: Open[Access]) -> Open[Access]: ...

    def draw(self, drawing: Drawing) -> Drawing: ...

    def add(self, shape: Open[Circle | str]) -> Open[Circle | str] | None: ...

    @raises(Faded)
    def boxed(self, box: Box[Open[Colour]]) -> Box[Tint]: ...

    def each(self, colours: AsyncIterator[Tint], call: Callable[[Tint], Open[Circle | Square]]) -> None: ...

    def stock(self, stock: Stock, wish: Wish) -> Stock: ...
