"""docs/scale.md: what it shows is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from capnweb_runtime.scale import Bounds, GapReason
from capnweb_runtime.scale.contract import TOPIC_LENGTH

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs/scale.md").read_text("utf-8").partition("\n## Objects with one owner")[0]
"""Of what follows, test_cluster_document.py."""
FILES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, re.DOTALL))
PRINTED = dict(re.findall(r"```python\n# (\S+)\n(?:(?!```).)*```\n\n```text\n(.*?)```", TEXT, re.DOTALL))


def run(folder: Path, *command: str) -> str:
    """Runs Python in the folder; what it prints."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT))), "MYPYPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the document, compiled."""
    folder = tmp_path_factory.mktemp("scale")
    for name, text in {**FILES, "schemas/__init__.py": ""}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    run(folder, "-m", "capnweb_gen.cli", "schemas", "--out", "generated")
    return folder


@pytest.mark.parametrize("name", PRINTED)
def test_the_programs_that_are_shown_print_what_is_said(folder: Path, name: str) -> None:
    assert run(folder, name) == PRINTED[name]
    run(folder, "-m", "mypy", "--strict", "--no-error-summary", name)


def test_every_reason_of_a_gap_is_described() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == set(get_args(GapReason))


def test_the_bounds_that_are_shown_are_the_defaults() -> None:
    bounds = Bounds()
    for kept in (
        f"{bounds.history_events:,} events, for {bounds.history_seconds / 60:.0f} minutes",
        f"{bounds.replay_events:,} events, {bounds.replay_bytes >> 20} MiB",
        f"{bounds.queue_events:,} events, {bounds.queue_bytes >> 20} MiB",
        f"{bounds.event_bytes >> 10} KiB",
        f"{TOPIC_LENGTH} bytes",
        f"the last {bounds.recent_events} events",
    ):
        assert kept in TEXT, kept
    assert bounds.dedupe_seconds == 120
    assert "Within two minutes" in TEXT
