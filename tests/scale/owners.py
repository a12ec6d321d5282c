"""Leases under `make chaos`: all workers want to be the owner of one name, and whoever is writes to a ledger.

- stop owner: SIGSTOP, for longer than the lease lasts, of the worker that acts as the owner, then SIGCONT.

Rule: fences grow, no two owners act at once, and what an earlier one writes is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from tests.scale.fleet import Fleet
from tests.scale.ledger import Ledger
from tests.scale.schedule import WORKERS
from tests.scale.subject import Subject
from tests.scale.subscriber import LOST

TTL = 1.0
"""Seconds of the owners' lease."""


class Owners(Subject):
    """See above."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(fleet)
        self.ledger = Ledger()
        self.steps = {"stop owner": lambda step: fleet.stop(self.owner_slot(step.worker), step.seconds)}

    async def begin(self) -> None:
        for slot in range(WORKERS):
            self.goes_on(self.own(slot))

    async def heal(self) -> None:
        """Somebody becomes the owner, or still is."""
        acts = self.ledger.acts
        while self.ledger.acts == acts:  # noqa: ASYNC110  (of what there is no event for)
            await asyncio.sleep(0.05)

    def left(self) -> list[str]:
        return ["nobody acts as the owner in the end"]

    def judge(self) -> None:
        ledger = self.ledger
        self.counts.update({"owners": ledger.holders, "acts": ledger.acts, "acts refused": ledger.refused})
        self.broken += ledger.broken[:5]

    async def own(self, slot: int) -> None:
        """The worker of a slot wants to be the owner, and acts when it is."""
        while True:
            worker = self.fleet.workers[slot]
            if worker is not None:
                who = worker.name

                def act(fence: int, seen: float, who: str = who) -> bool:
                    # Whatever was acquired before the engine came back, it may not know.
                    self.ledger.excuse(min(self.fleet.engine_back, time.monotonic()) + TTL)
                    return self.ledger.act(who, fence, seen)

                with contextlib.suppress(*LOST):
                    async with self.fleet.session(worker) as api:
                        await api.own("owner", TTL, act)
            await asyncio.sleep(0.05)

    def owner_slot(self, otherwise: int) -> int:
        """Where the owner runs."""
        names = ["" if worker is None else worker.name for worker in self.fleet.workers]
        return names.index(self.ledger.owner) if self.ledger.owner in names else otherwise
