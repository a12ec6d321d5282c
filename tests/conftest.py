"""What every test shares: the needs of `tests/needs.py`, and the rule that nothing is skipped in CI."""

from __future__ import annotations

import pytest

from tests import needs


def pytest_runtest_setup(item: pytest.Item) -> None:
    needs.enforce(item)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skip that did not go through `tests/needs.py` (a stray importorskip, a skipif) must not pass CI unseen."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if (
        needs.IN_CI
        and reporter is not None
        and reporter.stats.get("skipped")
        and session.exitstatus == pytest.ExitCode.OK
    ):
        reporter.write_line("\nskipped tests in CI: each skip is a failure", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
