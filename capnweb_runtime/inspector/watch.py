"""What is known of a server that is inspected: its sessions, always, and what they say, while somebody looks. Rule:
what nobody looks at costs nothing, and what everybody does is bounded: of many messages the newest are read.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.inspector.calls import History
from capnweb_runtime.inspector.reading import Frames, Reading, newest
from capnweb_runtime.inspector.schema.inspection import Rates
from capnweb_runtime.inspector.settings import Inspector
from capnweb_runtime.inspector.taps import Ring, Tap
from capnweb_runtime.serving.peer import Peer

READ_AT_A_TIME: Final = 400
"""Messages that are read when somebody looks: those of half a second at some 270 calls a second, beyond which some are
skipped. Reading one takes some 20 µs, so that two looks a second take less than 2 % of a core's time.
"""
READ_WHEN_BUSY: Final = 40
"""Likewise, where some were skipped at two looks: a server that has so much to do is not to be kept from it, and nobody
can follow.
"""
RESTS: Final = 0.95
"""Part of the time between two looks in which nothing is taken note of, if there was too much."""
PATIENCE: Final = 5.0
"""Seconds after the last look in which messages are still taken note of."""
RATES_EVERY: Final = 1.0
"""Seconds between two moments of which the rates are remembered, while somebody looks."""
_MOMENTS: Final = 120


@dataclass(slots=True, eq=False)
class Watched:
    """A session.

    Attributes:
        number: what it is called by.
        peer: who is at the other end.
        connection: its connection.
        since: when it began, by the clock of the loop.
        tap: takes note of what it says; None while nobody looks.
        untap: ends that; None while nothing is taken note of.
        before: how many messages had gone when it was last left alone.
        reading: reads that.
    """

    number: int
    peer: Peer
    connection: Connection
    since: float
    tap: Tap | None = None
    untap: Callable[[], None] | None = None
    reading: Reading | None = None
    before: int = 0

    def listen(self) -> None:
        """Takes note from now on."""
        if self.tap is not None and self.untap is None:
            self.untap = self.connection.tap(self.tap)

    def leave(self) -> None:
        """Takes note of nothing any more."""
        if self.untap is not None:
            self.untap()
            self.untap = None

    def messages(self) -> int:
        """How many messages have gone, in both directions."""
        stats = self.connection.session.stats()
        return stats.messages_received + stats.messages_sent


class Watch:
    """Watches the sessions of a server.

    Parameters:
        settings: how much is remembered.
    """

    def __init__(self, settings: Inspector) -> None:
        self._loop = asyncio.get_running_loop()
        self.started = time.time()
        self._began = self._loop.time()
        self._sessions: dict[int, Watched] = {}
        self._next = 1
        self._ended = (0, 0, 0)  # calls, messages received and sent of sessions that have ended
        self._ring = Ring(READ_AT_A_TIME)
        self._skipped = 0
        self._busy = False  # whether some were skipped at the last look
        self._interval = settings.interval
        self._left: list[Reading] = []  # of sessions that have ended
        self.history = History(settings.calls)
        self.frames = Frames(settings.frames)
        self.rates: deque[Rates] = deque(maxlen=_MOMENTS)
        self._wanted: dict[int | None, float] = {}  # sessions that are looked at, None for all, and until when
        self._timer: asyncio.TimerHandle | None = None
        self._resting: asyncio.TimerHandle | None = None

    # ---- sessions

    def opened(self, peer: Peer, connection: Connection) -> None:
        """A session begins."""
        watched = Watched(self._next, peer, connection, self._loop.time())
        self._next += 1
        self._sessions[watched.number] = watched
        connection.when_closed(lambda: self._closed(watched))
        if self._wanted:
            self._tap(watched)

    def __iter__(self) -> Iterator[Watched]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, number: int) -> Watched | None:
        """A session by its number; None if there is none any more."""
        return self._sessions.get(number)

    def moment(self, at: float) -> float:
        """The time of day for a time of the loop's clock, in milliseconds."""
        return (self.started + at - self._began) * 1000

    @property
    def now(self) -> float:
        """The time, by the clock of the loop."""
        return self._loop.time()

    def measure(self) -> None:
        """Takes note of what there is now, if that was not done a moment ago."""
        now = self.moment(self.now)
        if self.rates and now - self.rates[-1].at < RATES_EVERY * 900:
            return
        calls, received, sent = self._ended
        running = queued = 0
        for watched in self:
            stats = watched.connection.session.stats()
            calls += watched.connection.session.calls_received
            received += stats.messages_received
            sent += stats.messages_sent
            running += stats.calls
            queued += watched.connection.queued_bytes
        self.rates.append(Rates(now, len(self), calls, running, received, sent, queued))

    # ---- what they say

    def look(self, session: int | None) -> int:
        """Reads what sessions have said, and goes on taking note of it for a while.

        Parameters:
            session: whose; None means all.

        Returns:
            How many messages were skipped since the server was started.
        """
        self._wanted[session] = self.now + PATIENCE
        self.measure()
        self._tap_and_untap()
        bursts = self._ring.take()
        was_busy, self._busy = self._busy, self._ring.skipped > 0 or self._resting is not None
        if self._busy:
            bursts, more = newest(bursts, READ_WHEN_BUSY if was_busy else READ_AT_A_TIME)
            self._skipped += self._ring.skipped + more
            self._ring.skipped = 0
            if was_busy and self._resting is None:
                self._rest()
            for watched in self:
                if watched.reading is not None:
                    watched.reading.missed()
        for burst in bursts:
            burst.reading.read(burst)
        for reading in [*self._left, *(watched.reading for watched in self if watched.reading is not None)]:
            reading.look()
        self._left.clear()
        return self._skipped

    def close(self) -> None:
        """The server is closed."""
        for timer in (self._timer, self._resting):
            if timer is not None:
                timer.cancel()
        self._timer = self._resting = None
        self._wanted.clear()
        self._tap_and_untap()

    def _rest(self) -> None:
        """Takes note of nothing until shortly before the next look: more is done than can be read."""
        for watched in self:
            if watched.tap is not None:
                watched.before = watched.messages()
                watched.leave()
        self._resting = self._loop.call_later(RESTS * self._interval, self._rested)

    def _rested(self) -> None:
        self._resting = None
        for watched in self:
            if watched.tap is not None and not watched.connection.session.closed:
                self._skipped += watched.messages() - watched.before
                watched.listen()

    def _tap_and_untap(self) -> None:
        """Sees to it that those are tapped that are looked at, and no others."""
        now = self.now
        self._wanted = {session: until for session, until in self._wanted.items() if until > now}
        for watched in self:
            wanted = None in self._wanted or watched.number in self._wanted
            if wanted and watched.tap is None:
                self._tap(watched)
            elif not wanted and watched.tap is not None:
                watched.leave()
                watched.tap = watched.reading = None
        if self._wanted and self._timer is None:
            self._timer = self._loop.call_later(PATIENCE, self._look_whether_wanted)
        elif not self._wanted:
            self._ring.clear()
            self._left.clear()

    def _look_whether_wanted(self) -> None:
        self._timer = None
        self._tap_and_untap()

    def _tap(self, watched: Watched) -> None:
        if self._resting is not None or (None not in self._wanted and watched.number not in self._wanted):
            return
        if watched.connection.behind or watched.connection.session.closed:
            return  # what it has received is not counted yet: the next look will do
        watched.reading = Reading(watched.number, watched.connection.session, self.history, self.frames, self.moment)
        watched.tap = Tap(watched.connection, watched.reading, self._ring, self._loop.time)
        watched.listen()

    def _closed(self, watched: Watched) -> None:
        self._sessions.pop(watched.number, None)
        if watched.reading is not None and self._wanted:
            self._left.append(watched.reading)
        session = watched.connection.session
        stats = session.stats()
        calls, received, sent = self._ended
        self._ended = (
            calls + session.calls_received,
            received + stats.messages_received,
            sent + stats.messages_sent,
        )
