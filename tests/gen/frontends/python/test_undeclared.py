"""Which files and folders are told because nothing came of them. How it is told: tests/gen/test_cli.py."""

from __future__ import annotations

import pytest

from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import Write

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"
NOTHING = "LIMIT = 10\n"


def told(project: Write, files: dict[str, str], *folders: str) -> list[str]:
    root = project(files)
    compiled = compile_schemas([root / folder for folder in folders], "x")
    assert compiled.diagnostics == ()
    return [warning.file for warning in compiled.warnings]


def test_a_folder_is_told_once_whatever_is_in_it(project: Write) -> None:
    assert told(project, {"u1/__init__.py": "", "u1/a.py": NOTHING, "u1/b.py": NOTHING}, "u1") == ["u1"]
    assert told(project, {"v1/readme.txt": ""}, "v1") == ["v1"]


def test_each_of_several_folders_is_looked_at(project: Write) -> None:
    files = {"u2/__init__.py": "", "u2/api.py": API, "v2/__init__.py": "", "v2/a.py": NOTHING}
    assert told(project, files, "u2", "v2") == ["v2"]


@pytest.mark.parametrize(
    ("number", "statement"),
    [
        (3, "import {}.limits"),
        (4, "from {} import limits"),
        (5, "from {}.limits import LIMIT"),
        (6, "from . import limits"),
        (7, "from .limits import LIMIT as L"),
        (8, "def later():\n    from .limits import LIMIT"),
    ],
)
def test_what_a_schema_imports_has_a_use(project: Write, number: int, statement: str) -> None:
    name = f"u{number}"
    files = {f"{name}/__init__.py": "", f"{name}/api.py": f"{statement.format(name)}\n{API}"}
    assert told(project, {**files, f"{name}/limits.py": NOTHING}, name) == []


def test_what_the_package_itself_imports_has_a_use(project: Write) -> None:
    files = {"u9/__init__.py": "from .limits import LIMIT\n", "u9/api.py": API, "u9/limits.py": NOTHING}
    assert told(project, files, "u9") == []


def test_what_a_module_above_imports_has_a_use(project: Write) -> None:
    deep = "from .. import limits\n" + API
    files = {"u10/__init__.py": "", "u10/deep/__init__.py": "", "u10/deep/api.py": deep, "u10/limits.py": NOTHING}
    assert told(project, files, "u10") == []


def test_a_generic_interface_that_a_schema_names_has_a_use(project: Write) -> None:
    page = "from typing import Protocol, TypeVar\nT = TypeVar('T', covariant=True)\n"
    page += "class Page(Protocol[T]):\n    def item(self) -> T: ...\n"
    api = "from typing import Protocol\nfrom u11.page import Page\n"
    api += "class Api(Protocol):\n    def page(self) -> Page[int]: ...\n"
    assert told(project, {"u11/__init__.py": "", "u11/api.py": api, "u11/page.py": page}, "u11") == []


def test_faults_are_told_alone(project: Write) -> None:
    root = project({"u13/__init__.py": "", "u13/api.py": API + "    x: int\n", "u13/a.py": NOTHING})
    compiled = compile_schemas([root / "u13"], "x")
    assert (len(compiled.diagnostics), compiled.warnings) == (1, ())
