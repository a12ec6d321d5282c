"""Whether the peer is still there. Rule: nothing is done for a message; a timer looks, a few times in each period, at
what is counted anyway.

After a period without a sign of life the peer is sent a ping, and after another one the connection is given up.
Whatever comes is a sign of life: a message, a part of one, a pong, whoever asked for it. So is what leaves this side
while the peer holds back. Time in which this side does not read, or in which its loop stood still, does not count.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

_LOOKS: Final = 4
"""How often in a period. A ping comes at most one of these early, and never late."""


@dataclass(frozen=True, slots=True)
class Silence:
    """How long a peer may be silent.

    Attributes:
        keepalive: seconds until it is sent a ping, and again until the session ends as lost; None sends no pings.
        close_timeout: seconds that it has to answer a close frame and to end its half of the connection.

    Raises:
        ValueError: keepalive is not positive, or close_timeout is negative.
    """

    keepalive: float | None = 20.0
    close_timeout: float = 10.0

    def __post_init__(self) -> None:
        if self.keepalive is not None and not self.keepalive > 0:
            raise ValueError(f"keepalive has to be a positive number of seconds, or None, not {self.keepalive}")
        if not self.close_timeout >= 0:
            raise ValueError(f"close_timeout has to be 0 or more seconds, not {self.close_timeout}")


DEFAULT_SILENCE: Final = Silence()


class Watched(Protocol):
    """The end of a connection that is looked after."""

    def signs_of_life(self) -> object:
        """Counts that change whenever the peer shows that it is there."""
        ...

    def reads(self) -> bool:
        """Whether this side reads what comes."""
        ...

    def ping(self, payload: bytes) -> None:
        """Sends a ping."""
        ...

    def fell_silent(self, seconds: float) -> None:
        """Ends the connection, on which nothing has come for so long; called once, and last."""
        ...


class Keepalive:
    """Looks after one connection, from now on.

    Parameters:
        seconds: the period.
        loop: has the clock and the timers.
        end: the connection's end.

    Attributes:
        round_trip_time: seconds between the last ping that was answered and its answer; None before one.
    """

    __slots__ = (
        *("_due", "_end", "_heard", "_interval", "_loop", "_looked", "_number", "_pinged", "_seconds", "_timer"),
        *("_waits", "round_trip_time"),
    )

    def __init__(self, seconds: float, loop: asyncio.AbstractEventLoop, end: Watched) -> None:
        self.round_trip_time: float | None = None
        self._seconds = seconds
        self._interval = seconds / _LOOKS
        self._loop = loop
        self._end = end
        self._heard = end.signs_of_life()
        self._looked = loop.time()
        self._due = self._looked + seconds  # when there is something to do unless the peer is heard
        self._waits = False  # a ping has gone out since it was heard
        self._number = 0  # of the last ping
        self._pinged: float | None = None  # when that was sent, if its answer has not come
        self._timer = loop.call_later(self._interval, self._look)

    def stop(self) -> None:
        """Looks no more."""
        self._timer.cancel()

    def pong(self, payload: bytes) -> None:
        """A pong has come; it need not be an answer."""
        if self._pinged is not None and payload == self._payload():
            self.round_trip_time = self._loop.time() - self._pinged
            self._pinged = None

    def _look(self) -> None:
        now = self._loop.time()
        late = now - self._looked - self._interval
        heard = self._end.signs_of_life()
        if not self._end.reads():
            self._due, self._waits = now + self._seconds, False
        elif heard != self._heard:  # since the last look, perhaps right after it
            self._due, self._waits = max(self._looked, now - self._interval) + self._seconds, False
        elif late > self._interval:
            self._due = max(self._due + late, now + self._interval)  # what has come meanwhile is read before that
        self._heard, self._looked = heard, now
        if now >= self._due - self._interval / 2:  # not one look later because of a clock's last digit
            if self._waits:
                self._end.fell_silent(2 * self._seconds)
                return
            self._ask(now)
        self._timer = self._loop.call_later(self._interval, self._look)

    def _ask(self, now: float) -> None:
        self._due, self._waits = now + self._seconds, True
        self._number += 1
        self._pinged = now
        self._end.ping(self._payload())

    def _payload(self) -> bytes:
        return self._number.to_bytes(4, "big")
