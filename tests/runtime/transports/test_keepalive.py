"""When a silent peer is asked, and when it is given up, by a clock that stands still until it is told to go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from capnweb_runtime.transports.keepalive import Keepalive, Silence


class Clock:
    """A loop's clock and timers."""

    def __init__(self) -> None:
        self.now = 100.0
        self._timers: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object]) -> Any:
        timer = (self.now + delay, callback)
        self._timers.append(timer)

        return SimpleNamespace(cancel=lambda: self._timers.remove(timer))

    def go_on(self, seconds: float, *, blocked: bool = False) -> None:
        """Lets time pass; blocked, it passes at once, and what was due comes late."""
        end = self.now + seconds
        self.now = end if blocked else self.now
        while self._timers and min(self._timers, key=lambda timer: timer[0])[0] <= end:
            timer = min(self._timers, key=lambda timer: timer[0])
            self._timers.remove(timer)
            self.now = max(self.now, timer[0])
            timer[1]()
        self.now = end

    @property
    def idle(self) -> bool:
        return not self._timers


class End:
    """One end of a connection."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.heard = 0
        self.reading = True
        self.pings: list[tuple[float, bytes]] = []
        self.silent_at: float | None = None

    def signs_of_life(self) -> object:
        return self.heard

    def reads(self) -> bool:
        return self.reading

    def ping(self, payload: bytes) -> None:
        self.pings.append((self.clock.now - 100, payload))

    def fell_silent(self, seconds: float) -> None:
        assert self.silent_at is None
        self.silent_at = self.clock.now - 100


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def end(clock: Clock) -> End:
    return End(clock)


@pytest.fixture
def kept(clock: Clock, end: End) -> Keepalive:
    return Keepalive(20.0, cast(asyncio.AbstractEventLoop, clock), end)


def test_a_silent_peer_is_pinged_once_and_given_up_when_it_stays_silent(
    clock: Clock, end: End, kept: Keepalive
) -> None:
    clock.go_on(19.9)
    assert end.pings == []
    clock.go_on(20.0)
    assert [at for at, _ in end.pings] == [20.0]
    assert end.silent_at is None
    clock.go_on(1000.0)
    assert len(end.pings) == 1
    assert end.silent_at == 40.0
    assert clock.idle


def test_a_peer_that_is_heard_is_not_pinged(clock: Clock, end: End, kept: Keepalive) -> None:
    for _ in range(100):
        clock.go_on(10.0)
        end.heard += 1
    assert end.pings == []


@pytest.mark.parametrize("late", [0.0, 0.1, 2.5, 4.9])
def test_a_peer_that_vanishes_is_given_up_within_two_periods(
    clock: Clock, end: End, kept: Keepalive, late: float
) -> None:
    clock.go_on(10.0 + late)
    end.heard = 1
    clock.go_on(60.0)
    assert [15.0 <= at - 10 - late <= 20.0 for at, _ in end.pings] == [True]
    assert end.silent_at is not None
    assert 35.0 <= end.silent_at - 10 - late <= 40.0


def test_answering_pings_is_enough(clock: Clock, end: End, kept: Keepalive) -> None:
    for number in range(1, 11):
        clock.go_on(20.0 * number + 100.5 - clock.now)
        assert len(end.pings) == number
        end.heard += 1
        kept.pong(end.pings[-1][1])
    assert end.silent_at is None


def test_the_round_trip_is_from_a_ping_to_its_own_answer(clock: Clock, end: End, kept: Keepalive) -> None:
    kept.pong(b"")  # nobody asked
    kept.pong((0).to_bytes(4, "big"))
    assert kept.round_trip_time is None
    clock.go_on(20.0)
    kept.pong(b"another")
    assert kept.round_trip_time is None
    clock.go_on(0.25)
    kept.pong(end.pings[0][1])
    assert kept.round_trip_time == 0.25
    clock.go_on(3.0)
    kept.pong(end.pings[0][1])  # once more
    assert kept.round_trip_time == 0.25


def test_nobody_is_given_up_while_this_side_does_not_read(clock: Clock, end: End, kept: Keepalive) -> None:
    clock.go_on(25.0)  # a ping is under way
    end.reading = False
    clock.go_on(1000.0)
    assert end.silent_at is None
    end.reading = True
    clock.go_on(15.0)
    assert (len(end.pings), end.silent_at) == (1, None)  # all that waits has been read by now
    clock.go_on(100.0)
    assert len(end.pings) == 2
    assert end.silent_at is not None


@pytest.mark.parametrize("before", [19.0, 21.0, 39.0])
def test_nobody_is_given_up_because_this_sides_loop_stood_still(
    clock: Clock, end: End, kept: Keepalive, before: float
) -> None:
    clock.go_on(before)
    clock.go_on(500.0, blocked=True)
    assert end.silent_at is None
    end.heard += 1  # what had come meanwhile
    clock.go_on(15.0)
    assert end.silent_at is None


def test_a_peer_that_is_dead_after_all_is_given_up_when_the_loop_goes_on(
    clock: Clock, end: End, kept: Keepalive
) -> None:
    clock.go_on(21.0)
    clock.go_on(500.0, blocked=True)
    clock.go_on(40.0)
    assert end.silent_at is not None


def test_whoever_is_not_looked_after_any_more_is_left_alone(clock: Clock, end: End, kept: Keepalive) -> None:
    clock.go_on(21.0)
    kept.stop()
    assert clock.idle


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_a_period_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="keepalive has to be a positive number of seconds, or None, not"):
        Silence(keepalive=seconds)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_a_time_to_close_in_that_is_none_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="close_timeout has to be 0 or more seconds, not"):
        Silence(close_timeout=seconds)


def test_no_keepalive_is_a_choice() -> None:
    assert Silence(keepalive=None).keepalive is None
    assert (Silence().keepalive, Silence().close_timeout) == (20.0, 10.0)
