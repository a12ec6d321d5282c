"""A description, a deprecation, a cost, `async` or what Python calls something has changed: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str) -> str: ...
