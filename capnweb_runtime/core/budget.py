"""What several share that is bounded: the maps of a message their steps, the sessions of a server their calls. Rule:
asked for before it is taken.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from capnweb_runtime.core.weight import made_bytes, steps_of
from capnweb_runtime.errors import LimitExceeded

FEW: Final = 16
"""Calls of one session that run at a time, of which the last ones are kept for those who have no more."""


class Budget:
    """How many more steps a `map()` of a peer's may take, nested ones included.

    Parameters:
        steps: elements × instructions.

    Attributes:
        depth: how deep in their message the instructions of a map stand that begins now.
    """

    __slots__ = ("_known", "_left", "_steps", "depth")

    def __init__(self, steps: int) -> None:
        self._steps = self._left = steps
        self._known: dict[int, tuple[list[Any], int, int]] = {}
        self.depth = 0

    def for_each(self, instructions: list[Any]) -> tuple[int, int]:
        """Steps that applying instructions to one element takes, and bytes that it makes. They are looked into once:
        within a loop, or another map, they are applied again and again.
        """
        known = self._known.get(id(instructions))
        if known is None:  # which keeps what has that id
            known = self._known[id(instructions)] = instructions, steps_of(instructions), made_bytes(instructions)
        return known[1:]

    @property
    def left(self) -> int:
        """How many there are."""
        return self._left

    def take(self, steps: int) -> None:
        """Uses up steps. Raises LimitExceeded if that is more than are left."""
        self._left -= steps
        if self._left < 0:
            raise LimitExceeded(f"map() expands to more than {self._steps} steps, nested ones included")


class Running:
    """Calls in progress of sessions that share a bound: those of a server. A call counts from its start to its end,
    whatever becomes of its session meanwhile.

    Parameters:
        most: how many may; as many as like by default.

    Attributes:
        count: how many do; counted by the core.
        most: the same.
        crowded: from how many on the last ones are left to sessions in which few run.
        on_refused: told of each call that was refused.
    """

    __slots__ = ("count", "crowded", "most", "on_refused")

    def __init__(self, most: int = sys.maxsize) -> None:
        self.count = 0
        self.most = most
        self.crowded = most - most // 8
        self.on_refused: Callable[[], object] | None = None

    def refusal(self, running: int) -> LimitExceeded | None:
        """Whether one more call of a session can be taken where it is crowded; counts one that cannot.

        Parameters:
            running: calls of this session that run.

        Returns:
            What its caller is told; None if it can.
        """
        if self.count < (self.most if running < FEW else self.crowded):
            return None
        if self.on_refused is not None:
            self.on_refused()
        return LimitExceeded(
            f"the server is busy: {self.count} calls of all its clients are running, the most that it allows at a "
            "time; try again later"
        )
