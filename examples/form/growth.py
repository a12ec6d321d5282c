"""By how much processes grow while something happens."""

from __future__ import annotations

import os

from examples.form.memory import resident


class Growth:
    """The most by which this process and another one have grown since this was made, in MiB of resident memory.

    Parameters:
        pid: the other process.

    Attributes:
        here: of this process.
        there: of the other one.
        looks: how often somebody has looked.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began_here, self._began_there = resident(), resident(pid)
        self.here = self.there = 0.0
        self.looks = 0

    def look(self) -> None:
        """Compare with what has been seen so far. What nobody looks at is not seen: call this where there is much."""
        self.looks += 1
        self.here = max(self.here, resident(os.getpid()) - self._began_here)
        self.there = max(self.there, resident(self._pid) - self._began_there)
