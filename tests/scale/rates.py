"""Rate limits under `make chaos`: at every worker more is asked for than all of them together may let in.

Rule: in no stretch of the time of the limit is more let in than it says, also when a worker is killed or stopped, or
when the engine is killed or stopped; only an engine that has forgotten everything begins to count anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from capnweb_runtime import RateLimited
from tests.scale.fleet import RATE, Fleet
from tests.scale.schedule import WORKERS
from tests.scale.subject import Subject
from tests.scale.subscriber import LOST

LIMIT, WINDOW = RATE
PAUSE = 0.02
"""Seconds between two that ask at a worker."""


class Admitted:
    """What was let in, each between two times of the monotonic clock."""

    def __init__(self) -> None:
        self.all: list[tuple[float, float]] = []

    def add(self, begin: float, end: float) -> None:
        """One was asked for and let in between these times."""
        self.all.append((begin, end))

    def most(self, window: float) -> int:
        """How many were surely let in within so many seconds: those that began and ended in them."""
        ends = sorted(self.all)
        most = 0
        for place, (begin, _) in enumerate(ends):
            within = 0
            for other, end in ends[place:]:
                if other >= begin + window:
                    break
                within += end < begin + window
            most = max(most, within)
        return most


class Rates(Subject):
    """See above."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(fleet)
        self.admitted = Admitted()
        self.most = 0
        self._forgot = 0.0

    async def begin(self) -> None:
        for slot in range(WORKERS):
            self.goes_on(self.ask(slot))

    async def heal(self) -> None:
        """Some are let in."""
        before = self.counts["calls let in"]
        while self.counts["calls let in"] == before:  # noqa: ASYNC110  (of what there is no event for)
            await asyncio.sleep(0.05)

    def left(self) -> list[str]:
        return ["nobody is let in by the limit of rates in the end"]

    def judge(self) -> None:
        self.judge_life()
        self.counts["most in a window"] = self.most

    def judge_life(self) -> None:
        """What was let in while the engine did not forget."""
        most = self.admitted.most(WINDOW)
        self.most = max(self.most, most)
        if most > LIMIT:
            self.broken.append(f"{most} calls were let in within {WINDOW} s, and the limit is {LIMIT}")
        self.admitted = Admitted()

    async def ask(self, slot: int) -> None:
        """Asks the worker of a slot to be let in, again and again."""
        while True:
            worker = self.fleet.workers[slot]
            if worker is not None:
                with contextlib.suppress(*LOST):
                    async with self.fleet.session(worker) as api:
                        while True:
                            await self.ask_once(api.pass_by)
                            await asyncio.sleep(PAUSE)
            await asyncio.sleep(PAUSE)

    async def ask_once(self, pass_by: Callable[[], Awaitable[None]]) -> None:
        begin = time.monotonic()
        try:
            await pass_by()
        except RateLimited:
            self.counts["calls refused"] += 1
            return
        if self.fleet.forgot != self._forgot:
            self._forgot = self.fleet.forgot
            self.judge_life()
        if begin > self._forgot:
            self.counts["calls let in"] += 1
            self.admitted.add(begin, time.monotonic())
