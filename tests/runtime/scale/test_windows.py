"""Moving windows in memory, on a clock that tests set, against a plain list of what was let in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse
from limits.aio.strategies import MovingWindowRateLimiter

from capnweb_runtime.scale.windows import Full, MemoryWindows


class Clock:
    """Shows the time that it is set to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


async def test_a_window_moves_with_the_clock_and_has_no_edges() -> None:
    """Three just before a full minute, and three just after: a count by the minute would let all in."""
    clock = Clock(59.0)
    windows = MemoryWindows(clock)
    limiter, rate = MovingWindowRateLimiter(windows), parse("3/minute")
    assert [await limiter.hit(rate, "ada") for _ in range(4)] == [True, True, True, False]
    clock.now = 61.0
    assert not await limiter.hit(rate, "ada")
    assert windows.full.wait(rate.key_for("ada"), 1) == pytest.approx(58.0)
    clock.now = 118.9
    assert not await limiter.hit(rate, "ada")
    clock.now = 119.0
    assert [await limiter.hit(rate, "ada") for _ in range(4)] == [True, True, True, False]


@given(
    limit=st.integers(0, 6),
    asked=st.lists(
        st.tuples(st.sampled_from([0.0, 0.25, 1.0, 3.0, 9.75, 10.0, 25.0]), st.integers(1, 7), st.sampled_from("ab")),
        max_size=40,
    ),
)
async def test_no_stretch_has_more_and_whoever_waits_gets_in(limit: int, asked: list[tuple[float, int, str]]) -> None:
    clock = Clock()
    windows = MemoryWindows(clock)
    admitted: dict[str, list[tuple[float, int]]] = {"a": [], "b": []}

    def within(key: str, now: float) -> int:
        return sum(amount for at, amount in admitted[key] if now - 10 < at <= now)

    for later, amount, key in asked:
        clock.now += later
        room = limit - within(key, clock.now)
        if amount > limit:
            continue  # nobody asks: it would never be let in
        assert await windows.acquire_entry(key, limit, 10, amount) == (amount <= room)
        if amount <= room:
            admitted[key].append((clock.now, amount))
        else:
            wait = windows.full.wait(key, amount)
            assert within(key, clock.now + wait) + amount <= limit
            assert within(key, clock.now + wait - 0.01) + amount > limit


async def test_windows_in_which_nothing_is_are_forgotten() -> None:
    clock = Clock()
    windows = MemoryWindows(clock)
    for number in range(1000):
        clock.now += 1
        await windows.acquire_entry(f"user {number}", 5, 10)
        await windows.acquire_entry(f"user {number}", 5, 3600)
    kept = {expiry: len(each) for expiry, each in windows._windows.items()}
    assert kept[10] <= 11
    assert kept[3600] == 1000


def test_what_is_known_to_be_full_is_believed_for_no_more_than_some_seconds() -> None:
    clock = Clock()
    full = Full(clock)
    full.remember("a", 2, 3600.0)
    assert [full.wait("a", amount) for amount in (1, 2, 3)] == [0.0, 3600.0, 3600.0]
    clock.now += 4.0
    assert full.wait("a", 2) == 3596.0
    clock.now += 1.0
    assert full.wait("a", 2) == 0.0, "somebody may have cleared it"
    full.remember("a", 2, 0.5)
    clock.now += 0.5
    assert full.wait("a", 2) == 0.0


def test_no_more_is_remembered_than_has_a_bound() -> None:
    full = Full(Clock())
    for number in range(10_001):
        full.remember(f"user {number}", 1, 60.0)
    assert (full.wait("user 0", 1), full.wait("user 1", 1)) == (0.0, 60.0)
