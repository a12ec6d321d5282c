"""A server gives values that it did not give before: the schema of now."""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Api(Protocol):
    def colour(self) -> Colour: ...
