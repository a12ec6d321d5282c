"""A parameter was removed; it has a default: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str, times: int = 1) -> str: ...
