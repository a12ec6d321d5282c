"""Moving windows, as storages of `limits`, and what a process knows of them by itself. Rule: a call is let into all of
its windows or into none; whoever is refused is told when to come again, and until then no engine is asked.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from limits.aio.storage import MemoryStorage

_REMEMBERED: Final = 10_000
"""Windows that a process knows to be full; to forget one costs a question to the engine."""
_BELIEVED: Final = 5.0
"""Seconds after which the engine is asked again, since somebody may have cleared the window there."""


class Wanted(NamedTuple):
    """What is to be let into a window.

    Attributes:
        key: which.
        limit: how much it may hold.
        expiry: its length in seconds.
        amount: how much is to be let in.
    """

    key: str
    limit: int
    expiry: int
    amount: int


class Full:
    """Windows that are full, as far as this process knows.

    Parameters:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[int, float, float]] = OrderedDict()

    def remember(self, key: str, amount: int, wait: float) -> None:
        """There is no room for so much in a window for some seconds. What others put into it until then only makes it
        fuller.
        """
        now = self._clock()
        self._known[key] = amount, now + wait, now + min(wait, _BELIEVED)
        self._known.move_to_end(key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def wait(self, key: str, amount: int) -> float:
        """Seconds until there may be room for so much; 0 if that is not known."""
        known, until, believed = self._known.get(key, (0, 0.0, 0.0))
        now = self._clock()
        if now < believed:
            return until - now if amount >= known else 0.0
        self._known.pop(key, None)
        return 0.0


class Windows(Protocol):
    """Where windows are.

    Attributes:
        full: what it has refused.
    """

    full: Full

    async def acquire_entries(self, wanted: Sequence[Wanted]) -> bool:
        """Have room in all windows, or take none in any, which `full` then tells. Raises BackplaneUnavailable."""
        ...

    async def ready(self) -> None:
        """Raises BackplaneUnavailable if it does not answer."""
        ...

    async def close(self) -> None:
        """Ends its connections."""
        ...


class MemoryWindows(MemoryStorage):
    """Those of this process. What `limits` has itself goes over all windows after each call, with a thread for each:
    128 ms of a processor for 1,000 of them, where this takes 2 µs.

    Parameters:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.full = Full(clock)
        self._clock = clock
        self._windows: dict[int, OrderedDict[str, deque[float]]] = {}  # by length; the one least lately used first

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Have room in one window, as the strategies of `limits` ask for it."""
        return await self.acquire_entries([Wanted(key, limit, expiry, amount)])

    async def acquire_entries(self, wanted: Sequence[Wanted]) -> bool:
        """See `Windows`."""
        now = self._clock()
        for one in wanted:
            _forget(self._windows.setdefault(one.expiry, OrderedDict()), now - one.expiry)
        found = [(one, self._window(one, now)) for one in wanted]
        is_free = True
        for one, taken in found:
            excess = len(taken) + one.amount - one.limit
            if excess > 0:
                is_free = False
                self.full.remember(one.key, one.amount, taken[excess - 1] + one.expiry - now)
        if is_free:
            for one, taken in found:
                taken.extend([now] * one.amount)
        return is_free

    def _window(self, wanted: Wanted, now: float) -> deque[float]:
        """When something was let into a window that is still in it."""
        begin = now - wanted.expiry
        windows = self._windows[wanted.expiry]
        taken = windows.setdefault(wanted.key, deque())
        windows.move_to_end(wanted.key)
        while taken and taken[0] <= begin:
            taken.popleft()
        return taken

    async def ready(self) -> None:
        """It always is."""

    async def close(self) -> None:
        """There is nothing to close."""


def _forget(windows: OrderedDict[str, deque[float]], until: float) -> None:
    """Windows in which nothing is any more; two at a time, so that they become fewer."""
    for _ in range(2):
        if not windows:
            return
        key, oldest = next(iter(windows.items()))
        if oldest and oldest[-1] > until:
            return
        del windows[key]
