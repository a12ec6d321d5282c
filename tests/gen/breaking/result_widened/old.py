"""A server gives values that it did not give before: the schema of then."""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class Colour(Enum):
    RED = "red"


class Api(Protocol):
    def colour(self) -> Colour: ...
