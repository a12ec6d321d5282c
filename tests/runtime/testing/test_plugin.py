"""The plugin for pytest, in runs of pytest of its own: under each plugin for asyncio, in several processes, and how
tests fail that leave something behind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.project.sources import ROOT

IMPORTS = """
import pytest
import pytest_asyncio
from examples.demo.server import Accounts, Front
from generated.accounts import PublicApiStub
"""

TESTS = """
{mark}
async def test_pair(capnweb_pair, capnweb_calls):
    async with capnweb_pair(Front(Accounts()), PublicApiStub) as api:
        assert await api.authenticate("secret").me() == 1
    assert [call.method for call in capnweb_calls.calls] == ["authenticate", "me"]
    assert capnweb_calls.round_trips == 1


{mark}
async def test_server(capnweb_server, capnweb_calls):
    async with capnweb_server(lambda peer: Front(Accounts()), PublicApiStub) as api:
        assert await api.authenticate("secret").me() == 1
    assert str(capnweb_calls.wire[0]).startswith('-> ["push"')


{fixture}
async def api(capnweb_pair):
    async with capnweb_pair(Front(Accounts()), PublicApiStub) as api:
        yield api


{mark}
@pytest.mark.parametrize("user", [1, 2, 3])
async def test_fixture(api, user):
    assert (await api.authenticate("secret").get_profile(user)).id == user


def test_without_a_loop(capnweb_calls):
    assert capnweb_calls.calls == []
"""
ANYIO = """
@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
LEAK = """
async def test_leak(capnweb_pair):
    async with capnweb_pair(Front(Accounts()), PublicApiStub) as api:
        held = await api.authenticate("secret")  # made here


async def test_sound(capnweb_pair):
    async with capnweb_pair(Front(Accounts()), PublicApiStub) as api:
        async with await api.authenticate("secret"):
            pass
"""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a file of tests by themselves: `run(text, settings, *arguments)`."""

    def run_pytest(
        text: str, settings: str, *arguments: str, imports: str = IMPORTS
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_it.py").write_text(imports + text, "utf-8")
        asyncio = "" if "no:asyncio" in arguments else "asyncio_default_fixture_loop_scope = function"
        (tmp_path / "pytest.ini").write_text(
            f"[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n{asyncio}\n{settings}\n"
        )
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "CAPNWEB_"))}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--color=no", "-p", "no:cacheprovider", *arguments],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    return run_pytest


def lines_with(done: subprocess.CompletedProcess[str], start: str) -> list[str]:
    return [line for line in done.stdout.splitlines() if line.startswith(start)]


@pytest.mark.parametrize(
    ("mark", "fixture", "more", "settings", "arguments"),
    [
        pytest.param("@pytest.mark.asyncio", "@pytest_asyncio.fixture", "", "asyncio_mode = strict", (), id="strict"),
        pytest.param("", "@pytest.fixture", "", "asyncio_mode = auto", (), id="auto"),
        pytest.param("@pytest.mark.anyio", "@pytest.fixture", ANYIO, "", ("-p", "no:asyncio"), id="anyio"),
        pytest.param(
            "@pytest.mark.anyio", "@pytest.fixture", ANYIO, "asyncio_mode = strict", (), id="anyio-beside-asyncio"
        ),
        pytest.param("", "@pytest.fixture", "", "asyncio_mode = auto", ("-n", "2"), id="xdist"),
    ],
)
def test_fixtures_work(run: Run, mark: str, fixture: str, more: str, settings: str, arguments: tuple[str, ...]) -> None:
    done = run(TESTS.format(mark=mark, fixture=fixture) + more, settings, "-q", "--capnweb-no-leaks", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [("", ("--capnweb-no-leaks",)), ("capnweb_no_leaks = true", ()), ("capnweb_no_leaks = true", ("-n", "2"))],
    ids=["option", "setting", "xdist"],
)
def test_a_leaked_stub_fails_with_its_creation_line(run: Run, settings: str, arguments: tuple[str, ...]) -> None:
    done = run(LEAK, f"asyncio_mode = auto\n{settings}", *arguments)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    line = (IMPORTS + LEAK).splitlines().index('        held = await api.authenticate("secret")  # made here') + 1
    assert f"test_it.py:{line}" in done.stdout
    assert "the client holds an object AuthedApi of PublicApi.authenticate" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_the_nearest_marker_says_it_then_the_settings(run: Run) -> None:
    mark = "@pytest.mark.capnweb(no_leaks={})\nasync def test_"
    text = LEAK.replace("async def test_", mark.format(True))
    text += LEAK.replace("test_leak", "test_unmarked").replace("test_sound", "test_unmarked_sound")
    spared = LEAK.replace("test_sound", "test_spared_sound")
    text += spared.replace("async def test_leak", f"{mark.format(False)}spared")
    for settings, failed in (("", 1), ("capnweb_no_leaks = true", 2)):
        done = run(text, f"asyncio_mode = auto\n{settings}")
        assert f"{failed} failed, {6 - failed} passed" in done.stdout, done.stdout
    whole = f"pytestmark = pytest.mark.capnweb(no_leaks=True)\n{text}"
    assert "2 failed, 4 passed" in run(whole, "asyncio_mode = auto").stdout


def test_a_stub_that_the_test_has_dropped_fails_the_fixture_of_its_session(run: Run) -> None:
    text = """
