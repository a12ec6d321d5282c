"""A parameter got a default: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str = "you") -> str: ...
