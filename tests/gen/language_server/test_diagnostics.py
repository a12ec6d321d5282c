"""Faults as they are typed: they appear, exactly where they are, and vanish."""

from __future__ import annotations

import pytest
from lsprotocol import types

from tests.gen.language_server.conftest import ACCOUNTS, Write
from tests.gen.language_server.editor import Editor, editing, editing_with_program

SCHEMA = "schemas/accounts.py"


async def test_a_fault_appears_as_it_is_typed_and_vanishes_when_it_is_mended(editor: Editor) -> None:
    assert await editor.faults(SCHEMA) == []
    editor.replace(SCHEMA, "async def me(self) -> int:", "async def me(self) -> object:")
    (fault,) = await editor.faults(SCHEMA)
    assert editor.shown(SCHEMA, fault.range) == "object"
    assert fault.severity == types.DiagnosticSeverity.Error
    assert fault.source == "capnweb-gen"
    assert fault.code == "CW-051"
    assert "\nhint: " in fault.message
    editor.replace(SCHEMA, "async def me(self) -> object:", "async def me(self) -> int:")
    assert await editor.faults(SCHEMA) == []


async def test_all_faults_of_a_file_are_told_with_the_places_that_they_speak_of(editor: Editor) -> None:
    editor.replace(SCHEMA, "async def me(self) -> int:", "async def me(self) -> complex:")
    editor.replace(SCHEMA, "async def friends(self) -> list[int]:", "async def map(self) -> list[int]:")
    faults = await editor.faults(SCHEMA)
    assert [editor.shown(SCHEMA, fault.range) for fault in faults] == ["complex", "map"]
    text = ACCOUNTS.replace(
        "class Profile(BaseModel)", "class Base(Protocol):\n    def me(self) -> str: ...\n\n\nclass Profile(BaseModel)"
    )
    text = text.replace("class AuthedApi(Protocol)", "class AuthedApi(Base, Protocol)").replace(
        "    async def me(self)", '    @wire_name("self")\n    async def me(self)'
    )
    editor.change(SCHEMA, text.replace("from pydantic", "from capnweb_runtime.schema import wire_name\nfrom pydantic"))
    (fault,) = await editor.faults(SCHEMA)
    assert editor.shown(SCHEMA, fault.range) == "me"
    assert [(one.message, one.location.uri) for one in fault.related_information or ()] == [
        ("Base is declared here", editor.uri(SCHEMA))
    ]
    assert [editor.shown(SCHEMA, one.location.range) for one in fault.related_information or ()] == ["Base"]


async def test_a_syntax_error_is_told_where_it_is(editor: Editor) -> None:
    editor.replace(SCHEMA, "async def me(self) -> int:", "async def me(self -> int:")
    (fault,) = await editor.faults(SCHEMA)
    assert fault.message.startswith("syntax error: ")
    assert fault.range.start.line == ACCOUNTS[: ACCOUNTS.index("async def me")].count("\n")


async def test_warnings_are_told_as_such(project: Write) -> None:
    root = project({"schemas/accounts.py": ACCOUNTS, "schemas/blank.py": "VALUE = 1\n"})
    async with editing(root) as editor:
        editor.open("schemas/blank.py")
        (fault,) = await editor.faults("schemas/blank.py")
        assert fault.severity == types.DiagnosticSeverity.Warning


async def test_a_schema_is_read_with_what_is_not_saved_of_others(project: Write) -> None:
    shared = "from pydantic import BaseModel\n\n\nclass Item(BaseModel):\n    name: str\n"
    shop = "from typing import Protocol\n\nfrom .shared import Item\n\n\nclass Shop(Protocol):\n"
    shop += "    def item(self) -> Item: ...\n"
    async with editing(project({"schemas/shared.py": shared, "schemas/shop.py": shop})) as editor:
        editor.open("schemas/shop.py")
        editor.open("schemas/shared.py")
        assert await editor.faults("schemas/shop.py") == []
        editor.replace("schemas/shared.py", "Item", "Article")
        assert await editor.faults("schemas/shared.py") == []
        editor.change("schemas/shop.py", shop + "\n")
        (fault,) = await editor.faults("schemas/shop.py")
        assert "cannot import name 'Item'" in fault.message
        editor.change("schemas/shop.py", shop.replace("Item", "Article"))
        assert await editor.faults("schemas/shop.py") == []


