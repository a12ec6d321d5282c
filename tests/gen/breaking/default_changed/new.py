"""A default is another: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, times: int = 2) -> int: ...
