"""How often and how patiently a task is tried."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """How often and how patiently a task is tried.

    Attributes:
        attempts: after so many without a result a task is dead.
        lease: seconds that a worker has between two signs of life.
        backoff: seconds between the first attempt and the second; twice as many after each further one.
        telling: seconds that a submitter's callback may take.
        look: seconds between two looks at the file, for what nobody tells: that a lease has ended, or a task is due.
    """

    attempts: int = 3
    lease: float = 30.0
    backoff: float = 1.0
    telling: float = 5.0
    look: float = 0.1
