"""What a client does about a server that fails: it repeats what may be repeated, and stops asking who never answers.

Rule: both are interceptors, so that no call has to know of them. Time and chance are arguments.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from capnweb_runtime import CallInfo, Proceed, SessionError

PASSING = (SessionError, TimeoutError)
"""What may be over in a moment."""


class CircuitOpen(Exception):
    """The circuit is open: nobody was asked."""


@dataclass
class Retry:
    """Repeats calls of methods that are `@idempotent`.

    Parameters:
        attempts: how often a call is made at most.
        first: seconds that the first wait takes at most; each further one may take twice as long.
        chance: chooses how long, between nothing and that, so that clients do not come back all at once.
        sleep: waits.

    Attributes:
        repeated: how many calls were made again.
    """

    attempts: int = 3
    first: float = 0.05
    chance: Random = field(default_factory=Random)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    repeated: int = 0

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        if call.served:  # the other direction: the peer's callbacks are its own to repeat
            return await proceed(call)
        for attempt in range(1, self.attempts):
            try:
                return await proceed(call)
            except PASSING:
                if not call.idempotent:
                    raise
                await self.sleep(self.chance.uniform(0, self.first * 2 ** (attempt - 1)))
                self.repeated += 1
        return await proceed(call)


@dataclass
class Breaker:
    """Stops asking after several failures in a row, and tries with one call after a while.

    Parameters:
        failures: how many in a row open it.
        pause: seconds for which it then stays open.
        clock: the time in seconds.

    Attributes:
        refused: how many calls were not made.
    """

    failures: int
    pause: float
    clock: Callable[[], float]
    refused: int = 0
    _failed: int = 0
    _open_until: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused."""
        return self._failed >= self.failures and self.clock() < self._open_until

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        if call.served:
            return await proceed(call)
        if self.is_open:
            self.refused += 1
            raise CircuitOpen(f"{call.name} was not called: its server has failed {self._failed} times in a row")
        # One call finds out whether the server is back; those that come meanwhile are refused.
        self._open_until = self.clock() + self.pause
        try:
            result = await proceed(call)
        except PASSING:
            self._failed += 1
            raise
        self._failed = 0
        return result
