"""A type is another in Python, and travels in the same form: the schema of now."""

from __future__ import annotations

from typing import Protocol


class Api(Protocol):
    def sort(self, items: set[int]) -> set[int]: ...
