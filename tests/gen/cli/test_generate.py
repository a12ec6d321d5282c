"""`capnweb-gen`: diagnostics for programs, bad output folders, and what a terminal shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from capnweb_gen.cli import main
from tests.gen.conftest import Write

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_diagnostics_as_json_are_all_that_is_printed(project: Write) -> None:
    project({"g1/__init__.py": "", "g1/api.py": API + "    x: int\n"})
    result = run("g1", "--out", "generated", "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    (fault,) = json.loads(result.stdout)["diagnostics"]
    assert fault == {
        "file": "g1/api.py",
        "line": 4,
        "column": 5,
        "message": "Api.x is an attribute",
        "hint": "declare a read-only property: @property, def x(self) -> int: ...",
    }


@pytest.mark.parametrize("command", [[], ["check"]])
def test_without_faults_the_list_is_empty(project: Write, command: list[str]) -> None:
    name = f"g2{len(command)}"
    project({f"{name}/__init__.py": "", f"{name}/api.py": API})
    run(name, "--out", "generated")
    result = run(*command, name, "--out", "generated", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"diagnostics": []})


def test_check_tells_stale_files_as_json(project: Write) -> None:
    project({"g3/__init__.py": "", "g3/api.py": API})
    result = run("check", "g3", "--out", "generated", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["diagnostics"]
    assert [(fault["file"], fault["hint"]) for fault in found] == [
        ("generated/__init__.py", "run: capnweb-gen g3 --out generated"),
        ("generated/api.py", "run: capnweb-gen g3 --out generated"),
    ]


def test_a_terminal_gets_a_summary(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    project({"g4/__init__.py": "", "g4/api.py": API})
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "1 schema, 1 interface, 1 member, 0 models → 2 files, 2 changed" in run("g4", "--out", "generated").stderr
    assert "2 files, none changed" in run("check", "g4", "--out", "generated").stderr


# ---- output folders


def test_an_output_that_is_a_file_is_wrong_usage(project: Write) -> None:
    project({"g5/__init__.py": "", "g5/api.py": API, "generated": "mine\n"})
    result = run("g5", "--out", "generated")
    assert result.exit_code == 2
    assert Path("generated").read_text() == "mine\n"


def test_a_file_where_a_folder_has_to_be_is_a_fault(project: Write) -> None:
    project({"g6/__init__.py": "", "g6/api.py": API, "taken": "mine\n"})
    result = run("g6", "--out", "taken/generated")
    assert result.exit_code == 1
    assert "Not a directory" in result.stderr
    assert Path("taken").read_text() == "mine\n"


def test_a_folder_where_a_file_has_to_be_is_a_fault(project: Write) -> None:
    project({"g7/__init__.py": "", "g7/api.py": API, "generated/api.py/keep.txt": "mine\n"})
    result = run("g7", "--out", "generated")
    assert result.exit_code == 1
    assert "generated/api.py" in result.stderr
    assert "Is a directory" in result.stderr
    assert [path.name for path in Path("generated").rglob("*")] == ["api.py", "keep.txt"]


def test_an_output_that_cannot_be_written_is_told_and_nothing_is_left(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    project({"g8/__init__.py": "", "g8/api.py": API})

    def read_only(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", "generated")

    monkeypatch.setattr("tempfile.mkstemp", read_only)
    result = run("g8", "--out", "generated")
    assert result.exit_code == 1
    assert "cannot write generated: Permission denied; nothing was changed" in result.stderr
    assert not Path("generated").exists()


def test_a_schema_that_fails_to_import_is_a_fault_and_nothing_is_written(project: Write) -> None:
    project({"g9/__init__.py": "", "g9/api.py": API, "g9/bad.py": "class A: ...\nraise RuntimeError('no luck')\n"})
    result = run("g9", "--out", "generated")
    assert result.exit_code == 1
    assert "g9/bad.py:2:" in result.stderr
    assert "importing this schema failed: RuntimeError: no luck" in result.stderr
    assert not Path("generated").exists()


def test_two_schemas_for_one_file_are_a_fault_and_nothing_is_written(project: Write) -> None:
    project({"g10/__init__.py": "", "g10/api.py": API, "h10/__init__.py": "", "h10/api.py": API})
    result = run("g10", "h10", "--out", "generated")
    assert result.exit_code == 1
    assert "this and g10/api.py both become api.py" in result.stderr
    assert not Path("generated").exists()


# ---- blocking stubs


def test_blocking_stubs_are_made_only_when_asked_for(project: Write) -> None:
    project({"g11/__init__.py": "", "g11/api.py": API})
    run("g11", "--out", "generated")
    assert "Blocking" not in Path("generated/api.py").read_text()
    run("g11", "--out", "generated", "--blocking")
    text = Path("generated/api.py").read_text()
    assert "class ApiBlockingStub(rpc.BlockingStub, of=ApiStub):" in text
    assert text.startswith("# Generated by capnweb-gen from g11/api.py. Do not edit; run: capnweb-gen g11")
    assert "--blocking\n" in text.partition('"""')[0]


def test_check_compares_with_the_same_option(project: Write) -> None:
    project({"g12/__init__.py": "", "g12/api.py": API})
    run("g12", "--out", "generated", "--blocking")
    assert run("check", "g12", "--out", "generated", "--blocking").exit_code == 0
    stale = run("check", "g12", "--out", "generated")
    assert stale.exit_code == 1
    assert "-class ApiBlockingStub" in stale.stdout


