"""What was done to whom in a run of `make chaos`, and when. Rule: it is noted before it is done, and its end after it
is over, so that whoever is judged by it is never blamed for what was done to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

ENGINE = "the engine"
KNOWN = "what the engine knows"
MACHINE = "the machine"
"""Whose standing still concerns everybody."""
TICK = 0.1
LATE = 0.5
"""Seconds by which a tick may be late; beyond that the machine stood still, and others on it have as well."""


@dataclass
class Harm:
    """One thing that was done.

    Attributes:
        who: to whom.
        begin: when, by the monotonic clock, which is one for all processes of the machine.
        end: when it was over; never, for whoever was killed.
    """

    who: str
    begin: float
    end: float = math.inf


class Harms:
    """All that was done so far.

    Parameters:
        note: told each, with the seconds since the beginning.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self._all: list[Harm] = []
        self._note = note
        self._begun = time.monotonic()

    def note(self, what: str) -> None:
        """Write down what is about to be done."""
        self._note(f"{time.monotonic() - self._begun:8.2f} s  {what}")

    def killed(self, who: str) -> None:
        """It is about to be killed, and there will be no other of that name."""
        self.note(f"kill {who}")
        self._all.append(Harm(who, time.monotonic()))

    @contextlib.contextmanager
    def to(self, who: str, what: str) -> Generator[Harm]:
        """Something is done to somebody that has an end."""
        self.note(f"{what} {who}")
        harm = Harm(who, time.monotonic())
        self._all.append(harm)
        try:
            yield harm
        finally:
            harm.end = time.monotonic()

    def of(self, *who: str) -> list[Harm]:
        """What was done to some, the first thing first."""
        return [harm for harm in self._all if harm.who in who]

    def hit(self, since: float, until: float, *who: str) -> bool:
        """Whether something was done to any of them, or the machine stood still, within some time."""
        return any(harm.begin <= until and harm.end >= since for harm in self.of(MACHINE, *who))

    def last_end(self, *who: str) -> float:
        """When the last thing that was done to any of them was over; 0 if nothing was done."""
        return max((harm.end for harm in self.of(*who)), default=0.0)

    async def watch(self) -> None:
        """Notes when the machine stands still, for ever: whoever is tried here had no time then either."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(TICK)
            late = time.monotonic() - before - TICK
            if late > LATE:
                self.note(f"{MACHINE} stood still for {late:.2f} s")
                self._all.append(Harm(MACHINE, before, time.monotonic()))
