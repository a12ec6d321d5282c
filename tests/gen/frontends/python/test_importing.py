"""Importing schemas: once, and what is said when that fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from capnweb_gen.errors import Diagnostic
from capnweb_gen.frontends.python.files import SchemaFile, schema_file
from capnweb_gen.frontends.python.importing import import_schema, importable, place
from tests.gen.conftest import Write


def load(path: Path, root: Path) -> object:
    file = schema_file(path, root, given=True)
    with importable([file]):
        return import_schema(file)


def test_sys_path_is_as_before_also_after_a_failure(project: Write) -> None:
    root = project({"f6/__init__.py": "", "f6/a.py": "1 / 0"})
    before = list(sys.path)
    assert isinstance(load(root / "f6/a.py", root / "f6"), Diagnostic)
    assert sys.path == before


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("x = 1\ny = undefined", "NameError: name 'undefined' is not defined", (2, 5)),
        ("import sys\nsys.exit(3)", "SystemExit: 3", (2, 1)),
        ("raise LookupError", "LookupError", (1, 1)),
        ("import f7.broken", "SyntaxError: invalid syntax (broken.py, line 1)", (1, 1)),
        ("raise ValueError('one\\ntwo')", "ValueError: one", (1, 1)),
    ],
)
def test_a_schema_that_fails_is_told_by_its_own_line(
    project: Write, text: str, message: str, position: tuple[int, int]
) -> None:
    root = project({"f7/__init__.py": "", "f7/a.py": text, "f7/broken.py": "= 1"})
    fault = load(root / "f7/a.py", root / "f7")
    assert isinstance(fault, Diagnostic)
    assert fault.message == f"importing this schema failed: {message}"
    assert (fault.file, fault.line, fault.column) == ("f7/a.py", *position)


def test_a_module_of_the_same_name_elsewhere_is_told(project: Write) -> None:
    root = project({"one/f8.py": "", "two/f8.py": ""})
    first = SchemaFile(root / "one/f8.py", root / "one", "f8", root / "one", True)
    second = SchemaFile(root / "two/f8.py", root / "two", "f8", root / "two", True)
    with importable([first, second]):
        assert not isinstance(import_schema(first), Diagnostic)
        fault = import_schema(second)
    assert isinstance(fault, Diagnostic)
    assert fault.message == "`import f8` does not import this file, but one/f8.py"


def test_a_package_of_the_same_name_elsewhere_is_told(project: Write) -> None:
    root = project({"one/f9/__init__.py": "", "two/f9/__init__.py": "", "two/f9/a.py": ""})
    first = SchemaFile(root / "one/f9/__init__.py", root / "one/f9", "f9", root / "one", True)
    second = SchemaFile(root / "two/f9/a.py", root / "two/f9", "f9.a", root / "two", True)
    with importable([first, second]):
        import_schema(first)
        fault = import_schema(second)
    assert isinstance(fault, Diagnostic)
    assert fault.message == "`import f9.a` does not find this file, because f9 in one/f9/__init__.py is found first"


def test_places_count_characters_not_bytes(project: Write) -> None:
    root = project({"f10/__init__.py": "", "f10/a.py": "grüße = 'äöü漢'; y = Undefined\n"})
    fault = load(root / "f10/a.py", root / "f10")
    assert isinstance(fault, Diagnostic)
    assert (fault.line, fault.column) == (1, 21)


def test_a_file_that_was_changed_is_read_anew_for_the_place(project: Write) -> None:
    root = project({"f11.py": "äöü; 1\n"})
    assert place(root / "f11.py", 1, 8).column == 6
    (root / "f11.py").write_text("aouaou; 1 + 1\n")
    assert place(root / "f11.py", 1, 8).column == 9


def test_folders_of_schemas_come_before_those_of_pythonpath(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project({"other/f12/__init__.py": "", "f12/__init__.py": "", "f12/a.py": "X = 1\n"})
    monkeypatch.syspath_prepend(root)
    monkeypatch.syspath_prepend(root / "other")
    module = load(root / "f12/a.py", root / "f12")
    assert getattr(module, "X", None) == 1


def test_what_pydantic_refuses_beside_types_is_not_taken_for_a_type(project: Write) -> None:
    text = 'from pydantic import BaseModel, Field\n\n\nclass Odd(BaseModel):\n    a: int = Field(alias="\\ud800")\n'
    root = project({"f13/__init__.py": "", "f13/a.py": text})
    fault = load(root / "f13/a.py", root / "f13")
    assert isinstance(fault, Diagnostic)
    assert fault.line == 4
    assert fault.hint == "look at aliases, discriminators and constraints; `python -c 'import f13.a'` shows the cause"
