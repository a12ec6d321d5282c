"""A function that is passed takes or gives something else: the schema of now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Api(Protocol):
    def each(self, call: Callable[[int, int], str]) -> str: ...
