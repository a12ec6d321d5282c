"""What is measured of one number of users. Rule: it knows nothing of Locust, whose import replaces half of Python."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """What came of one number of users.

    Attributes:
        scenario: which.
        users: how many there were.
        rate: what they did a second, all together.
        p50: milliseconds that half of it took at most.
        p95: that 95 of a hundred took at most.
        p99: that 99 did.
        failures: how many failed.
        server: how much of a core the server took.
        users_core: how much of one the users did.
    """

    scenario: str
    users: int
    rate: float
    p50: float
    p95: float
    p99: float
    failures: int
    server: float
    users_core: float
