"""The tests that docs/testing.md shows pass, are well typed, and fail as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "testing.md").read_text("utf-8")


LEAK = "test_leak.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that are shown."""
    for file, content in (*re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL), ("schemas/__init__.py", "")):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(f"# {file}\n{content}" if content else "", "utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n",
        "utf-8",
    )
    assert run(tmp_path, "capnweb_gen.cli", "schemas", "--out", "generated", "--fakes").returncode == 0
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(folder, "pytest", "-q", "-p", "no:cacheprovider", "--color=no", *arguments)


def test_the_tests_that_are_shown_pass(folder: Path) -> None:
    *_, expected = re.findall(r"```text\n(.*?)\n```", TEXT, re.DOTALL)
    done = run_pytest(folder, f"--ignore={LEAK}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert expected in done.stdout


def test_the_test_that_leaks_fails_as_is_shown(folder: Path) -> None:
    shown, _ = re.findall(r"```text\n(.*?)\n```", TEXT, re.DOTALL)
    done = run_pytest(folder, LEAK)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    told = [" ".join(line.split()) for line in done.stdout.replace(str(folder), "/library").splitlines()]
    assert [line for line in (" ".join(line.split()) for line in shown.splitlines()) if line not in told] == []


def test_the_tests_that_are_shown_are_well_typed(folder: Path) -> None:
    done = run(folder, "mypy", "--strict", "--no-error-summary", ".")
    assert done.returncode == 0, done.stdout + done.stderr