async def test_what_a_schema_imports_from_elsewhere_in_the_project_counts_as_it_is_in_the_editor(
    project: Write,
) -> None:
    text = PLAIN.replace("\n\n\n", "\n\nfrom kinds import Number\n\n\n").replace("object", "Number")
    async with editing(project({"kinds.py": "Number = int\n", "schemas/api.py": text})) as editor:
        editor.open("schemas/api.py")
        assert await editor.faults("schemas/api.py") == []
        editor.open("kinds.py", "Number = object\n")
        await editor.until("schemas/api.py", lambda faults: len(faults) == 1)
        editor.close("kinds.py")
        await editor.until("schemas/api.py", lambda faults: not faults)
        assert "kinds.py" not in editor.published_for()


async def test_closing_a_file_clears_what_was_said_of_it(editor: Editor) -> None:
    editor.replace(SCHEMA, "async def me(self) -> int:", "async def me(self) -> object:")
    assert len(await editor.faults(SCHEMA)) == 1
    editor.close(SCHEMA)
    await editor.nothing_is_said(SCHEMA)
    editor.open(SCHEMA)
    assert await editor.faults(SCHEMA) == []


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_places_are_counted_as_editors_count_them(project: Write, newline: str) -> None:
    text = (
        "from typing import Protocol\n\x0c\n\n# \u2028 ends no line\nclass Api(Protocol):\n"
        '    def get(self, 𝒙: object, y: "𝄞𝄞 nothing") -> None: """𝄞"""\n'
    )
    root = project({"schemas/api.py": text.replace("\n", newline)})
    async with editing(root) as editor:
        editor.open("schemas/api.py")
        first, second = await editor.faults("schemas/api.py")
        assert (first.range.start.line, second.range.start.line) == (5, 5)
        assert [editor.shown("schemas/api.py", one.range) for one in (first, second)] == ["object", '"𝄞𝄞 nothing"']
        line = text.split("\n")[5]
        assert first.range.start.character == line.index("object") + 1  # 𝒙 takes two units
        assert second.range.end.character == line.index(")") + 1 + 2


async def test_an_editor_that_counts_bytes_is_told_in_bytes(project: Write) -> None:
    text = "from typing import Protocol\n\n\nclass Api(Protocol):\n    def get(self, größe: object) -> None: ...\n"
    general = types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind.Utf8])
    async with editing(project({"schemas/api.py": text}), general=general) as editor:
        editor.open("schemas/api.py")
        (fault,) = await editor.faults("schemas/api.py")
        line = text.split("\n")[4]
        assert fault.range.start.character == len(line[: line.index("object")].encode())


# ---- which files are schemas


PLAIN = "from typing import Protocol\n\n\nclass Api(Protocol):\n    def get(self) -> object: ...\n"
MARKED = PLAIN.replace("\n\n\n", "\n\nfrom capnweb_runtime.schema import Stub\n\n\n")


@pytest.mark.parametrize(
    ("settings", "name", "text", "is_schema"),
    [
        ("", "app/protocols.py", PLAIN, False),  # any program may have protocols
        ("", "schemas/api.py", PLAIN, True),
        ("", "app/api.py", MARKED, True),
        (
            "",
            "schemas/user.py",
            "from pydantic import BaseModel\nclass User(BaseModel): ...\nraise SystemExit\n",
            False,
        ),
        ("", ".venv/schemas/api.py", PLAIN, False),
        ('[tool.capnweb-gen]\nschemas = ["api"]\nout = "generated"\n', "api/deep/api.py", PLAIN, True),
        ('[tool.capnweb-gen]\nschemas = ["api"]\nout = "generated"\n', "app/api.py", PLAIN, False),
        ('[tool.capnweb-gen]\nschemas = ["api.py"]\nout = "generated"\n', "api.py", PLAIN, True),
    ],
)
async def test_a_file_is_a_schema_if_settings_name_it_or_it_looks_like_one(
    project: Write, settings: str, name: str, text: str, is_schema: bool
) -> None:
    root = project(
        {"pyproject.toml": settings, name: text, "schemas/last.py": MARKED, "api/__init__.py": "", "api/one.py": PLAIN}
    )
    async with editing(root) as editor:
        editor.open(name)
        if is_schema:
            assert len(await editor.faults(name)) == 1
        else:
            editor.open("schemas/last.py")
            await editor.faults("schemas/last.py")
            assert await editor.hover(name, "import|") is None
            assert editor.published_for() == {"schemas/last.py"}


