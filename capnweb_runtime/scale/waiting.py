"""How long to wait before an engine is tried again. Rule: everybody waits for a time of their own, so that an engine
which comes back is not run down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

FIRST: Final = 0.05
LONGEST: Final = 5.0
"""Seconds."""


def pause(attempt: int, chance: Callable[[], float]) -> float:
    """Seconds before the next attempt: full jitter, up to a bound that doubles.

    Parameters:
        attempt: how many have failed in a row, from 1.
        chance: a number from 0 to 1.
    """
    return chance() * min(FIRST * 2.0 ** min(attempt - 1, 20), LONGEST)
