"""The extension for Visual Studio Code: its manifest fits its code, and both fit the server."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import capnweb_gen.language_server
from capnweb_gen.cli import main
from capnweb_gen.cli.lsp import SECONDS
from capnweb_gen.language_server.server import GENERATE
from tests.needs import needs_node

jsonschema: Any = import_module("jsonschema")  # which has no types

FOLDER = Path(capnweb_gen.language_server.__file__).parent / "vscode"
MANIFEST: dict[str, Any] = json.loads((FOLDER / "package.json").read_text("utf-8"))
CODE = (FOLDER / "extension.js").read_text("utf-8")
SETTINGS: dict[str, dict[str, Any]] = MANIFEST["contributes"]["configuration"]["properties"]

FORM = {
    "type": "object",
    "required": ["name", "publisher", "version", "engines", "main", "activationEvents", "contributes", "license"],
    "properties": {
        "name": {"pattern": "^[a-z0-9-]+$"},
        "publisher": {"pattern": "^[a-z0-9-]+$"},
        "version": {"pattern": r"^\d+\.\d+\.\d+$"},
        "engines": {"type": "object", "required": ["vscode"], "properties": {"vscode": {"pattern": r"^\^1\.\d+\.0$"}}},
        "activationEvents": {"type": "array", "items": {"pattern": "^on[A-Z]"}},
        "categories": {"type": "array", "items": {"enum": ["Programming Languages", "Linters"]}},
        "contributes": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "commands": {"type": "array", "items": {"required": ["command", "title", "category"]}},
                "configuration": {
                    "type": "object",
                    "properties": {
                        "properties": {"patternProperties": {"^capnweb-gen\\.": {"required": ["type", "default"]}}}
                    },
                },
            },
        },
    },
}


def test_the_manifest_is_one() -> None:
    jsonschema.validate(MANIFEST, FORM)
    assert (FOLDER / MANIFEST["main"]).is_file()
    assert MANIFEST["capabilities"]["untrustedWorkspaces"]["supported"] is False
    for name, setting in SETTINGS.items():
        value = {key: setting[key] for key in ("type", "enum", "minimum") if key in setting}
        jsonschema.validate(setting["default"], value)
        assert len(setting.get("enumDescriptions", [])) in (0, len(setting.get("enum", []))), name


def test_settings_and_commands_are_those_of_the_code_and_of_the_server() -> None:
    read = {f"capnweb-gen.{name}" for name in re.findall(r'\.get\("(\w+)"\)', CODE)}
    assert read == SETTINGS.keys() - {"capnweb-gen.trace.server"}  # which the client library reads
    assert f'executeCommand("{GENERATE}"' in CODE
    assert set(re.findall(r'require\("([^"]+)"\)', CODE)) == {"vscode", "vscode-languageclient/node"}
    assert MANIFEST["dependencies"].keys() == {"vscode-languageclient"}
    assert SETTINGS["capnweb-gen.timeout"]["default"] == SECONDS


@needs_node
def test_the_code_can_be_parsed() -> None:
    subprocess.run(["node", "--check", FOLDER / "extension.js"], check=True, capture_output=True)


def ran(**settings: Any) -> dict[str, Any]:
    defaults = {name: setting["default"] for name, setting in SETTINGS.items()}
    stub = Path(__file__).parent / "vscode_stub.cjs"
    command = ["node", str(stub), str(FOLDER / "extension.js"), json.dumps({**defaults, **settings})]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@needs_node
@pytest.mark.parametrize(
    ("settings", "interpreter"),
    [
        ({}, "python3"),
        ({"selected": "/venv/bin/python"}, "/venv/bin/python"),
        ({"selected": "/venv/bin/python", "capnweb-gen.interpreter": "/other/python"}, "/other/python"),
    ],
)
def test_it_starts_the_server_with_the_interpreter_that_is_meant(settings: dict[str, str], interpreter: str) -> None:
    done = ran(**settings)
    assert set(done["commands"]) == {one["command"] for one in MANIFEST["contributes"]["commands"]}
    first, *others = done["said"]
    assert first["server"]["command"] == interpreter
    program, arguments = first["server"]["args"][:4], first["server"]["args"][4:]
    assert program == ["-P", "-m", "capnweb_gen.cli", "lsp"]
    assert CliRunner().invoke(main, ["lsp", *arguments, "--help"]).exit_code == 0
    assert first["options"]["initializationOptions"] == {"wireNames": "keep"}
    generate = [GENERATE, "file:///schemas/api.py"]
    assert [one for one in others if not isinstance(one, dict)] == [
        "started", "saved", generate, "stopped", "started", "stopped",
    ]  # fmt: skip


@needs_node
def test_a_server_that_does_not_start_is_told_with_what_to_do() -> None:
    told = [one for one in ran(fails=True)["said"] if isinstance(one, str) and "did not start" in one]
    assert "capnweb-gen[lsp]" in told[0]
    assert "capnweb-gen.interpreter" in told[0]
