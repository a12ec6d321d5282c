"""A parameter with a default was added at the end, or keyword-only; keyword-only: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str, *, loud: bool = False, times: int = 1) -> str: ...