def test_blocking_stubs_can_be_asked_for_in_the_configuration(project: Write) -> None:
    settings = '[tool.capnweb-gen]\nschemas = ["g13"]\nout = "generated"\nblocking = true\n'
    project({"g13/__init__.py": "", "g13/api.py": API, "pyproject.toml": settings})
    assert run().exit_code == 0
    assert "class ApiBlockingStub" in Path("generated/api.py").read_text()
    assert run("check").exit_code == 0


def test_another_back_end_makes_no_blocking_stubs(project: Write) -> None:
    project({"g14/__init__.py": "", "g14/api.py": API})
    result = run("g14", "--out", "generated", "--blocking", "--backend", "openrpc")
    assert result.exit_code == 2
    assert "the back end openrpc has no option blocking; it has spec, api_version" in " ".join(result.stderr.split())


# ---- fakes


def test_fakes_are_made_only_when_asked_for_in_modules_of_their_own(project: Write) -> None:
    models = "from pydantic import BaseModel\nclass Book(BaseModel):\n    title: str\n"
    project({"g15/__init__.py": "", "g15/api.py": API, "g15/models.py": models})
    run("g15", "--out", "generated")
    plain = {path.name: path.read_text() for path in Path("generated").iterdir()}
    assert plain.keys() == {"__init__.py", "api.py", "models.py"}
    assert run("g15", "--out", "generated", "--fakes").exit_code == 0
    text = Path("generated/api_fakes.py").read_text()
    assert "class ApiFake(ApiFakeMembers, fakes.Fake, ApiTarget):" in text
    assert text.startswith("# Generated by capnweb-gen from g15/api.py. Do not edit; run: capnweb-gen g15")
    assert "--fakes\n" in text.partition('"""')[0]
    assert not Path("generated/models_fakes.py").exists()
    assert "fake" not in Path("generated/api.py").read_text().partition('"""')[2].lower()


def test_check_compares_fakes_too(project: Write) -> None:
    settings = '[tool.capnweb-gen]\nschemas = ["g16"]\nout = "generated"\nfakes = true\n'
    project({"g16/__init__.py": "", "g16/api.py": API, "pyproject.toml": settings})
    assert run().exit_code == 0
    assert run("check").exit_code == 0
    Path("generated/api_fakes.py").unlink()
    stale = run("check")
    assert stale.exit_code == 1
    assert "+class ApiFake" in stale.stdout


def test_fakes_and_a_schema_do_not_share_a_module(project: Write) -> None:
    project({"g17/__init__.py": "", "g17/api.py": API, "g17/api_fakes.py": API})
    result = run("g17", "--out", "generated", "--fakes")
    assert result.exit_code == 1
    assert "g17/api_fakes.py:1:1: this becomes api_fakes.py, as the fakes of g17/api.py [CW-400]\n" in result.stderr
    assert not Path("generated").exists()


def test_another_back_end_makes_no_fakes(project: Write) -> None:
    project({"g18/__init__.py": "", "g18/api.py": API})
    result = run("g18", "--out", "generated", "--fakes", "--backend", "openrpc")
    assert result.exit_code == 2
    assert "the back end openrpc has no option fakes; it has spec, api_version" in " ".join(result.stderr.split())


# ---- what schemas print

LOUD = """
import os, sys
print("printed")
sys.__stdout__.write("written\\n")
os.system("echo echoed")
"""


@pytest.mark.parametrize("command", ["ir", "generate --out generated --json", "check --out generated --json"])
def test_what_schemas_print_is_no_result(project: Write, command: str) -> None:
    root = project({"g15/__init__.py": "", "g15/api.py": LOUD + API})
    run("g15", "--out", "generated")
    arguments = [*command.split(), "g15"]
    done = subprocess.run(
        [sys.executable, "-m", "capnweb_gen.cli", *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)
    assert {"printed", "written", "echoed"} <= set(done.stderr.splitlines())


def test_diagnostics_as_json_may_hold_any_text(project: Write) -> None:
    project({"g16/__init__.py": "", "g16/api.py": API + "raise ValueError('half: \\ud83d, whole: ä')\n"})
    result = run("g16", "--out", "generated", "--json")
    assert result.exit_code == 1
    (fault,) = json.loads(result.stdout)["diagnostics"]
    assert fault["message"] == "importing this schema failed: ValueError: half: \ud83d, whole: ä"


def test_what_cannot_be_a_schema_is_told_and_nothing_is_written(project: Write) -> None:
    root = project({"g17/__init__.py": "", "g17/api.py": API, "g17/user-api.py": API})
    (root / "g17/lock.py").symlink_to("/nonexistent/lock.py")
    result = run("g17", "--out", "generated")
    assert result.exit_code == 1
    assert "g17/lock.py:1:1: this link leads nowhere" in result.stderr
    assert "g17/user-api.py:1:1: no module can be imported by the name 'user-api'" in result.stderr
    assert not Path("generated").exists()


def test_the_environment_changes_nothing_that_is_generated(project: Write) -> None:
    model = "from pydantic import BaseModel\nclass Item(BaseModel):\n    n: int\n"
    api = "from typing import Protocol\nfrom .items import Item\nclass Api(Protocol):\n    def get(self) -> Item: ...\n"
    settings = '[tool.capnweb-gen]\nschemas = ["g18"]\nout = "generated"\n'
    files = {"g18/__init__.py": "", "g18/items.py": model, "g18/api.py": api, "pyproject.toml": settings}
    root = project({f"app/{name}": text for name, text in files.items()})
    command = [sys.executable, "-m", "capnweb_gen.cli"]
    subprocess.run(command, cwd=root / "app", check=True)
    for path in ("..", str(root), "g18", "."):
        environment = {**os.environ, "PYTHONPATH": path}
        checked = subprocess.run([*command, "check"], cwd=root / "app", env=environment, check=False)
        assert checked.returncode == 0, path
