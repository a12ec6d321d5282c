"""What every test shares: the needs of `tests/needs.py`, the rule that nothing is skipped in CI, and how many examples
generated tests try: HYPOTHESIS_PROFILE=nightly makes them try many more.
"""

from __future__ import annotations

import os
import signal
import sys

import pytest
from hypothesis import settings

from tests import needs

settings.register_profile("nightly", max_examples=10_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    """Signals mean what they mean in a terminal: whoever starts the tests in the background, or behind nohup, has them
    inherit that SIGINT is ignored, or blocked.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD})


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
