"""Renaming through schemas, generated code and implementations: afterwards all of it fits together again."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pygls.exceptions import JsonRpcException

from tests.gen.language_server.conftest import SETTINGS, Write, command
from tests.gen.language_server.editor import Editor, editing

SCHEMA, GENERATED = "schemas/accounts.py", "generated/accounts.py"

API = """\
from typing import Protocol


class Base(Protocol):
    def get(self, key: str, *, limit: int = 1) -> int:
        \"\"\"Gets.\"\"\"
        ...
"""
SUB = """\
from typing import Protocol

from .api import Base


class Sub(Base, Protocol):
    def get(self, key: str, *, limit: int = 1) -> int: ...


class Silent(Base, Protocol):
    def get_more(self) -> int: ...


class Other(Protocol):
    def get(self) -> int: ...
"""
SERVER = """\
from collections.abc import Callable

from generated.api import BaseTarget
from generated.sub import OtherTarget, SilentTarget, SubTarget


class Get(BaseTarget):
    def get(self, key: str, *, limit: int = 1) -> int:
        known: dict[str, int] = {key: 1}
        find: Callable[[str], int] = lambda other: known[other + key]
        return sum(len(key) for key in known) + find(key)


class Sub(SubTarget):
    async def get(self, key: str, *, limit: int = 1) -> int:
        return 1


class Silent(SilentTarget):
    def get(self, key: str, *, limit: int = 1) -> int:
        return 1

    def get_more(self) -> int:
        return 2


class Other(OtherTarget):
    def get(self) -> int:
        return 1
"""

FILES = {"schemas/api.py": API, "schemas/sub.py": SUB, "server.py": SERVER}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is generated from these schemas."""
    root = tmp_path_factory.mktemp("generated")
    for name, text in {"pyproject.toml": SETTINGS, "schemas/__init__.py": "", **FILES}.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    assert command(root).returncode == 0
    return root / "generated"


def is_clean(root: Path) -> bool:
    """Whether generated code is up to date."""
    done = command(root, "check")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    return True


def is_well_typed(root: Path) -> bool:
    """Whether schemas, generated code and the server fit together."""
    options = ["--strict", "--namespace-packages", "--explicit-package-bases"]
    mypy = [sys.executable, "-m", "mypy", *options, "schemas", "generated", "server.py"]
    checked = subprocess.run(mypy, cwd=root, capture_output=True, text=True, check=False, timeout=240)
    assert checked.returncode == 0, checked.stdout
    return True


async def test_a_method_is_renamed_everywhere_and_keeps_its_name_on_the_wire(project: Write, generated: Path) -> None:
    root = project(FILES)
    shutil.copytree(generated, root / "generated")
    async with editing(root) as editor:
        editor.open("schemas/sub.py")
        assert (
            await editor.prepare_rename("schemas/sub.py", "class Sub(Base, Protocol):\n    def ge|t")
        ).placeholder == "get"
        edit = await editor.rename("schemas/sub.py", "class Sub(Base, Protocol):\n    def ge|t", "fetch")
        assert edit is not None
        assert editor.apply(edit) == {
            *("schemas/api.py", "schemas/sub.py", "server.py", "generated/api.py", "generated/sub.py"),
        }
        assert is_clean(root)
        assert is_well_typed(root)
        schema = (root / "schemas/api.py").read_text()
        assert "from capnweb_runtime.schema import wire_name\n" in schema
        assert '    @wire_name("get")\n    def fetch(self, key' in schema
        sub = (root / "schemas/sub.py").read_text()
        assert sub.count("fetch") == 1
        assert "class Other(Protocol):\n    def get(self)" in sub
        server = (root / "server.py").read_text()
        assert server.count("def fetch(") == 3
        assert "class Other(OtherTarget):\n    def get(self)" in server
        assert re.search(r'fetch = rpc.method\(\s*"get",', (root / "generated/api.py").read_text())
        assert await editor.faults("schemas/sub.py") == []


async def test_a_positional_parameter_is_renamed_with_its_uses_in_implementations(
    project: Write, generated: Path
) -> None:
    root = project(FILES)
    shutil.copytree(generated, root / "generated")
    async with editing(root) as editor:
        editor.open("schemas/api.py")
        edit = await editor.rename("schemas/api.py", "|key: str", "word")
        assert edit is not None
        editor.apply(edit)
        assert is_clean(root)
        assert is_well_typed(root)
        server = (root / "server.py").read_text()
        assert "known: dict[str, int] = {word: 1}" in server
        assert "lambda other: known[other + word]" in server
        assert "return sum(len(key) for key in known) + find(word)" in server
        assert "wire_name" not in (root / "schemas/api.py").read_text()


