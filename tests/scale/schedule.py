"""What happens in a run of `make chaos`, and when. Rule: everything by chance comes from the seed, so that a run is
repeated with it; what the machine makes of it between two steps is its own.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

WEIGHTS = {
    "kill worker": 4,
    "stop worker": 2,
    "stop owner": 2,
    "kill engine": 2,
    "pause engine": 2,
    "engine forgets": 1,
    "crowd": 2,
    "slow subscriber": 2,
    "odd cursors": 1,
    "kill room's owner": 2,
    "stop room's owner": 1,
    "rolling restart": 2,
    "kill at a task": 2,
    "stop at a task": 1,
    "kill task server": 2,
}
"""How often each thing happens, for one another. See `Fleet` and the subjects for what they are."""
PER_SECOND = 1.2
"""How many of them."""
WORKERS = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens.

    Attributes:
        at: seconds after the beginning.
        what: one of `WEIGHTS`.
        worker: which one, where it is about one.
        seconds: for how long, where it lasts.
    """

    at: float
    what: str
    worker: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:6.2f} s  {self.what}, worker {self.worker}, {self.seconds:.2f} s"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run.

    Attributes:
        seed: which it was made of.
        engine: name of the engine.
        steps: what happens, in order.
        seconds: how long it takes, until everything heals.
    """

    seed: int
    engine: str
    steps: tuple[Step, ...]
    seconds: float

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}, {self.engine}, {self.seconds:g} s", *map(str, self.steps)])


def schedule(seed: int, engines: Sequence[str], seconds: float, *, everything: bool = False) -> Schedule:
    """The run of a seed.

    Parameters:
        seed: any number.
        engines: of which each has its turn.
        seconds: how long it takes.
        everything: whether each thing happens once, in some order, and nothing by chance.
    """
    chance = random.Random(seed)
    engine = engines[seed % len(engines)]
    if everything:
        names = chance.sample(list(WEIGHTS), len(WEIGHTS))
    else:
        names = chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=max(round(seconds * PER_SECOND), 1))
    times = sorted(chance.uniform(0.05, 0.9) * seconds for _ in names)
    steps = [
        Step(round(at, 2), name, chance.randrange(WORKERS), round(chance.uniform(1.2, 3.0), 2))
        for at, name in zip(times, names, strict=True)
    ]
    return Schedule(seed, engine, tuple(steps), seconds)
