"""A method or property was added: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str) -> str: ...
    def part(self) -> str: ...
