"""What every test shares: the needs of `tests/needs.py`, the rule that nothing is skipped in CI, how many examples
generated tests try (HYPOTHESIS_PROFILE=nightly makes them try many more), and what is done once rather than for each.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import needs

# On a busy machine an example may take any time at all, to make or to try.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", settings.get_profile("patient"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))


# What an environment may hold that changes what programs print, or where they connect to.
_MEDDLING = {"COLUMNS", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "LINES", "NO_COLOR", "PY_COLORS", "TTY_COMPATIBLE"}


def pytest_configure(config: pytest.Config) -> None:
    """The tests' surroundings are the same everywhere. Whoever starts them in the background, or behind nohup, has them
    inherit that SIGINT is ignored, or blocked; whoever has a proxy, or forces colours, has that in the environment.
    """
    # Hypothesis looks for who holds its random numbers; since Python 3.14 that is among what is frozen below.
    config.addinivalue_line(
        "filterwarnings", "ignore:It looks like `register_random` was passed:hypothesis.errors.HypothesisWarning"
    )
    for name in list(os.environ):
        if name in _MEDDLING or name.lower().endswith("_proxy"):
            del os.environ[name]
    if os.environ.get("TERM", "dumb") in {"dumb", "unknown"}:  # which rich takes for no terminal at all
        os.environ["TERM"] = "xterm"
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform != "win32":
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD})


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Whatever is imported to find all tests stays, and no collection of garbage looks through it again. Tests that
    collect garbage, as most of the runtime's do, would take 0.15 seconds each for that.

    What is compiled meanwhile is kept for the other workers, the programs that tests start, and the next run, even if
    the environment says that nothing is kept. For tests it goes on saying so: some change modules within a second.
    """
    kept = sys.dont_write_bytecode
    sys.dont_write_bytecode = False
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        sys.dont_write_bytecode = kept


@pytest.fixture(scope="session", autouse=True)
def types_are_known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have mypy keep what it finds in the runtime, pydantic and the standard library, which takes it 4 seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
        yield


def pytest_runtest_setup(item: pytest.Item) -> None:
    needs.enforce(item)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """What the tests of a file leave stays as well, and some of it is large: the trees that completion keeps, what a
    language server knows. Every later collection of garbage would take a second for looking through it.
    """
    if nextitem is None or nextitem.path != item.path:
        gc.collect()
        gc.freeze()


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
