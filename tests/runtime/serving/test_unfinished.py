"""What has begun to arrive: it makes progress, or goes, and the heaviest goes first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from capnweb_runtime.limits import ServerLimits
from capnweb_runtime.serving.bounds import Bounds, Guest


class Clock:
    """Stands for the loop of `Bounds`: its time is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ended: list[tuple[Any, HTTPStatus]] = []
        self.timer: tuple[float, Callable[[], None]] | None = None

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> Clock:
        self.timer = (when, callback)
        return self

    def call_later(self, *_: Any) -> Clock:
        return self

    def cancel(self) -> None:
        self.timer = None

    def call_soon(self, callback: Callable[..., object], *args: object) -> None:
        callback(*args)

    def go_to(self, now: float) -> None:
        """Time passes, and the timer is called whenever it is due."""
        while self.timer is not None and self.timer[0] <= now:
            (self.now, callback), self.timer = self.timer, None
            callback()
        self.now = now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    return clock


def guest(bounds: Bounds, clock: Clock, name: str) -> Guest:
    one = Guest(bounds)
    one.on_end = lambda status, text: clock.ended.append((name, status))
    return one


def test_what_makes_no_progress_is_ended(clock: Clock) -> None:
    one = guest(Bounds(), clock, "one")
    one.hold(100)
    clock.go_to(29.9)
    assert not clock.ended
    clock.go_to(30)
    assert clock.ended == [("one", 408)]


def test_what_makes_progress_may_take_hours(clock: Clock) -> None:
    bounds = Bounds()
    one = guest(bounds, clock, "one")
    for second in range(1, 2 * 60 * 60):
        one.hold(second * 4096)
        clock.go_to(second)
    assert not clock.ended
    clock.go_to(2 * 60 * 60 + 60)  # it stops
    assert clock.ended == [("one", 408)]
    assert bounds.unfinished.bytes == 0


def test_a_little_progress_is_none(clock: Clock) -> None:
    one = guest(Bounds(), clock, "one")
    for second in range(1, 30):
        one.hold(1000 * second)
        clock.go_to(second)
    clock.go_to(30)
    assert clock.ended == [("one", 408)]


def test_each_message_has_its_own_time(clock: Clock) -> None:
    one = guest(Bounds(), clock, "one")
    for second in range(0, 200, 20):
        one.hold(10, anew=True)
        clock.go_to(second)
    assert not clock.ended
    one.hold(0)
    clock.go_to(1000)
    assert not clock.ended


def test_time_in_which_this_side_does_not_read_is_not_counted(clock: Clock) -> None:
    one = guest(Bounds(), clock, "one")
    one.hold(10)
    one.wait(True)
    clock.go_to(1000)
    one.wait(False)
    clock.go_to(1029)
    assert not clock.ended
    clock.go_to(1030)
    assert clock.ended == [("one", 408)]


def test_each_is_looked_at_in_time(clock: Clock) -> None:
    bounds = Bounds()
    early, late = guest(bounds, clock, "early"), guest(bounds, clock, "late")
    early.hold(10)
    clock.go_to(10)
    late.hold(10)
    clock.go_to(12)
    early.hold(20, anew=True)
    clock.go_to(40)
    assert clock.ended == [("late", 408)]
    clock.go_to(42)
    assert clock.ended == [("late", 408), ("early", 408)]


def test_there_is_one_timer_and_one_entry_for_a_connection(clock: Clock) -> None:
    bounds = Bounds()
    guests = [guest(bounds, clock, str(number)) for number in range(100)]
    for _ in range(100):
        for one in guests:
            one.hold(10)
            one.hold(0)
    assert len(bounds.unfinished._watched) == 100
    clock.go_to(30)
    assert not bounds.unfinished._watched
    assert clock.timer is None


def test_the_heaviest_goes_first_not_the_one_that_sends_next(clock: Clock) -> None:
    bounds = Bounds(ServerLimits(unfinished_bytes=1000))
    heavy, light, last = (guest(bounds, clock, name) for name in ("heavy", "light", "last"))
    light.hold(300)
    heavy.hold(600)
    last.hold(200)
    assert clock.ended == [("heavy", 503)]
    assert bounds.unfinished.bytes == 500
    heavy.hold(700)  # of one that is ended nothing counts any more
    light.hold(0)
    last.left()
    assert bounds.unfinished.bytes == 0
    assert bounds.stats(0).unfinished_bytes.refused == 1


def test_some_room_is_made_so_that_it_need_not_be_searched_for_each_byte(clock: Clock) -> None:
    bounds = Bounds(ServerLimits(unfinished_bytes=1600))
    for number in range(161):
        guest(bounds, clock, str(number)).hold(10)
    assert len(clock.ended) == 11


def test_a_connection_that_is_lost_holds_nothing_and_is_not_kept(clock: Clock) -> None:
    bounds = Bounds()
    one = guest(bounds, clock, "one")
    one.hold(10)
    one.left()
    assert one.on_end is None
    assert bounds.unfinished.bytes == 0
    clock.go_to(30)
    assert not clock.ended
