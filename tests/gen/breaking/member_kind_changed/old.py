"""A method became a property, or a property a method: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def size(self) -> int: ...
