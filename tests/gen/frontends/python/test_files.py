"""Schema files: finding them, naming them, importing them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capnweb_gen.errors import shown
from capnweb_gen.frontends.python.files import find_schemas, schema_file
from tests.gen.conftest import Write


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


def test_the_folder_src_of_a_project_is_where_names_begin(project: Write) -> None:
    root = project({"src/f4/schemas/a.py": ""})
    assert schema_file(root / "src/f4/schemas/a.py", root / "src/f4/schemas", given=False).module == "f4.schemas.a"


def test_what_is_on_sys_path_changes_nothing(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    files = ["pyproject.toml", "schemas/__init__.py", "schemas/a.py", "plain/b.py"]
    root = project({f"app/{file}": "" for file in files})
    monkeypatch.chdir(root / "app")

    def modules() -> list[str]:
        found, _ = find_schemas([root / "app/schemas", root / "app/plain"])
        return [file.module for file in found]

    before = modules()
    assert before == ["schemas", "schemas.a", "plain.b"]
    for folder in (root, root / "app/schemas", root / "app/plain"):
        monkeypatch.syspath_prepend(folder)
        assert modules() == before


@pytest.mark.parametrize("here", ["p/sub", "p", "."])
def test_a_folder_that_is_no_package_belongs_to_its_project_from_wherever_it_is_compiled(
    project: Write, monkeypatch: pytest.MonkeyPatch, here: str
) -> None:
    root = project({"p/pyproject.toml": "", "p/sub/x.txt": "", "p/plain/a.py": ""})
    monkeypatch.chdir(root / here)
    assert schema_file(root / "p/plain/a.py", root / "p/plain", given=False).module == "plain.a"


def test_what_is_installed_is_imported_from_there(project: Write) -> None:
    root = project({"lib/site-packages/f5/schemas/a.py": ""})
    path = root / "lib/site-packages/f5/schemas/a.py"
    assert schema_file(path, path.parent, given=True).module == "f5.schemas.a"


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


# ---- what is no schema, but looks like one

CLASS = "class A: ...\n"


@pytest.mark.parametrize(
    ("file", "place", "message", "hint"),
    [
        ("s/class.py", "s/class.py", "no module can be imported by the name 'class'", "class_"),
        ("s/user-api.py", "s/user-api.py", "no module can be imported by the name 'user-api'", "user_api"),
        ("s/2nd.py", "s/2nd.py", "no module can be imported by the name '2nd'", "name_2nd"),
        ("s/ﬁle.py", "s/ﬁle.py", "no module can be imported by the name 'ﬁle'", "file"),
        ("s/import/a.py", "s/import", "no package can be imported by the name 'import'", "import_"),
        ("s/v1.2/a.py", "s/v1.2", "no package can be imported by the name 'v1.2'", "v1_2"),
        ("s/x.py/a.py", "s/x.py", "no package can be imported by the name 'x.py'", "x_py"),
    ],
)
def test_what_no_import_can_name_is_told(project: Write, file: str, place: str, message: str, hint: str) -> None:
    root = project({file: CLASS, "s/good.py": CLASS})
    found, (fault,) = find_schemas([root / "s"])
    assert [schema.output for schema in found] == ["good.py"]
    assert (fault.file, fault.message, fault.hint) == (place, message, f"rename it, to {hint} for instance")


def test_a_folder_that_no_import_can_name_is_told_once(project: Write) -> None:
    root = project({"my-schemas/a.py": CLASS, "my-schemas/b.py": CLASS})
    found, faults = find_schemas([root / "my-schemas"])
    assert (found, [(fault.file, fault.message) for fault in faults]) == (
        [],
        [("my-schemas", "no package can be imported by the name 'my-schemas'")],
    )
    _, faults = find_schemas([root / "my-schemas/a.py"])
    assert [fault.file for fault in faults] == ["my-schemas"]


def test_what_declares_no_class_may_be_called_anything(project: Write) -> None:
    texts = {"s/run-me.py": "print(1)\n", "s/{{name}}.py": "class {{ name }}:\n", "s/.hidden/a.py": CLASS}
    assert find_schemas([project({**texts, "s/.#a.py": CLASS}) / "s"]) == ([], [])


def test_a_class_for_type_checkers_is_told_too(project: Write) -> None:
    root = project({"s/user-api.py": "if TYPE_CHECKING:\n    class A: ...\n"})
    assert [fault.file for fault in find_schemas([root / "s"])[1]] == ["s/user-api.py"]


# ---- odd entries of folders


def test_links_that_lead_nowhere_are_told(project: Write) -> None:
    root = project({"s/a.py": CLASS})
    (root / "s/lock.py").symlink_to("/nonexistent/lock.py")
    (root / "s/loop.py").symlink_to("loop.py")
    found, faults = find_schemas([root / "s", root / "s/lock.py"])
    assert [schema.output for schema in found] == ["a.py"]
    assert [(fault.file, fault.message) for fault in faults] == [
        ("s/lock.py", "this link leads nowhere"),
        ("s/loop.py", "this link leads nowhere"),
    ]


def test_what_is_no_file_is_told_and_never_waited_for(project: Write) -> None:
    root = project({"s/a.py": CLASS})
    os.mkfifo(root / "s/pipe.py")
    (root / "s/folder.py").mkdir()
    for arguments in ([root / "s"], [root / "s/a.py", root / "s/pipe.py"]):
        found, (fault,) = find_schemas(arguments)
        assert [schema.output for schema in found] == ["a.py"]
        assert (fault.file, fault.message) == ("s/pipe.py", "this is no file that could be read")


def test_links_to_folders_are_followed_but_not_in_circles(project: Write) -> None:
    root = project({"s/a.py": CLASS, "shared/b.py": CLASS})
    (root / "s/shared").symlink_to(root / "shared")
    (root / "s/again").symlink_to(root / "s")
    found, faults = find_schemas([root / "s"])
    assert faults == []
    assert [schema.output for schema in found] == ["a.py", "shared/b.py"]


@pytest.mark.parametrize(("method", "name"), [("iterdir", "s"), ("is_dir", "s/a.py"), ("is_file", "s/a.py")])
def test_what_may_not_be_read_is_told(project: Write, monkeypatch: pytest.MonkeyPatch, method: str, name: str) -> None:
    root = project({"s/a.py": CLASS})
    plain = getattr(Path, method)

    def refuse(path: Path) -> object:
        if path.is_relative_to(root / "s"):
            raise PermissionError(13, "Permission denied", str(path))
        return plain(path)

    monkeypatch.setattr(Path, method, refuse)
    found, (fault,) = find_schemas([root / name])
    assert found == []
    assert (fault.file, fault.message) == (name, "this cannot be read: Permission denied")
