"""What a `map()` of a peer's may spend. Rule: taken before it is spent."""

from __future__ import annotations

from capnweb_runtime.errors import LimitExceeded


class Budget:
    """How many more steps a `map()` of a peer's may take, nested ones included.

    Parameters:
        steps: elements × instructions.
    """

    __slots__ = ("_left", "_steps")

    def __init__(self, steps: int) -> None:
        self._steps = self._left = steps

    def take(self, steps: int) -> None:
        """Uses up steps. Raises LimitExceeded if that is more than are left."""
        self._left -= steps
        if self._left < 0:
            raise LimitExceeded(f"map() expands to more than {self._steps} steps, nested ones included")
