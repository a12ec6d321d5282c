"""What the calls of a session cost, within windows of time. Rule: a call is counted before it begins, whatever becomes
of it, and what cannot be afforded does not begin.

A window begins with the first call after the last one has ended, so that a session that does nothing needs no timer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from capnweb_runtime.errors import CostExceeded


class CostLeft(NamedTuple):
    """What the peer of a session may still spend on calls; see `cost_left`.

    Attributes:
        left: units that are left in this window of time.
        most: units that each window has: `Limits.cost`.
        seconds: seconds until the window ends and there are `most` again; 0 if there are now.
    """

    left: int
    most: int
    seconds: float


class CostWindow:
    """Counts what the calls of one session cost.

    Parameters:
        most: what those in one window may cost.
        seconds: how long a window is.
        now: tells the time, in seconds since whenever.

    Raises:
        ValueError: one of them allows nothing.
    """

    __slots__ = ("_ends", "_most", "_now", "_seconds", "_spent")

    def __init__(self, most: int, seconds: float, now: Callable[[], float]) -> None:
        check_costs(most, seconds)
        self._most = most
        self._seconds = seconds
        self._now = now
        self._spent = 0
        self._ends = now()

    def left(self) -> CostLeft:
        """What is left, and for how long."""
        seconds = self._ends - self._now()
        if seconds <= 0:
            return CostLeft(self._most, self._most, 0.0)
        return CostLeft(self._most - self._spent, self._most, seconds)

    def refusal(self, cost: int, what: str) -> CostExceeded | None:
        """What is told of something that cannot be afforded; None if it can. It is not counted.

        Parameters:
            cost: what it costs.
            what: the beginning of a sentence, such as "Search.find costs".
        """
        left, most, seconds = self.left()
        if cost <= left:
            return None
        if cost > most:
            text = f"{what} {cost}, and Limits.cost allows {most} in {self._seconds:g} s: it would never be let through"
            return CostExceeded(text, cost=cost, left=left)
        text = f"{what} {cost}, and {left} of the {most} are left that Limits.cost allows in {self._seconds:g} s"
        seconds = round(seconds, 3)
        return CostExceeded(f"{text}: try again in {seconds:g} s", cost=cost, left=left, retryAfter=seconds)

    def take(self, cost: int, what: str) -> CostExceeded | None:
        """Counts a call, if it can be afforded; see `refusal`."""
        now = self._now()
        if now >= self._ends:
            self._spent = 0
            self._ends = now + self._seconds
        if self._spent + cost > self._most:
            return self.refusal(cost, f"{what} costs")
        self._spent += cost
        return None


def check_costs(most: int, seconds: float) -> None:
    """Refuses bounds that allow nothing. Raises ValueError that says so.

    Parameters:
        most: `Limits.cost`.
        seconds: `Limits.cost_window`.
    """
    if most < 1:
        raise ValueError(f"Limits.cost has to be 1 or more, not {most}; None bounds nothing")
    if not seconds > 0:
        raise ValueError(f"Limits.cost_window has to be a number of seconds, more than 0, not {seconds}")
