"""A positional parameter has another name: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str) -> str: ...
