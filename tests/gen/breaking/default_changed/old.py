"""A default is another: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, times: int = 1) -> int: ...
