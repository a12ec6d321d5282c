"""What the tests of examples share with all others: the needs of `tests/needs.py`, and a PostgreSQL for those that ask
for one.
"""

from __future__ import annotations

import pytest

from tests import needs
from tests.postgres import postgres as postgres  # a fixture


def pytest_runtest_setup(item: pytest.Item) -> None:
    needs.enforce(item)
