"""When to do what follows upon changes that come one after another: once they pause, or have gone on for long.

Rule: time comes in as an argument, in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")


@dataclass
class _Waiting:
    first: float
    last: float


class Debounce(Generic[K]):
    """What has changed and was not looked at since.

    Args:
        pause: how long nothing must have changed.
        longest: how long changes may go on before they are looked at all the same.
    """

    def __init__(self, pause: float, longest: float) -> None:
        self._pause = pause
        self._longest = longest
        self._waiting: dict[K, _Waiting] = {}

    def changed(self, key: K, now: float) -> None:
        """Something changed."""
        waiting = self._waiting.setdefault(key, _Waiting(now, now))
        waiting.last = now

    def forget(self, key: K) -> None:
        """It does not matter any more."""
        self._waiting.pop(key, None)

    def next(self) -> float | None:
        """When to ask what is due; None if nothing will be."""
        return min(map(self._time, self._waiting.values()), default=None)

    def due(self, now: float) -> list[K]:
        """What is to be looked at. It is given once."""
        found = [key for key, waiting in self._waiting.items() if self._time(waiting) <= now]
        for key in found:
            del self._waiting[key]
        return found

    def _time(self, waiting: _Waiting) -> float:
        return min(waiting.last + self._pause, waiting.first + self._longest)
