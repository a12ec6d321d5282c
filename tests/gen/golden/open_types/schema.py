"""Enums, literals and unions to which later versions may add."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag
from typing import Literal, Protocol, TypedDict

from pydantic import BaseModel

from capnweb_runtime.schema import Open


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


class Drawing(BaseModel):
    colour: Open[Colour]
    shapes: list[Open[Circle | Square]]
    mode: Open[Literal["draft", "final"]] = "draft"


@dataclass
class Stock:
    best: Open[Colour | None]
    left: dict[Open[Colour], int]


class Wish(TypedDict):
    colour: Open[Literal[Colour.RED]]


class Studio(Protocol):
    def paint(self, colour: Open[Colour] = Colour.RED) -> Open[Colour]: ...

    def grant(self, access: Open[Access]) -> Open[Access]: ...

    def draw(self, drawing: Drawing) -> Drawing: ...

    def add(self, shape: Open[Circle | str]) -> Open[Circle | str] | None: ...

    def stock(self, stock: Stock, wish: Wish) -> Stock: ...
