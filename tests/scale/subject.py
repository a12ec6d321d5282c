"""What is tried in a run of `make chaos`: each subject uses the workers in its way for as long as the run lasts, and
has a judge. Rule: what is promised is checked while it goes on; when nothing more happens, everybody gets what is due.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tests.scale.fleet import Fleet
from tests.scale.schedule import Step
from tests.scale.subscriber import Broken


class Subject:
    """One of them: `await begin()`, then what happens, then `await heal()`, and `await close()` in any case.

    Parameters:
        fleet: what it uses.

    Attributes:
        broken: what was not as promised.
        counts: what has come of it.
        steps: what can happen besides what happens to the fleet.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.harms = fleet.harms
        self.broken: list[str] = []
        self.counts: Counter[str] = Counter()
        self.steps: dict[str, Callable[[Step], Awaitable[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Returns once it is under way."""

    async def heal(self) -> None:
        """Nothing more happens: wait until all is as it has to be. It is cancelled if that takes too long."""

    def left(self) -> list[str]:
        """What is not as it has to be, for whom `heal` was cancelled."""
        return []

    def judge(self) -> None:
        """Look back at all of it, once it is over."""

    async def close(self) -> None:
        """Ends what goes on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def goes_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done until the end; what it finds broken is noted."""

        async def noted() -> None:
            try:
                await work
            except asyncio.CancelledError:
                raise
            except Broken as error:
                self.broken.append(str(error))
            except BaseException as error:  # a fault of the subject: else it would go on without
                self.broken.append(f"{type(self).__name__}: {type(error).__name__}: {error}")

        self._tasks.append(asyncio.create_task(noted()))
