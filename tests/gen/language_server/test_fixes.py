"""Fixes that are offered mend what they are offered for; tried with every kind of fault that the compiler knows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lsprotocol import types

from capnweb_gen.cli.lsp_reader import answer
from capnweb_gen.language_server.faults import told
from capnweb_gen.language_server.fixes import Fix, fixes
from capnweb_gen.language_server.messages import Fault, Request
from capnweb_gen.language_server.reading import Reading, source_of
from capnweb_gen.language_server.text import Text
from tests.gen.diagnostic_cases import FOLDER, kinds
from tests.gen.language_server.editor import Editor

SCHEMA = "schemas/accounts.py"
MENDED = {
    "async_property": ["Write def"],
    "attribute": ["Declare a read-only property"],
    "capability_as_type_argument": ["Write Capability[Cursor]"],
    "capability_in_model": ["Write Capability[Cursor]"],
    "capability_pydantic_refuses": ["Write Capability[Cursor]"],
    "class_that_inherits": ["List Protocol among its bases"],
    "default_none": ["Write | None after the type"],
    "idempotent_property": ["Leave out @idempotent"],
    "interface_model_forgotten": ["Declare an interface: class Calculator(InterfaceModel)"],
    "protocol_forgotten": ["Declare an interface: class Alarm(Protocol)"],
    "reserved_name": ["Call it dup_, and still dup on the wire"],
    "result_missing": ["Return nothing: -> None"],
    "self_missing": ["Take self"],
    "several_faults": ["Call it dup_, and still dup on the wire", "Declare a read-only property"],
    "unknown_decorator": ["Leave out @functools.lru_cache(maxsize=10)"],
}
"""The kinds of faults that are mended, and what is offered; for others nothing is."""


def read(path: Path, text: str) -> Reading:
    """What the process that reads schemas says of a text, which is not saved."""
    path.touch()
    request = Request(folder=str(path.parents[1]), schemas=(str(path),), unsaved={str(path): text}, seconds=60)
    return Reading().then(answer(request))


def offered(path: Path, text: str, reading: Reading) -> list[tuple[Fault, Fix]]:
    source = source_of(Text(text), path)
    found = told(path, Text(text), reading)
    return [(fault, fix) for fault, span, _ in found if source for fix in fixes(fault, span, Text(text), source)]


@pytest.fixture
def schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path.resolve() / "mended").mkdir()
    (tmp_path / "mended/__init__.py").touch()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path.resolve() / "mended/schema.py"


@pytest.mark.parametrize("kind", kinds())
def test_a_fix_mends_its_fault_and_makes_no_other(schema: Path, kind: str) -> None:
    shutil.copytree(FOLDER / kind, schema.parent, dirs_exist_ok=True)
    text = schema.read_bytes().decode()
    before = read(schema, text)
    found = offered(schema, text, before)
    assert sorted(fix.title for _, fix in found) == MENDED.get(kind, [])
    for fault, fix in found:
        after = [one.message for one in read(schema, Text(text).edited(fix.edits)).faults]
        assert fault.message not in after
        assert len(after) == len(before.faults) - 1


SAME = """\
from typing import Protocol

from capnweb_runtime.schema import (
    wire_name as called,
)


class Base(Protocol):
    @called("x")
    def get(self) -> int: ...


class Sub(Base, Protocol):
    def get(self) -> int: ...
