"""A parameter without a default was added; keyword-only: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def greet(self, name: str, *, times: int) -> str: ...