@pytest.fixture
async def api(capnweb_pair):
    async with capnweb_pair(Front(Accounts()), PublicApiStub) as api:
        yield api


@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_leak(api):
    held = await api.authenticate("secret")  # made here
"""
    done = run(text, "asyncio_mode = auto\ncapnweb_no_leaks = true")
    line = (IMPORTS + text).splitlines().index('    held = await api.authenticate("secret")  # made here') + 1
    assert "the client has dropped an object AuthedApi of PublicApi.authenticate without dispose()" in done.stdout
    assert f"test_it.py:{line}" in done.stdout
    assert "1 passed, 1 error" in done.stdout


def test_a_marker_that_says_something_else_is_refused(run: Run) -> None:
    wrong = ["", "()", "(True)", "(no_leaks=1)", "(leaks=False)", "(no_leaks=True, more=1)"]
    tests = [
        f"@pytest.mark.capnweb{written}\nasync def test_{number}(capnweb_pair): ...\n"
        for number, written in enumerate(wrong)
    ]
    done = run("\n\n".join(tests), "asyncio_mode = auto")
    assert done.stdout.count("write @pytest.mark.capnweb(no_leaks=True), or False") >= len(wrong)
    assert f"{len(wrong)} errors" in done.stdout


def test_what_a_call_asks_for_goes_before_what_the_test_is_marked_with(run: Run) -> None:
    text = LEAK.replace("PublicApiStub) as", "PublicApiStub, no_leaks=False) as")
    assert "2 passed" in run(text, "asyncio_mode = auto\ncapnweb_no_leaks = true").stdout


def test_it_says_what_it_has(run: Run) -> None:
    done = run("", "asyncio_mode = auto", "--fixtures", "-q")
    for name in ("capnweb_pair", "capnweb_server", "capnweb_calls"):
        assert lines_with(done, f"{name} -- "), done.stdout
    assert "@pytest.mark.capnweb(no_leaks=True)" in run("", "asyncio_mode = auto", "--markers").stdout
    assert "--capnweb-no-leaks" in run("", "asyncio_mode = auto", "--help").stdout


def test_a_run_that_does_not_use_it_loads_next_to_nothing(run: Run) -> None:
    text = """
import sys
LOADED = sorted(name for name in sys.modules if name.startswith("capnweb_runtime"))

def test_nothing():
    assert LOADED == ["capnweb_runtime", "capnweb_runtime.testing", "capnweb_runtime.testing.plugin"]
"""
    done = run(text, "", imports="")
    assert done.returncode == 0, done.stdout
