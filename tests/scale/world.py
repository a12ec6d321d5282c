"""A run of `make chaos`: an engine with its workers, all that is tried with them at once, and what happens meanwhile.
Rule: what is promised is checked while it runs, and when everything has healed nobody waits for what will not come.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

from tests.scale.fleet import Fleet
from tests.scale.histories import Histories
from tests.scale.owners import Owners
from tests.scale.placement import Placement
from tests.scale.presence import Presence
from tests.scale.rates import Rates
from tests.scale.schedule import Schedule, Step
from tests.scale.subject import Subject
from tests.scale.tasks import LONG, Tasks
from tests.scale.topics import Topics

BRIEF = 10.0
"""Seconds; in a shorter run tasks are shorter as well, and nothing happens at its end."""
HEALED = 120
"""Seconds in which everybody has to have everything, once nothing more happens."""


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        schedule: what was done.
        counts: what has come of it, by name.
        grown: bytes by which the memory of a worker has grown at most.
        broken: what was not as promised.
    """

    schedule: Schedule
    counts: Counter[str] = field(default_factory=Counter[str])
    grown: int = 0
    broken: list[str] = field(default_factory=list[str])


class World:
    """One run: `async with World(schedule, crowd, note) as world: await world.run()`. What comes of it is in `outcome`.

    Parameters:
        schedule: what happens.
        crowd: how many clients are a crowd.
        note: told what is done before it is done.
        without: names of subjects that are left out, with what can happen in them alone.
    """

    def __init__(
        self, schedule: Schedule, crowd: int, note: Callable[[str], None], without: Collection[str] = ()
    ) -> None:
        is_brief = schedule.seconds < BRIEF
        seed = schedule.seed
        self.outcome = Outcome(schedule)
        self.fleet = fleet = Fleet(schedule.engine, note)
        self.topics = Topics(fleet, crowd)
        kinds: dict[str, Callable[[], Subject]] = {
            "owners": lambda: Owners(fleet),
            "presence": lambda: Presence(fleet),
            "tasks": lambda: Tasks(fleet, seed, LONG / 3 if is_brief else LONG),
            "placement": lambda: Placement(fleet, seed, restart_once_more=not is_brief),
        }
        if fleet.counts_rates:
            kinds["rates"] = lambda: Rates(fleet)
        if not is_brief:
            kinds["histories"] = lambda: Histories(fleet, seed)
        self.subjects = [self.topics, *(make() for name, make in kinds.items() if name not in without)]
        self._held = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for subject in self.subjects:
            self._held.push_async_callback(subject.close)
        try:
            await self._held.enter_async_context(self.fleet)
        except BaseException:
            await self._held.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._held.aclose()

    async def run(self) -> None:
        """All of it. What is not as promised is in the outcome."""
        async with asyncio.timeout(HEALED):
            await asyncio.gather(*(subject.begin() for subject in self.subjects))
        await self.happen()
        await asyncio.gather(*map(self.heal, self.subjects))
        for subject in self.subjects:
            subject.judge()
            self.outcome.counts.update(subject.counts)
            self.outcome.broken += subject.broken
        self.outcome.grown = self.topics.grown

    async def happen(self) -> None:
        """Every step at its time; those that last go on beside each other."""
        begun = time.monotonic()
        steps = self.fleet.steps | {name: do for subject in self.subjects for name, do in subject.steps.items()}
        running: list[tuple[Step, asyncio.Task[None]]] = []
        for step in self.outcome.schedule.steps:
            await asyncio.sleep(begun + step.at - time.monotonic())
            if step.what in steps:
                running.append((step, asyncio.ensure_future(steps[step.what](step))))
        await asyncio.sleep(max(begun + self.outcome.schedule.seconds - time.monotonic(), 0))
        done = await asyncio.gather(*(task for _, task in running), return_exceptions=True)
        for (step, _), failed in zip(running, done, strict=True):
            if isinstance(failed, BaseException):
                self.outcome.broken.append(f"{step.what}: {str(failed) or type(failed).__name__}")

    async def heal(self, subject: Subject) -> None:
        """Waits until all is as it has to be with a subject, unless that is broken already, and notes what is not."""
        try:
            async with asyncio.timeout(0 if subject.broken else HEALED):
                await subject.heal()
        except TimeoutError:
            self.outcome.broken += subject.left()