@pytest.mark.parametrize(
    ("words", "new", "told"),
    [
        ("def ge|t", "map", "get cannot be called map: schemas/api.py: Base.map() has a name that every stub"),
        ("def ge|t", "class", "'class' is not a name that Python takes; 'class_' would be one"),
        ("def ge|t", "a b", "'a b' is not a name"),
        ("|key: str", "limit", "Base.get() has a parameter limit already"),
        ("|key: str", "known", "Get.get() in server.py uses the name known for something else"),
        ("|limit: int", "most", "limit is passed by keyword, so that its name is on the wire as 'limit'"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_changes(
    project: Write, generated: Path, words: str, new: str, told: str
) -> None:
    root = project(FILES)
    shutil.copytree(generated, root / "generated")
    async with editing(root) as editor:
        editor.open("schemas/api.py")
        with pytest.raises(JsonRpcException) as caught:
            await editor.rename("schemas/api.py", words, new)
        assert caught.value.message.startswith(told)
        assert (root / "schemas/api.py").read_text() == API


async def test_a_name_that_follows_on_the_wire_is_a_setting(project: Write) -> None:
    root = project({"schemas/api.py": API})
    assert command(root).returncode == 0
    async with editing(root, options={"wireNames": "follow"}, versioned=False) as editor:
        editor.open("schemas/api.py")
        edit = await editor.rename("schemas/api.py", "def ge|t", "fetch")
        assert edit is not None
        assert edit.document_changes is None
        editor.apply(edit)
        assert is_clean(root)
        assert re.search(r'fetch = rpc.method\(\s*"fetch",', (root / "generated/api.py").read_text())


async def test_what_is_not_saved_is_renamed_as_it_is_in_the_editor(editor: Editor) -> None:
    editor.replace(SCHEMA, "    async def me(self)", "    async def more(self) -> int: ...\n\n    async def me(self)")
    edit = await editor.rename(SCHEMA, "def get_pro|file", "profile_of")
    assert edit is not None
    editor.apply(edit)
    assert is_clean(editor.folder)
    assert "def more(self)" in (editor.folder / GENERATED).read_text()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
async def test_lines_end_as_they_did_and_wide_characters_stay(project: Write, newline: str) -> None:
    text = API.replace("Gets.", "𝄞 Gets.").replace("def get(self, key: str", "def get(self, /, 𝐤ey: str")
    root = project({"schemas/api.py": text.replace("\n", newline)})
    assert command(root).returncode == 0
    async with editing(root) as editor:
        editor.open("schemas/api.py")
        edit = await editor.rename("schemas/api.py", "def ge|t", "größe")
        assert edit is not None
        editor.apply(edit)
        written = (root / "schemas/api.py").read_bytes().decode()
        assert written.count(newline) == written.count("\n") == text.count("\n") + 2
        assert "def größe(self, /, 𝐤ey: str" in written
        assert is_clean(root)


MODEL = """\
from pydantic import BaseModel

from capnweb_runtime.schema import InterfaceModel, Method, Property


class Add(BaseModel):
    a: int


class Sums(InterfaceModel):
    add_up: Method[Add, int]
    memory: Property[float]
"""


async def test_members_of_interface_models_are_renamed_too(project: Write) -> None:
    root = project({"schemas/sums.py": MODEL})
    assert command(root).returncode == 0
    async with editing(root) as editor:
        editor.open("schemas/sums.py")
        edit = await editor.rename("schemas/sums.py", "add|_up", "total")
        assert edit is not None
        editor.apply(edit)
        assert is_clean(root)
        text = (root / "schemas/sums.py").read_text()
        assert 'total: Annotated[Method[Add, int], wire_name("add_up")]' in text
        assert "import InterfaceModel, Method, Property, wire_name\n" in text
        assert await editor.faults("schemas/sums.py") == []
        edit = await editor.rename("schemas/sums.py", "tot|al:", "sum_of")
        assert edit is not None
        editor.apply(edit)
        assert is_clean(root)
        assert 'sum_of: Annotated[Method[Add, int], wire_name("add_up")]' in (root / "schemas/sums.py").read_text()


async def test_other_outputs_are_generated_again(project: Write) -> None:
    outputs = "".join(
        f'[[tool.capnweb-gen.output]]\nbackend = "{name}"\nout = "{name}"\n'
        for name in ("python", "typescript", "openrpc")
    )
    root = project({"pyproject.toml": f'[tool.capnweb-gen]\nschemas = ["schemas"]\n{outputs}', "schemas/api.py": API})
    assert command(root).returncode == 0
    async with editing(root) as editor:
        editor.open("schemas/api.py")
        edit = await editor.rename("schemas/api.py", "def ge|t", "fetch")
        assert edit is not None
        assert {"python/api.py", "schemas/api.py"} <= editor.apply(edit)
        assert is_clean(root)


async def test_a_schema_with_faults_is_left_alone_and_so_is_what_has_no_such_name(editor: Editor) -> None:
    for words in ("class Pro|file", "|tags: list", "from typing import Pro|tocol", '"""Acc|ounts'):
        assert await editor.prepare_rename(SCHEMA, words) is None
        assert await editor.rename(SCHEMA, words, "other") is None
    assert await editor.rename(SCHEMA, "def m|e(", "me") is None
    editor.replace(SCHEMA, "-> list[int]", "-> list[object]")
    with pytest.raises(JsonRpcException, match=r"a schema with faults is not renamed in: schemas/accounts\.py: "):
        await editor.rename(SCHEMA, "def m|e(", "self_id")


async def test_generic_interfaces_are_renamed_once(project: Write) -> None:
    text = (
        "from typing import Protocol, TypeVar\n\nT = TypeVar('T', covariant=True)\n\n\n"
        "class Page(Protocol[T]):\n    def items(self) -> T: ...\n\n\n"
        "class Base(Protocol):\n    def get(self) -> Page[int]: ...\n    def put(self) -> Page[str]: ...\n"
    )
    root = project({"schemas/api.py": text, "pyproject.toml": SETTINGS})
    assert command(root).returncode == 0
    async with editing(root) as editor:
        editor.open("schemas/api.py")
        edit = await editor.rename("schemas/api.py", "def ite|ms", "all_of_them")
        assert edit is not None
        editor.apply(edit)
        assert is_clean(root)
        assert (root / "schemas/api.py").read_text().count("all_of_them") == 1
        assert (root / "schemas/api.py").read_text().count('@wire_name("items")') == 1
