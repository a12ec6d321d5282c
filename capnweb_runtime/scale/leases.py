"""The holder's side of a lease. Rule: the holder stops before the engine forgets, by its own monotonic clock, counted
from before it asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

MARGIN: Final = 0.1
"""Part of its time for which a lease is no longer used: clocks run at rates that differ by far less."""
SHORTEST: Final = 0.1
"""Seconds; below that, a holder has no time to do anything."""


class LeaseEngine(Protocol):
    """What a lease asks of its engine. Each raises `BackplaneUnavailable`."""

    async def renew_lease(self, name: str, value: bytes, fence: int, ttl: float) -> bool:
        """Whether it was still that holder's, and is so anew."""
        ...

    async def release_lease(self, name: str, fence: int) -> None:
        """Forget that holder, if it is still the one."""
        ...


class HeldLease:
    """See `Lease`.

    Parameters:
        engine: who keeps it.
        name: of what.
        value: for those who ask.
        fence: its number.
        ttl: seconds for which it is granted.
        asked: what the clock gave before it was asked for.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        engine: LeaseEngine,
        name: str,
        value: bytes,
        fence: int,
        ttl: float,
        asked: float,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.fence = fence
        self.lost = asyncio.Event()
        self._engine = engine
        self._value = value
        self._ttl = ttl
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._until = 0.0
        self._extend(asked)

    @property
    def held(self) -> bool:
        """See `Lease`."""
        if not self.lost.is_set() and self._clock() >= self._until:
            self._lose()
        return not self.lost.is_set()

    async def renew(self) -> bool:
        """See `Lease`."""
        if not self.held:
            return False
        asked = self._clock()
        if not await self._engine.renew_lease(self.name, self._value, self.fence, self._ttl):
            self._lose()
        elif self.held:  # else the answer came too late: what was done meanwhile is not known to be ours
            self._extend(asked)
        return self.held

    async def release(self) -> None:
        """See `Lease`."""
        self._lose()
        await self._engine.release_lease(self.name, self.fence)

    def _extend(self, asked: float) -> None:
        self._until = asked + self._ttl * (1 - MARGIN)
        self._watch()

    def _watch(self) -> None:
        """Look again when it is over. Loops have clocks of their own, so that it may not be over yet then."""
        if self._timer is not None:
            self._timer.cancel()
        if self.held:
            self._timer = asyncio.get_running_loop().call_later(max(self._until - self._clock(), 0.001), self._watch)

    def _lose(self) -> None:
        self.lost.set()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def check_ttl(ttl: float) -> None:
    """Raises ValueError if a lease cannot be had for so long."""
    if not SHORTEST <= ttl <= 86_400:
        raise ValueError(f"ttl={ttl} is no time for a lease: give {SHORTEST} seconds to a day")
