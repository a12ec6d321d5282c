"""The server as a program: how it begins and ends, and what it makes of messages that are wrong."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcMethodNotFound

from tests.gen.language_server.conftest import ACCOUNTS, Write, command
from tests.gen.language_server.editor import COMMAND, PATIENCE, Editor, editing_with_program

SCHEMA = "schemas/accounts.py"


async def test_it_says_what_it_can_do(project: Write) -> None:
    async with editing_with_program(project({})) as editor:
        told = editor.capabilities
        assert told.hover_provider
        assert told.definition_provider
        assert told.implementation_provider
        assert isinstance(told.rename_provider, types.RenameOptions)
        assert told.rename_provider.prepare_provider
        assert isinstance(told.code_action_provider, types.CodeActionOptions)
        assert told.execute_command_provider is not None
        assert list(told.execute_command_provider.commands) == ["capnweb-gen.generate"]
        assert told.position_encoding == types.PositionEncodingKind.Utf16


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/hover", {"textDocument": 1, "position": {}}),
        ("textDocument/hover", {"textDocument": {"uri": 5}, "position": {"line": -1, "character": "x"}}),
        ("textDocument/rename", {"textDocument": {"uri": "file:///x"}}),
        ("textDocument/codeAction", []),
    ],
)
async def test_a_request_that_cannot_be_understood_is_answered_with_an_error(
    editor: Editor, method: str, params: object
) -> None:
    answer: Future[Any] = Future()
    editor.client.protocol._request_futures["wrong"] = answer
    editor.send({"id": "wrong", "method": method, "params": params})
    with pytest.raises((JsonRpcInvalidParams, JsonRpcException)):
        await asyncio.wait_for(asyncio.wrap_future(answer), PATIENCE)
    assert await editor.faults(SCHEMA) == []


async def test_what_is_unknown_or_no_message_changes_nothing(accounts: Path) -> None:
    async with editing_with_program(accounts) as editor:
        editor.open(SCHEMA)
        with pytest.raises(JsonRpcMethodNotFound):
            await editor.ask("textDocument/nothing", {})
        for body in (b"{", b"[]", b"5", b'"x"', b"\xff\xfe", b'{"jsonrpc": "1.0"}', b"null"):
            editor.send(body)
        editor.send(
            {
                "method": "textDocument/didChange",
                "params": {
                    "textDocument": {"uri": editor.uri("never/opened.py"), "version": 2},
                    "contentChanges": [{"text": "x"}],
                },
            }
        )
        editor.send(
            {"method": "textDocument/didClose", "params": {"textDocument": {"uri": editor.uri("never/opened.py")}}}
        )
        editor.send({"method": "$/cancelRequest", "params": {"id": 99}})
        editor.send({"id": 99, "result": 5})
        assert "`AuthedApi.me() → int`" in str(await editor.hover(SCHEMA, "def m|e("))


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "git:/x/schemas/api.py?HEAD", "file:///", "file://", "x", ""])
async def test_what_is_no_file_is_left_alone(editor: Editor, uri: str) -> None:
    text = "from typing import Protocol\n\n\nclass Api(Protocol):\n    def get(self) -> object: ...\n"
    item = types.TextDocumentItem(uri, "python", 1, text)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(3, 7))
    assert await editor.client.text_document_hover_async(params) is None
    assert await editor.faults(SCHEMA) == []
    assert editor.published_for() == {SCHEMA}


@pytest.mark.parametrize("position", [(0, 10_000), (10_000, 0), (2**31 - 1, 2**31 - 1)])
async def test_places_outside_of_a_text_are_answered(editor: Editor, position: tuple[int, int]) -> None:
    params = types.HoverParams(types.TextDocumentIdentifier(editor.uri(SCHEMA)), types.Position(*position))
    assert await editor.client.text_document_hover_async(params) is None


async def test_half_a_character_is_no_harm(editor: Editor) -> None:
    text = ACCOUNTS.replace("The id of this user.", "The \\ud800 of this user.")
    body = {
        "textDocument": {"uri": editor.uri(SCHEMA), "version": 2},
        "contentChanges": [{"text": text.replace("\\ud800", "\ud800")}],
    }
    editor.change(SCHEMA, text)
    editor.send(
        {
            "method": "textDocument/didChange",
            "params": {**body, "textDocument": {"uri": editor.uri(SCHEMA), "version": 3}},
        }
    )
    await editor.until(SCHEMA, lambda faults: any("not text in utf-8" in fault.message for fault in faults))


async def test_a_request_is_answered_while_schemas_are_read(project: Write) -> None:
    text = "from typing import Protocol\n\n\nclass Api(Protocol):\n    def get(self) -> int: ...\n"
    root = project({"schemas/api.py": text})
    async with editing_with_program(root, "--timeout", "3") as editor:
        editor.open("schemas/api.py")
        assert await editor.faults("schemas/api.py") == []
        editor.change("schemas/api.py", text + "\n\nwhile True: ...\n")
        with pytest.raises(JsonRpcMethodNotFound):
            await editor.ask("textDocument/nothing", {})
        assert "Api.get" in str(await editor.hover("schemas/api.py", "def g|et"))


async def test_processes_end_with_the_editor(project: Write) -> None:
    text = "from typing import Protocol\nimport os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))\n"
    text += "\n\nclass Api(Protocol): ...\n"
    root = project({"schemas/api.py": text})
    async with editing_with_program(root) as editor:
        editor.open("schemas/api.py")
        await editor.faults("schemas/api.py")
        pid = int((root / "pid").read_text())
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_editor_that_vanishes_takes_the_server_with_it(tmp_path: Path) -> None:
    server = subprocess.Popen(
        COMMAND, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    _, errors = server.communicate(b"", timeout=PATIENCE)
    assert errors == b""


def test_without_pygls_the_command_says_how_to_install_it(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['pygls'] = None\n"
    program = f"{hide}from capnweb_gen.cli import main\nmain(['lsp'])"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "lsp needs pygls: pip install 'capnweb-gen[lsp]'" in done.stderr


def test_other_commands_import_nothing_of_it() -> None:
    program = (
        "import sys\nfrom capnweb_gen.cli import main\nfrom capnweb_gen.cli.generate import generate\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'pygls', 'lsprotocol', 'cattrs'})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_it_is_a_command(project: Write) -> None:
    assert "--timeout" in command(project({}), "lsp", "--help").stdout
