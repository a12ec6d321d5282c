"""The history of costs: what became dearer is told, and a line is never compared with another Python's."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.bench import history
from tests.bench.history import HISTORY, Line, read, regressions, table
from tests.runtime.cost import PATHS

BEFORE = Line("a1", "2026-11-01", "3.11", {"add": 1000, "map": 500})


def test_a_path_beyond_the_threshold_is_told() -> None:
    assert regressions(BEFORE, replace(BEFORE, commit="b2", instructions={"add": 1030, "map": 400})) == []
    (told,) = regressions(BEFORE, replace(BEFORE, commit="b2", instructions={"add": 1031, "map": 500}))
    assert told == "add: 1,031 instructions where a1 had 1,000, +3.1%"


def test_nothing_is_said_where_there_is_nothing_to_compare() -> None:
    assert regressions(None, BEFORE) == []
    assert regressions(BEFORE, replace(BEFORE, python="3.13", instructions={"add": 9000})) == []
    assert regressions(BEFORE, replace(BEFORE, instructions={"a new path": 9000})) == []


def test_the_table_says_what_changed() -> None:
    shown = table([BEFORE, replace(BEFORE, commit="b2", instructions={"add": 990, "map": 500})])
    assert "-1.0%" in shown
    assert "+0.0%" in shown


def test_a_commit_is_appended_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text(json.dumps(asdict(BEFORE)) + "\n", "utf-8")
    now = replace(BEFORE, commit="b2", instructions={"add": 2000, "map": 500})
    monkeypatch.setattr(history, "HISTORY", path)
    monkeypatch.setattr(history, "measure", lambda: now)
    assert history.main(["--append"]) == 1  # dearer, and written down all the same
    assert read(path) == [BEFORE, now]
    assert history.main(["--append"]) == 0
    assert read(path) == [BEFORE, now]


def test_the_history_that_is_kept_has_every_path() -> None:
    lines = read(HISTORY)
    assert lines
    assert list(lines[-1].instructions) == list(PATHS)
