"""A method became a property, or a property a method: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    @property
    def size(self) -> int: ...
