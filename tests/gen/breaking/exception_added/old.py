"""A method declares a further exception: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def find(self, key: int) -> str: ...
