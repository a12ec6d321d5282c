"""What a `map()` may spend ends."""

from __future__ import annotations

import pytest

from capnweb_runtime.core.budget import Budget, Running
from capnweb_runtime.errors import LimitExceeded


def test_a_budget_ends() -> None:
    budget = Budget(10)
    budget.take(6)
    budget.take(4)
    with pytest.raises(LimitExceeded, match="more than 10 steps"):
        budget.take(1)


def test_the_last_calls_are_left_to_sessions_in_which_few_run() -> None:
    running = Running(most=80)
    refused: list[int] = []
    running.on_refused = lambda: refused.append(running.count)
    assert running.crowded == 70
    for running.count in range(70, 80):
        assert running.refusal(15) is None
        assert running.refusal(16) is not None
    running.count = 80
    assert "80 calls of all its clients" in str(running.refusal(0))
    assert refused == [*range(70, 80), 80]


def test_without_others_there_is_no_bound() -> None:
    assert Running().crowded > 2**60