"""


def test_a_name_on_the_wire_is_repeated_where_a_member_is_inherited(schema: Path) -> None:
    ((_, fix),) = offered(schema, SAME, read(schema, SAME))
    assert fix.title == 'Write @wire_name("x") here too'
    mended = Text(SAME).edited(fix.edits)
    assert mended == SAME.replace("Protocol):\n    def get", 'Protocol):\n    @called("x")\n    def get')
    assert read(schema, mended).faults == ()


@pytest.mark.parametrize(
    "text",
    [
        "from typing import Protocol\n\n\nclass A(Protocol):\n    def get(\n        self\n    ): ...\n",
        "from typing import Protocol\n\n\nclass A(Protocol):\n    limit: int; other: int\n",
        "import typing\n\n\nclass A(typing.Protocol):\n    def dup(self) -> int: ...; x = 1\n",
    ],
)
def test_nothing_is_offered_where_the_source_is_written_in_another_way(schema: Path, text: str) -> None:
    reading = read(schema, text)
    assert reading.faults
    assert [fix for _, fix in offered(schema, text, reading) if fix.title.startswith(("Return", "Declare"))] == []


# ---- in an editor


async def test_a_fix_is_offered_with_its_fault_and_is_an_edit(editor: Editor) -> None:
    editor.replace(SCHEMA, "    @property\n    def user_name(self) -> str:", "    def user_name() -> str:")
    (fault,) = await editor.faults(SCHEMA)
    fix, *others = await editor.actions(SCHEMA, "def user_|name", only=["quickfix"])
    assert (fix.title, fix.kind, fix.is_preferred, others) == ("Take self", types.CodeActionKind.QuickFix, True, [])
    assert list(fix.diagnostics or ()) == [fault]
    assert fix.edit is not None
    editor.apply(fix.edit)
    assert await editor.faults(SCHEMA) == []
    assert await editor.actions(SCHEMA, "def user_|name", only=["quickfix"]) == []


async def test_the_name_on_the_wire_is_kept_or_let_go(editor: Editor) -> None:
    keep, *others = await editor.actions(SCHEMA, "def get_pro|file", only=["refactor"])
    assert (keep.title, others) == ("Keep get_profile as the name on the wire, whatever it is called here", [])
    assert keep.edit is not None
    editor.apply(keep.edit)
    assert await editor.faults(SCHEMA) == []
    text = editor.texts[editor.uri(SCHEMA)]
    assert '    @wire_name("get_profile")\n    async def get_profile' in text
    assert "from pydantic import BaseModel\nfrom capnweb_runtime.schema import wire_name\n" in text
    let_go, *others = await editor.actions(SCHEMA, "def get_pro|file", only=["refactor.rewrite"])
    assert let_go.title == "Have the name on the wire, now get_profile, follow the one here: this breaks peers"
    assert let_go.edit is not None
    editor.apply(let_go.edit)
    assert "@wire_name" not in editor.texts[editor.uri(SCHEMA)]
    assert await editor.actions(SCHEMA, "class Pro|file", only=["refactor"]) == []


async def test_files_are_generated_on_request(editor: Editor) -> None:
    (action,) = await editor.actions(SCHEMA, "def get_pro|file", only=["source"])
    assert action.command is not None
    params = types.ExecuteCommandParams(action.command.command, action.command.arguments)
    editor.replace(SCHEMA, "def me(self)", "def myself(self)")
    assert await editor.ask("workspace/executeCommand", params) is True
    assert "what is not saved was not looked at: accounts.py" in await editor.message("not saved")
    editor.save(SCHEMA)
    assert await editor.ask("workspace/executeCommand", params) is True
    assert "wrote generated/accounts.py" in await editor.message("wrote")
    assert "def myself(self)" in (editor.folder / "generated/accounts.py").read_text()
    editor.replace(SCHEMA, "def myself(self) -> int", "def myself(self) -> object")
    editor.save(SCHEMA)
    assert await editor.ask("workspace/executeCommand", params) is False
    assert "nothing was written" in await editor.message("nothing was written")


async def test_what_names_no_project_cannot_be_generated(editor: Editor) -> None:
    for arguments in (None, [], [1], ["untitled:one"], ["file:///nowhere/else.py"]):
        params = types.ExecuteCommandParams("capnweb-gen.generate", arguments)
        assert await editor.ask("workspace/executeCommand", params) is False
    assert "no [tool.capnweb-gen]" in await editor.message("nothing says what to write")
