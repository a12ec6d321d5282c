"""A parameter with a default was added at the end, or keyword-only: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str) -> str: ...
