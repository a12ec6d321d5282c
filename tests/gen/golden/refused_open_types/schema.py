"""Types that are not open, and open ones where none can be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from capnweb_runtime.schema import Open, Unknown


class Colour(Enum):
    RED = "red"


@dataclass
class Circle:
    radius: float


class Studio(Protocol):
    def draw(self, circle: Open[Circle]) -> Open[int]: ...

    def paint(self, colour: Open[Colour] | int, other: Colour | Unknown) -> Unknown: ...

    def keys(self) -> dict[Open[Colour | int], int]: ...
