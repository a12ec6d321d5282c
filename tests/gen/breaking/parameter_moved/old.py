"""A parameter was inserted before others, or they changed places: the schema of then."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def pay(self, amount: int, currency: str) -> str: ...
