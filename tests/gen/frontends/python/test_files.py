"""Schema files: finding them, naming them, importing them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from capnweb_gen.errors import Diagnostic, shown
from capnweb_gen.frontends.python.files import SchemaFile, find_schemas, import_schema, importable, schema_file
from tests.gen.conftest import Write


def load(path: Path, root: Path) -> object:
    file = schema_file(path, root, given=True)
    with importable([file]):
        return import_schema(file)


def test_a_folder_gives_its_modules_in_order_and_no_other_files(project: Write) -> None:
    names = ["f1/b.py", "f1/a.py", "f1/deep/c.py", "f1/notes.txt", "f1/not-a-module.py", "f1/.hidden/d.py"]
    root = project(dict.fromkeys(names, ""))
    found, faults = find_schemas([root / "f1"])
    assert faults == []
    assert [file.output for file in found] == ["a.py", "b.py", "deep/c.py"]


def test_each_file_comes_once(project: Write) -> None:
    root = project({"f2/a.py": ""})
    found, _ = find_schemas([root / "f2", root / "f2/a.py", root / "f2"])
    assert [file.output for file in found] == ["a.py"]


@pytest.mark.parametrize("name", ["nowhere.py", "nowhere", "notes.txt", "not-a-module.py"])
def test_what_is_no_schema_is_a_fault(project: Write, name: str) -> None:
    root = project({"notes.txt": "", "not-a-module.py": ""})
    found, faults = find_schemas([root / name])
    assert found == []
    assert [(fault.file, fault.line) for fault in faults] == [(name, 1)]


def test_packages_make_up_the_name_of_a_module(project: Write) -> None:
    root = project({"src/f3/__init__.py": "", "src/f3/schemas/__init__.py": "", "src/f3/schemas/a.py": ""})
    file = schema_file(root / "src/f3/schemas/a.py", root / "src/f3/schemas", given=False)
    assert (file.module, file.import_root) == ("f3.schemas.a", root / "src")


def test_an_entry_of_sys_path_further_up_is_where_names_begin(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project({"src/f4/schemas/a.py": ""})
    monkeypatch.syspath_prepend(root / "src")
    assert schema_file(root / "src/f4/schemas/a.py", root / "src/f4/schemas", given=False).module == "f4.schemas.a"


def test_a_folder_elsewhere_is_its_own_import_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
    monkeypatch.chdir(here)
    (there / "lonely.py").touch()
    assert schema_file(there / "lonely.py", there, given=True).module == "lonely"


def test_paths_are_shown_relative_to_the_project(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project({"pyproject.toml": "", "f5/a.py": ""})
    monkeypatch.chdir(root / "f5")
    assert shown(root / "f5/a.py") == "f5/a.py"
    assert shown(Path("a.py")) == "f5/a.py"


def test_paths_outside_of_everything_are_shown_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert shown(tmp_path / "there" / "a.py") == "a.py"


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
    assert fault.message == "this is not what `import f8` imports"


def test_a_package_of_the_same_name_elsewhere_is_told(project: Write) -> None:
    root = project({"one/f9/__init__.py": "", "two/f9/__init__.py": "", "two/f9/a.py": ""})
    first = SchemaFile(root / "one/f9/__init__.py", root / "one/f9", "f9", root / "one", True)
    second = SchemaFile(root / "two/f9/a.py", root / "two/f9", "f9.a", root / "two", True)
    with importable([first, second]):
        import_schema(first)
        fault = import_schema(second)
    assert isinstance(fault, Diagnostic)
    assert fault.hint.startswith("rename its folder")
