"""The contract of the backplane under `make chaos`: any order of publishing, reading, leaving, resuming, trimming,
losing, and being parted from the engine, one after the other for as long as a run lasts; in memory, and with an engine
of the run's kind to which nothing else happens.

Rule: whoever reads sees each number in its turn or a `Gap`, and no gap where nothing was lost.
"""

from __future__ import annotations

import asyncio
import itertools
import random

from capnweb_runtime.scale import BackplaneUnavailable
from tests.runtime.scale.engines import Memory, served
from tests.runtime.scale.test_histories import Story
from tests.scale.fleet import Fleet, engine_of
from tests.scale.subject import Subject
from tests.scale.subscriber import Broken

ACTIONS = 12
"""As many as a history may have."""
KINDS = {"publish": 9, "part": 8, "read": 1, "crash": 1, "lose": 1}
"""What is done, and its greatest number; see `Story`."""
PAUSE = 0.5
"""Seconds between two of them."""


class Histories(Subject):
    """See above.

    Parameters:
        fleet: whose kind of engine is held to the contract.
        seed: of what is done.
    """

    def __init__(self, fleet: Fleet, seed: int) -> None:
        super().__init__(fleet)
        self._chance = random.Random(seed)
        self._server = engine_of(fleet.kind)

    async def begin(self) -> None:
        self.goes_on(self.tell())

    async def close(self) -> None:
        await super().close()
        self._server.close()

    async def tell(self) -> None:
        """One history after another."""
        for number in itertools.count():
            actions = [self._action() for _ in range(self._chance.randrange(ACTIONS))]
            engine = Memory() if number % 2 else served(self._server)
            try:
                await Story(engine).run([*actions])
                self.counts["histories"] += 1
            except BackplaneUnavailable:  # of which nothing is promised: a busy machine let the time for an answer pass
                self.counts["histories given up"] += 1
            except Exception as error:
                raise Broken(f"{type(engine).__name__}: {actions}: {type(error).__name__}: {error}") from error
            await asyncio.sleep(PAUSE)

    def _action(self) -> tuple[str, int]:
        kind = self._chance.choice(list(KINDS))
        return kind, self._chance.randint(1, KINDS[kind])
