"""A positional parameter has another name: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, who: str) -> str: ...
