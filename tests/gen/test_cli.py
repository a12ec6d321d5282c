"""The command line: what it writes, says, and returns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner, Result

from capnweb_gen.cli import main
from tests.gen.conftest import Write

API = """
    from typing import Protocol

    class Api(Protocol):
        async def get(self) -> int: ...
"""
FAULTY = API + "        x: int\n"
CONFIGURED = '[tool.capnweb-gen]\nschemas = ["{package}"]\nout = "generated"\n'


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_generating_writes_and_says_what_it_wrote(project: Write) -> None:
    root = project({"c1/__init__.py": "", "c1/api.py": API})
    result = run("c1", "--out", "generated")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "wrote generated/__init__.py\nwrote generated/api.py\n"
    assert "run: capnweb-gen c1 --out generated\n" in (root / "generated/api.py").read_text()


def test_generating_again_is_silent(project: Write) -> None:
    project({"c2/__init__.py": "", "c2/api.py": API})
    run("c2", "--out", "generated")
    result = run("generate", "--out", "generated", "c2")
    assert (result.exit_code, result.output) == (0, "")


def test_check_is_silent_when_all_is_up_to_date(project: Write) -> None:
    project({"c3/__init__.py": "", "c3/api.py": API})
    run("c3", "--out", "generated")
    result = run("check", "c3", "--out", "generated")
    assert (result.exit_code, result.output) == (0, "")


def test_check_prints_the_diff_and_the_command_that_mends_it(project: Write) -> None:
    root = project({"c4/__init__.py": "", "c4/api.py": API})
    run("c4", "--out", "generated")
    stale = root / "generated/api.py"
    text = stale.read_text()
    stale.write_text(text.replace("rpc.INT", "rpc.STR"))
    result = run("check", "c4", "--out", "generated")
    assert result.exit_code == 1
    assert '-    get = rpc.method("get", rpc.STR)\n+    get = rpc.method("get", rpc.INT)\n' in result.stdout
    assert result.stderr == "1 file out of date; run: capnweb-gen c4 --out generated\n"
    assert "rpc.STR" in stale.read_text()


def test_check_fails_when_a_module_is_missing(project: Write) -> None:
    project({"c5/__init__.py": "", "c5/api.py": API})
    result = run("check", "c5", "--out", "generated")
    assert result.exit_code == 1
    assert "+++ b/generated/api.py" in result.stdout
    assert not Path("generated").exists()


@pytest.mark.parametrize("command", [[], ["check"]])
def test_faults_are_printed_plain_and_nothing_is_written(project: Write, command: list[str]) -> None:
    project({"c6/__init__.py": "", "c6/api.py": FAULTY, "c6/fine.py": API})
    result = run(*command, "c6", "--out", "generated")
    assert result.exit_code == 1
    assert result.stderr == (
        "c6/api.py:6:5: Api.x is an attribute [CW-020]\n"
        "    6 |     x: int\n"
        "      |     ^\n"
        "    hint: declare a read-only property: @property, def x(self) -> int: ...\n"
        "1 fault; nothing was written\n"
    )
    assert not Path("generated").exists()


def test_a_file_in_the_way_keeps_all_files_from_being_written(project: Write) -> None:
    root = project({"c7/__init__.py": "", "c7/api.py": API, "c7/zoo.py": API, "generated/zoo.py": "mine = True\n"})
    result = run("c7", "--out", "generated")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "generated/zoo.py:1:1: this file was not generated, so it is not replaced [CW-400]\n"
    )
    assert [path.name for path in (root / "generated").iterdir()] == ["zoo.py"]


def test_writing_over_the_schema_itself_is_refused(project: Write) -> None:
    root = project({"c8/__init__.py": "", "c8/api.py": API})
    before = (root / "c8/api.py").read_text()
    assert run("c8", "--out", "c8").exit_code == 1
    assert (root / "c8/api.py").read_text() == before


def test_a_schema_that_is_gone_takes_its_module_along(project: Write) -> None:
    root = project({"c9/__init__.py": "", "c9/api.py": API, "c9/old.py": API})
    run("c9", "--out", "generated")
    (root / "c9/old.py").unlink()
    assert run("check", "c9", "--out", "generated").exit_code == 1
    assert run("c9", "--out", "generated").stderr == "removed generated/old.py\n"


def test_the_last_schema_that_is_gone_takes_its_module_along_and_leaves_a_folder_that_is_told(project: Write) -> None:
    root = project({"c14/__init__.py": "", "c14/api.py": API, "generated/own.py": "mine = True\n"})
    run("c14", "--out", "generated")
    (root / "c14/api.py").unlink()
    stale = run("check", "c14", "--out", "generated")
    assert stale.exit_code == 1
    assert "--- a/generated/api.py\n+++ /dev/null\n" in stale.stdout
    told = (
        "c14:1:1: warning: no interface and no model is declared in this folder, so that nothing is generated from it"
        " [CW-007]\n"
        "    hint: declare an interface in a module of this folder, such as class Greeter(Protocol)\n"
    )
    assert stale.stderr == f"{told}1 file out of date; run: capnweb-gen c14 --out generated\n"
    assert run("c14", "--out", "generated").stderr == f"{told}removed generated/api.py\n"
    assert sorted(path.name for path in (root / "generated").iterdir()) == ["__init__.py", "own.py"]
    assert run("check", "c14", "--out", "generated").exit_code == 0


def test_the_current_folder_may_hold_what_is_made_of_it(project: Write) -> None:
    root = project({"c15.py": API, "d15.py": API})
    run(".", "--out", "made15")
    assert run("check", ".", "--out", "made15").output == ""
    (root / "d15.py").unlink()
    assert run(".", "--out", "made15").stderr == "removed made15/d15.py\n"


def test_a_module_of_no_use_to_schemas_is_told_and_one_that_they_import_is_not(project: Write) -> None:
    shared = "from typing import NewType\nId = NewType('Id', int)\nclass Helper: ...\n"
    using = "from . import named\nfrom .ids import Id\nfrom typing import Protocol\n"
    using += "class Api(Protocol):\n    def get(self) -> Id: ...\n"
    files = {"c16/__init__.py": "", "c16/api.py": using, "c16/ids.py": shared, "c16/named.py": shared}
    project({**files, "c16/alone.py": shared, "c16/blank.py": ""})
    result = run("c16", "--out", "generated")
    told = "warning: no interface and no model is declared here, so that nothing is generated from it"
    assert result.exit_code == 0
    assert [line for line in result.stderr.splitlines() if "warning" in line] == [
        f"c16/alone.py:1:1: {told} [CW-007]",
        f"c16/blank.py:1:1: {told} [CW-007]",
    ]
    assert "hint: declare an interface, such as class Greeter(Protocol), or move it out of" in result.stderr


def test_warnings_are_json_where_faults_are(project: Write) -> None:
    project({"c17/__init__.py": "", "c17/api.py": API, "c17/blank.py": ""})
    for command in ([], ["check"]):
        printed = json.loads(run(*command, "c17", "--out", "generated", "--json").stdout)
        assert printed["diagnostics"] == []
        assert [(warning["file"], warning["line"]) for warning in printed["warnings"]] == [("c17/blank.py", 1)]


def test_printing_what_schemas_say_tells_of_what_says_nothing_elsewhere(project: Write) -> None:
    project({"c18/__init__.py": ""})
    result = run("ir", "c18")
    assert (result.exit_code, result.stdout) == (0, "[]\n")
    assert result.stderr.startswith("c18:1:1: warning: ")


def test_one_schema_says_nothing_about_its_neighbours(project: Write) -> None:
    root = project({"c10/__init__.py": "", "c10/api.py": API, "c10/other.py": API})
    run("c10", "--out", "generated")
    assert run("c10/api.py", "--out", "generated").output == ""
    assert (root / "generated/other.py").exists()


@pytest.mark.parametrize("folder", [".", "deep/er"])
def test_without_arguments_pyproject_says_what_to_do(
    project: Write, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    name = "c11" if folder == "." else "c12"
    root = project(
        {"pyproject.toml": CONFIGURED.format(package=name), f"{name}/__init__.py": "", f"{name}/api.py": API}
    )
    (root / folder).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(root / folder)
    assert run("check").exit_code == 1
    assert run().exit_code == 0
    assert run("check").output == ""
    assert f"run: capnweb-gen {name} --out generated\n" in (root / "generated/api.py").read_text()


@pytest.mark.parametrize(
    ("pyproject", "message"),
    [
        ("", "has no [tool.capnweb-gen]"),
        ("[tool.capnweb-gen]\nschemas = []\nout = 'x'\n", "pyproject.toml: schemas: "),
        ("[tool.capnweb-gen]\nschemas = 'schemas'\nout = 'x'\n", "pyproject.toml: schemas: "),
        ("[tool.capnweb-gen]\nschemas = ['schemas']\n", "pyproject.toml: out: "),
        ("[tool.capnweb-gen]\nschemas = ['schemas']\nout = 'x'\nouts = 1\n", "has no option outs; did you mean out?"),
        ("[tool", "cannot be read"),
    ],
)
def test_wrong_configuration_is_wrong_usage(project: Write, pyproject: str, message: str) -> None:
    project({"pyproject.toml": pyproject})
    result = run()
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize("arguments", [["schemas"], ["check", "schemas"], ["--nonsense"], ["generate", "--out"]])
def test_incomplete_arguments_are_wrong_usage(project: Write, arguments: list[str]) -> None:
    project({})
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], "no such command, file or folder: chekc; did you mean check?"),
        (
            ["scafold", "schemas/api.py", "--out", "x.py"],
            "no such command, file or folder: scafold; did you mean scaffold?",
        ),
        (["nonsense"], "no such command, file or folder: nonsense"),
        (["--verson"], "Did you mean '--version'?"),
        (["--ouut", "generated", "schemas"], "Did you mean '--out'?"),
        (["check", "--typs"], "Did you mean '--types'?"),
    ],
)
def test_a_misspelt_command_or_option_is_told_with_the_one_that_was_meant(
    project: Write, arguments: list[str], said: str
) -> None:
    root = project({})
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert list(root.iterdir()) == []


def test_a_path_may_be_called_nearly_like_a_command(project: Write) -> None:
    project({"checks/__init__.py": "", "checks/api.py": API})
    assert run("checks", "--out", "generated").exit_code == 0


def test_a_missing_schema_is_a_fault(project: Write) -> None:
    project({})
    result = run("nowhere", "--out", "generated")
    assert result.exit_code == 1
    assert result.stderr.startswith("nowhere:1:1: there is no such file or folder [CW-001]\n")


def test_every_command_can_be_run_and_help_shows_it() -> None:
    shown = run("--help").stdout.partition("Commands:")[2]
    for command in main.list_commands(Context(main)):
        assert f"  {command} " in shown
        assert run(command, "--help").stdout.startswith(f"Usage: main {command} ")


@pytest.mark.parametrize("command", [[], ["generate"], ["check"], ["ir"], ["scaffold"]])
def test_help_says_that_schemas_are_run(command: list[str]) -> None:
    shown = " ".join(run(*command, "--help").stdout.split())
    assert "imports" in shown
    assert "and so runs" in shown


def test_help_loads_nothing_that_the_compiler_needs() -> None:
    program = (
        "import sys; from capnweb_gen.cli import main; main(['--help'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"jinja2", "libcst", "pydantic", "rich"} & set(done.stdout.split())


def test_help_shows_how_to_begin_and_what_is_used_every_day() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for command in ("capnweb-gen init hello", "capnweb-gen schemas --out generated", "capnweb-gen check"):
        assert f"\n    {command} " in result.stdout


def test_faults_are_coloured_on_a_terminal(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    project({"c13/__init__.py": "", "c13/api.py": FAULTY})
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("c13", "--out", "generated").stderr


def test_warnings_are_coloured_on_a_terminal_and_plain_in_a_pipe(
    project: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    project({"c19/__init__.py": "", "c19/api.py": API, "c19/blank.py": ""})
    assert "\x1b[" not in run("c19", "--out", "generated").stderr
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;33mwarning: no interface" in run("c19", "--out", "generated").stderr
