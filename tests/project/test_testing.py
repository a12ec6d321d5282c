"""The tests that docs/testing.md shows pass, and are well typed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "testing.md").read_text("utf-8")


def test_the_tests_that_are_shown_pass(tmp_path: Path) -> None:
    for file, content in (*re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL), ("schemas/__init__.py", "")):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(content, "utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n",
        "utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("capnweb_gen.cli", "schemas", "--out", "generated")
    (expected,) = re.findall(r"```text\n(.*?)\n```", TEXT, re.DOTALL)
    assert expected in run("pytest", "-q", "-p", "no:cacheprovider", "--color=no")
    run("mypy", "--strict", "--no-error-summary", ".")