async def test_files_without_a_project_are_read_alone(project: Write) -> None:
    async with editing(project({"../elsewhere/api.py": MARKED})) as editor:
        editor.open("../elsewhere/api.py")
        assert len(await editor.faults("../elsewhere/api.py")) == 1


async def test_settings_that_cannot_be_understood_are_told_in_the_schema(project: Write) -> None:
    async with editing(
        project({"pyproject.toml": "[tool.capnweb-gen]\nschemas = 1\n", "schemas/api.py": PLAIN})
    ) as editor:
        editor.open("schemas/api.py")
        (fault,) = await editor.faults("schemas/api.py")
        assert "[tool.capnweb-gen] in " in fault.message
        (editor.folder / "pyproject.toml").write_text('[tool.capnweb-gen]\nschemas = ["schemas"]\nout = "generated"\n')
        editor.save("schemas/api.py")
        await editor.until("schemas/api.py", lambda faults: "object" in faults[0].message)


# ---- schemas that do anything


async def test_a_schema_that_never_ends_is_given_up_and_the_line_is_told(project: Write) -> None:
    text = "from typing import Protocol\n\n\nclass Api(Protocol): ...\n\n\nwhile True:\n    pass\n"
    async with editing_with_program(project({"schemas/api.py": text}), "--timeout", "2") as editor:
        editor.open("schemas/api.py")
        (fault,) = await editor.faults("schemas/api.py")
        assert "took longer than 2 seconds" in fault.message
        assert fault.range.start.line in {6, 7}
        editor.change("schemas/api.py", PLAIN.replace("object", "int"))
        assert await editor.faults("schemas/api.py") == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os\nos._exit(3)", "with exit code 3"),
        ("import ctypes\nctypes.string_at(0)", "with exit code"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import sys\nsys.exit(4)", "importing this schema failed: SystemExit: 4"),
        ("input()", "importing this schema failed: EOFError"),
        ("raise ValueError('x' * 100_000_000)", "importing this schema failed: ValueError"),
    ],
)
async def test_what_a_schema_does_to_its_process_is_told_and_harms_nothing(
    project: Write, code: str, told: str
) -> None:
    async with editing(project({"schemas/api.py": f"{PLAIN}\n\n{code}\n"})) as editor:
        editor.open("schemas/api.py")
        (fault,) = await editor.faults("schemas/api.py")
        assert told in fault.message
        assert len(fault.message) < 10_000
        editor.change("schemas/api.py", PLAIN.replace("object", "int"))
        assert await editor.faults("schemas/api.py") == []


async def test_what_a_schema_prints_reaches_nobody(project: Write) -> None:
    noise = (
        "import os, subprocess, sys\nprint('x' * 100_000)\nos.write(1, b'y' * 100_000)\nos.write(2, b'z' * 100_000)\n"
    )
    noise += "subprocess.run([sys.executable, '-c', 'print(1)'], check=True)\n"
    async with editing_with_program(project({"schemas/api.py": noise + PLAIN})) as editor:
        editor.open("schemas/api.py")
        assert len(await editor.faults("schemas/api.py")) == 1


async def test_a_thousand_faults_are_told_in_part(project: Write) -> None:
    text = "from typing import Protocol\n\n\nclass Api(Protocol):\n"
    text += "".join(f"    def m{number}(self) -> object: ...\n" for number in range(1000))
    async with editing(project({"schemas/api.py": text})) as editor:
        editor.open("schemas/api.py")
        assert len(await editor.faults("schemas/api.py")) == 100


async def test_what_was_imported_before_is_imported_again(editor: Editor) -> None:
    for name in ("one", "two", "three"):
        editor.change(
            SCHEMA, ACCOUNTS.replace("class Profile(", f"class {name.title()}(").replace("Profile", name.title())
        )
        assert await editor.faults(SCHEMA) == []
        assert name.title() in str(await editor.hover(SCHEMA, f"class |{name.title()}"))
