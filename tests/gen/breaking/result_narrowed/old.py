"""A server no longer gives some of the values that it gave before: the schema of then."""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Api(Protocol):
    def colour(self) -> Colour: ...
