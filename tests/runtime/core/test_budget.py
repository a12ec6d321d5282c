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


def test_a_call_that_is_one_too_many_is_told_that_others_are_running() -> None:
    running = Running(most=2)
    refused: list[int] = []
    running.on_refused = lambda: refused.append(1)
    running.count = 2
    assert "2 calls of all its clients" in str(running.refuse())
    assert refused == [1]
