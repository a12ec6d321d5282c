"""How long a worker that has ended is waited for."""

from __future__ import annotations

from itertools import accumulate

from capnweb_runtime.running.post import FIRST_DELAY, LONGEST_DELAY, STEADY, delay_after


def test_the_delay_grows_up_to_a_bound() -> None:
    delays = [*accumulate(range(10), lambda before, _: delay_after(before, 1.0), initial=0.0)][1:]
    assert delays[:4] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY]
    assert delays[-1] == LONGEST_DELAY


def test_a_worker_that_has_worked_for_long_is_followed_soon() -> None:
    assert delay_after(LONGEST_DELAY, STEADY) == FIRST_DELAY
