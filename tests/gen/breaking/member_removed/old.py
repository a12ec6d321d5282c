"""A method or property was removed, or has another name on the wire: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str) -> str: ...
    def part(self) -> str: ...
