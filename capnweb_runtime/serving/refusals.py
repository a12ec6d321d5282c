"""What a server has refused because it is full. Rule: counted one by one, and logged once when it begins and once when
it is over: a flood of strangers is no flood of lines.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from capnweb_runtime.serving.peer import Refuse, logger

QUIET: Final = 10.0
"""Seconds after the last refusal in which it is over."""
RETRY_AFTER: Final = 10
"""Seconds after which a client that was refused is told to come again."""
BUSY: Final = "The server is busy. Try again later."


class Busy(Refuse):
    """The server is full: another line of the log has that."""

    is_expected = True

    def __init__(self) -> None:
        super().__init__(HTTPStatus.SERVICE_UNAVAILABLE, BUSY, {"Retry-After": str(RETRY_AFTER)})


@dataclass(frozen=True, slots=True)
class Usage:
    """How near one bound is.

    Attributes:
        now: what there is.
        most: what there may be.
        refused: how often that was not enough, since the server was started.
    """

    now: int
    most: int
    refused: int


class Refusals:
    """Those of one bound.

    Parameters:
        name: of the bound, as in `ServerLimits`.
        most: what the bound is.
        what: what becomes of whatever is beyond it.
        unit: of the bound.

    Attributes:
        count: how many there were.
    """

    def __init__(self, name: str, most: float, what: str, unit: str = "") -> None:
        self._name = name
        self._most = f"{most:,}{unit}"
        self._what = what
        self.count = 0
        self._before = 0  # when those began that are going on
        self._seen = 0  # when somebody looked whether they are over
        self._timer: asyncio.TimerHandle | None = None

    def add(self) -> None:
        """Counts one."""
        self.count += 1
        if self._timer is None:
            self._before = self.count - 1
            logger.info("at the bound of ServerLimits.%s, %s: %s", self._name, self._most, self._what)
            self._look_later()

    def usage(self, now: int, most: int) -> Usage:
        """For the server's statistics."""
        return Usage(now, most, self.count)

    def close(self) -> None:
        """The server is closed."""
        if self._timer is not None:
            self._over()

    def _look_later(self) -> None:
        self._seen = self.count
        self._timer = asyncio.get_running_loop().call_later(QUIET, self._look)

    def _look(self) -> None:
        if self.count == self._seen:
            self._over()
        else:
            self._look_later()

    def _over(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        count = self.count - self._before
        times = "once" if count == 1 else f"{count:,} times"
        logger.info("no longer at the bound of ServerLimits.%s, which was passed %s", self._name, times)
