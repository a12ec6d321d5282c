"""The sum of the measured interface by itself: a schema without models, for programs that start from nothing."""

from typing import Protocol


class Plain(Protocol):
    """The part of the measured interface that needs no model."""

    def add(self, a: int, b: int) -> int: ...
