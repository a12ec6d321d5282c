"""A description, a deprecation, `async` or what Python calls something has changed: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str) -> str: ...
