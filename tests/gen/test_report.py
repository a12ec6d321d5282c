"""Reports: how far a fault is underlined, and that nothing but the excerpt depends on the file."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from capnweb_gen.errors import Diagnostic
from capnweb_gen.report import Sources, render


def excerpt(folder: Path, text: str, line: int, column: int) -> list[str]:
    """The lines between the first and the hint."""
    (folder / "api.py").write_text(text, "utf-8")
    fault = Diagnostic("api.py", line, column, "message", "hint")
    return render(fault, Sources([folder / "api.py"])).plain.splitlines()[1:-1]


@pytest.mark.parametrize(
    ("line", "column", "underlined"),
    [
        ("async def get(self, key: int) -> set[int]: ...", 11, "get"),
        ("async def get(self, key: int) -> set[int]: ...", 21, "key"),
        ("async def get(self, key: int) -> set[int]: ...", 34, "set[int]"),
        ("async def get(self, key: a.B | None) -> int: ...", 26, "a.B | None"),
        ('async def get(self, größe: "set[int]") -> int: ...', 28, '"set[int]"'),
        ("def get(self, key: int = [1, (2)]) -> int: ...", 26, "[1, (2)]"),
        ("@cache(maxsize=1)", 2, "cache(maxsize=1)"),
        ("if a:  # why", 1, "if a:"),
        ("class Api(Protocol):", 7, "Api"),
        ("name: int = 1", 1, "name"),
        ("not valid python (", 5, "valid"),
        ("x = (", 6, "^"),
    ],
)
def test_what_is_meant_is_underlined_to_its_end(tmp_path: Path, line: str, column: int, underlined: str) -> None:
    below = "\nclass A: ..." if line.startswith("@") else "\n    ..." if line.startswith(("if", "class")) else ""
    shown, marks = excerpt(tmp_path, f"\n{line}{below}\n", 2, column)
    assert shown == f"    2 | {line}"
    assert marks == "      | " + " " * (column - 1) + "^" * len(underlined)


def test_what_goes_on_in_further_lines_is_underlined_to_the_end_of_the_first(tmp_path: Path) -> None:
    shown, marks = excerpt(tmp_path, "\nx: Literal[  # either\n    1,\n    2,\n]\n", 2, 4)
    assert (shown, marks) == ("    2 | x: Literal[  # either", "      |    ^^^^^^^^")


def test_marks_stand_below_what_they_mean_after_tabs_and_wide_characters(tmp_path: Path) -> None:
    _, marks = excerpt(tmp_path, "if 1:\n\t寸法: int = 寸\n", 2, 12)
    assert marks == "      | \t" + " " * len("xxxx: int = ") + "^^"


@pytest.mark.parametrize(
    ("line", "column", "before", "marks"),
    [
        ("'e\N{COMBINING ACUTE ACCENT}'; y = Undefined", 11, "'e'; y = ", "^^^^^^^^^"),
        ("e\N{COMBINING ACUTE ACCENT}t\N{COMBINING ACUTE ACCENT}: no (", 1, "", "^^"),
        ("'漢字'; y = Undefined", 11, "'xxxx'; y = ", "^^^^^^^^^"),
        ("'\x0c'; y = Undefined", 10, "''; y = ", "^^^^^^^^^"),
    ],
)
def test_marks_stand_below_names_after_characters_of_any_width(
    tmp_path: Path, line: str, column: int, before: str, marks: str
) -> None:
    assert excerpt(tmp_path, f"\n{line}\n", 2, column)[1] == "      | " + " " * len(before) + marks


@pytest.mark.parametrize("character", ["\x0c", "\x1c", "\x85", "\u2028"])
def test_only_what_ends_a_line_of_python_does_here(tmp_path: Path, character: str) -> None:
    shown, marks = excerpt(tmp_path, f"x = '{character}'\ny = 1\n", 2, 5)
    assert (shown, marks) == ("    2 | y = 1", "      |     ^")


def test_a_byte_order_mark_takes_no_column(tmp_path: Path) -> None:
    shown, marks = excerpt(tmp_path, "\N{BOM}x = undefined\n", 1, 5)
    assert (shown, marks) == ("    1 | x = undefined", "      |     ^^^^^^^^^")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "api.py")
    fault = Diagnostic("api.py", 1, 1, "message", "hint")
    assert render(fault, Sources([tmp_path])).plain == "api.py:1:1: message\n    hint: hint"


def test_line_numbers_of_any_width_keep_the_marks_in_place(tmp_path: Path) -> None:
    assert excerpt(tmp_path, "\n" * 99 + "x = 1\n", 100, 5) == ["    100 | x = 1", "        |     ^"]


@pytest.mark.parametrize(("line", "column"), [(1, 1), (4, 1), (3, 99)])
def test_a_file_as_a_whole_and_a_place_outside_of_it_are_not_shown(tmp_path: Path, line: int, column: int) -> None:
    assert excerpt(tmp_path, "\nx = 1\ny = 2\n", line, column) == []


def test_the_start_of_a_file_is_shown_if_something_stands_there(tmp_path: Path) -> None:
    assert excerpt(tmp_path, "import x\n", 1, 1) == ["    1 | import x", "      | ^^^^^^^^"]


def test_data_is_not_shown_for_a_fault_of_the_whole(tmp_path: Path) -> None:
    (tmp_path / "api.json").write_text("{}")
    fault = Diagnostic("api.json", 1, 1, "this is not IR", "make it anew")
    assert render(fault, Sources([tmp_path])).plain == "api.json:1:1: this is not IR\n    hint: make it anew"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b""])
def test_a_file_that_cannot_be_read_costs_only_the_excerpt(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "api.py").write_bytes(content)
    fault = Diagnostic("api.py", 3, 14, "set[int] cannot travel", "write list[...]")
    text = render(fault, Sources([tmp_path / "api.py"])).plain
    assert text == "api.py:3:14: set[int] cannot travel [CW-051]\n    hint: write list[...]"


def test_files_are_found_from_the_projects_of_what_was_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for project, text in (("mine", "x = 1\ny = 2\n"), ("other", "x = 1\nz = 3\n")):
        (tmp_path / project / "schemas").mkdir(parents=True)
        (tmp_path / project / "pyproject.toml").touch()
        (tmp_path / project / "schemas/api.py").write_text(text)
    monkeypatch.chdir(tmp_path / "mine")
    fault = Diagnostic("schemas/api.py", 2, 1, "m", "h")
    assert "z = 3" in render(fault, Sources([tmp_path / "other/schemas"])).plain
    assert "y = 2" in render(fault, Sources()).plain
    monkeypatch.chdir(tmp_path / "mine/schemas")
    assert "y = 2" in render(fault, Sources()).plain


def test_a_terminal_gets_colours_and_a_pipe_gets_none(tmp_path: Path) -> None:
    (tmp_path / "api.py").write_text("\nx = 1\n")
    text = render(Diagnostic("api.py", 2, 1, "message", "hint"), Sources([tmp_path / "api.py"]))
    written = {}
    for terminal in (True, False):
        file = io.StringIO()
        Console(file=file, force_terminal=terminal, color_system="standard" if terminal else None).print(text)
        written[terminal] = file.getvalue()
    assert "\x1b[1;31m^\x1b[0m" in written[True]
    assert "\x1b[1;31mmessage\x1b[0m" in written[True]
    assert "\x1b" not in written[False]
