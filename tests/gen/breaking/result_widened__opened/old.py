from __future__ import annotations

from enum import Enum
from typing import Protocol


class Colour(Enum):
    RED = "red"


class Api(Protocol):
    def colour(self) -> Colour: ...
