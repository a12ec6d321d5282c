"""docs/debugging.md: its programs print what is said."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from capnweb_runtime.debugging.capabilities import Capability
from tests.bench.debugging import MODES, OPERATIONS
from tests.project.sources import ROOT

TEXT = (ROOT / "docs/debugging.md").read_text("utf-8")
PROGRAMS = ("watched.py", "forgetful.py", "leaking.py", "counting.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files of the document, compiled."""
    folder = tmp_path_factory.mktemp("debugging")
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL)
    for file, content in (*blocks, ("schemas/__init__.py", "")):
        (folder / file).parent.mkdir(exist_ok=True)
        # The one liberty: port 8080 may be taken on this machine. The line that names the file counts, too.
        (folder / file).write_text(content.replace("8080", "0"), "utf-8")
    run(folder, "-m", "capnweb_gen.cli", "schemas", "--out", "generated")
    return folder


def run(folder: Path, *command: str, debug: str | None = None) -> tuple[str, str]:
    environment = {key: value for key, value in os.environ.items() if key != "CAPNWEB_DEBUG"} | {
        "PYTHONPATH": str(ROOT)
    }
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment if debug is None else {**environment, "CAPNWEB_DEBUG": debug},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, done.stderr


def said_of(program: str) -> str:
    """What the document says that a program prints."""
    behind = TEXT.partition(f"# {program}\n")[2]
    found = re.search(r"```text\n(.*?)```", behind, re.DOTALL)
    assert found is not None
    return found[1]


def as_shown(printed: str, folder: Path) -> str:
    """What a program has printed, with the port and the folder of the document."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8080", printed).replace(f"{folder}{os.sep}", "")


@pytest.mark.parametrize("program", ["watched.py", "leaking.py", "counting.py"])
def test_a_program_prints_what_is_said(program: str, folder: Path) -> None:
    printed, _ = run(folder, program)
    assert as_shown(printed, folder) == said_of(program)


def test_a_dropped_stub_is_told_as_is_shown(folder: Path) -> None:
    _, told = run(folder, "-W", "default", "forgetful.py", debug="1")
    assert said_of("forgetful.py") in as_shown(told, folder)


def test_every_attribute_of_a_capability_is_described() -> None:
    section = TEXT.partition("## Who made it")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [*Capability.__dataclass_fields__]


def test_the_table_has_every_measurement() -> None:
    rows = [
        line
        for line in TEXT.splitlines()
        if "| `" in line and any(line.startswith(f"| {what} |") for what in OPERATIONS)
    ]
    assert [row.split("|")[2].strip(" `") for row in rows] == [*MODES, *MODES]
