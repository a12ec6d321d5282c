"""What a `map()` may spend ends."""

from __future__ import annotations

import pytest

from capnweb_runtime.core.budget import Budget
from capnweb_runtime.errors import LimitExceeded


def test_a_budget_ends() -> None:
    budget = Budget(10)
    budget.take(6)
    budget.take(4)
    with pytest.raises(LimitExceeded, match="more than 10 steps"):
        budget.take(1)
