"""Diagnostics: how they read, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from capnweb_gen.errors import Diagnostic, column, in_order, project_of, shown


def test_a_diagnostic_reads_as_place_message_and_hint() -> None:
    fault = Diagnostic("schemas/api.py", 3, 14, "set[int] cannot travel", "write list[...]")
    assert str(fault) == "schemas/api.py:3:14: set[int] cannot travel\n    hint: write list[...]"


def test_diagnostics_come_by_file_and_position_each_once() -> None:
    later = Diagnostic("a.py", 10, 1, "m", "h")
    earlier = Diagnostic("a.py", 9, 80, "m", "h")
    other = Diagnostic("b.py", 1, 1, "m", "h")
    assert in_order([other, later, earlier, later]) == (earlier, later, other)


@pytest.mark.parametrize(("line", "offset", "found"), [("abc", 2, 3), ("äbc", 2, 2), ("漢b", 3, 2), ("a\ud83db", 2, 3)])
def test_columns_count_characters_from_one(line: str, offset: int, found: int) -> None:
    assert column(line, offset) == found


def test_the_nearest_project_counts(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    for folder in (tmp_path, inner):
        (folder / "pyproject.toml").touch()
    assert project_of(inner / "schemas/a.py") == inner
    assert project_of(inner) == tmp_path


def test_what_is_installed_goes_by_the_name_under_which_it_is_imported(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    installed = tmp_path / ".venv/lib/python3.11/site-packages/library/schema.py"
    assert shown(installed) == "library/schema.py"
    assert shown(tmp_path / "schemas/a.py") == "schemas/a.py"
