"""A server takes fewer values than before; the type is open: the schema of then."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from capnweb_runtime.schema import Open


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Api(Protocol):
    def paint(self, colour: Open[Colour]) -> str: ...
