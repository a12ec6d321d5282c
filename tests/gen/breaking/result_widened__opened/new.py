"""A server gives values that it did not give before; the type became open: the schema of now."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from capnweb_runtime.schema import Open


class Colour(Enum):
    RED = "red"


class Api(Protocol):
    def colour(self) -> Open[Colour]: ...
