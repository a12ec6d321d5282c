"""A parameter was inserted before others, or they changed places: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def pay(self, currency: str, amount: int) -> str: ...
