"""The programs of docs/calls.md print what their comments say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.sources import ROOT

TEXT = (ROOT / "docs" / "calls.md").read_text("utf-8")
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
PROGRAMS = [name for name, text in FILES.items() if "asyncio.run(" in text or "connect_blocking(" in text]
PRINTS = re.compile(r"  # (.*)")
PATIENCE = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the document, compiled."""
    folder = tmp_path_factory.mktemp("calls")
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "schemas" / "__init__.py").touch()
    run(folder, "-m", "capnweb_gen.cli", "schemas", "--out", "generated", "--blocking")
    return folder


def run(folder: Path, *command: str) -> str:
    """Runs Python in the folder; what it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_prints_what_its_comments_say(folder: Path, program: str) -> None:
    said = [line for comment in PRINTS.findall(FILES[program]) for line in comment.split(", ")]
    assert run(folder, program).splitlines() == said


def test_there_are_programs() -> None:
    assert PROGRAMS == [
        "giving_up.py",
        "in_time.py",
        "in_a_script.py",
        "timing.py",
        "guarding.py",
        "batching.py",
        "costs.py",
    ]
