"""What calls may cost in a window of time."""

from __future__ import annotations

import pytest

from capnweb_runtime import CostExceeded
from capnweb_runtime.core.costs import CostLeft, CostWindow


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_calls_are_counted_until_there_is_too_little_left() -> None:
    window = CostWindow(10, 60.0, Clock())
    assert window.take(7, "A.a") is None
    refused = window.take(4, "A.b")
    assert isinstance(refused, CostExceeded)
    assert str(refused) == (
        "CostExceeded: A.b costs 4, and 3 of the 10 are left that Limits.cost allows in 60 s: try again in 60 s"
    ).removeprefix("CostExceeded: ")
    assert (refused.cost, refused.left, refused.retry_after) == (4, 3, 60.0)
    assert window.take(3, "A.a") is None  # what was refused is not counted


def test_a_window_begins_with_the_first_call_after_the_last_one_has_ended() -> None:
    clock = Clock()
    window = CostWindow(10, 60.0, clock)
    clock.time += 500
    assert window.left() == CostLeft(10, 10, 0.0)
    assert window.take(10, "A.a") is None
    clock.time += 45.5
    assert window.left() == CostLeft(0, 10, 14.5)
    refused = window.take(1, "A.a")
    assert refused is not None
    assert refused.retry_after == 14.5
    clock.time += 14.5
    assert window.left() == CostLeft(10, 10, 0.0)
    assert window.take(1, "A.a") is None
    assert window.left() == CostLeft(9, 10, 60.0)


def test_what_costs_more_than_there_ever_is_has_no_time_to_try_again() -> None:
    refused = CostWindow(10, 60.0, Clock()).take(11, "A.a")
    assert refused is not None
    assert refused.retry_after is None
    assert "would never be let through" in str(refused)


def test_asking_whether_something_can_be_afforded_counts_nothing() -> None:
    window = CostWindow(10, 60.0, Clock())
    assert window.refusal(10, "the plan costs") is None
    assert window.refusal(11, "the plan costs") is not None
    assert window.left().left == 10


@pytest.mark.parametrize(("most", "seconds"), [(0, 60.0), (-1, 60.0), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_bounds_that_allow_nothing_are_refused(most: int, seconds: float) -> None:
    with pytest.raises(ValueError, match=r"Limits\.cost"):
        CostWindow(most, seconds, Clock())
