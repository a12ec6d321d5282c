"""A member has another name in Python, and the same on the wire: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str) -> str: ...
