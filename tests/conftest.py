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


# What an environment may hold that changes what programs print, or where they connect to.
_MEDDLING = {"COLUMNS", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "LINES", "NO_COLOR", "PY_COLORS", "TTY_COMPATIBLE"}


def pytest_configure(config: pytest.Config) -> None:
    """The tests' surroundings are the same everywhere. Whoever starts them in the background, or behind nohup, has them
    inherit that SIGINT is ignored, or blocked; whoever has a proxy, or forces colours, has that in the environment.
    """
    for name in list(os.environ):
        if name in _MEDDLING or name.lower().endswith("_proxy"):
            del os.environ[name]
    if os.environ.get("TERM", "dumb") in {"dumb", "unknown"}:  # which rich takes for no terminal at all
        os.environ["TERM"] = "xterm"
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
