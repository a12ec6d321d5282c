"""`capnweb-gen breaking`: what it compares, what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from capnweb_gen.cli import main
from tests.gen.cli.repository import NEW, OLD, SETTINGS, committed, git, state
from tests.gen.conftest import Write
from tests.needs import needs_git

SAID = """\
b1/api.py:5:21: breaks old clients: Api.greet.name: it has no default any more [parameter-required]
    5 |     def greet(self, name: str) -> str: ...
      |                     ^^^^
    was: main:b1/api.py:5
    5 |     def greet(self, name: str = "you") -> str: ...
    why: an old caller may leave the argument out
    hint: keep the default
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["breaking", *arguments])


def repository(project: Write, name: str, now: str = NEW, settings: str = "") -> Path:
    """A project of one schema, committed as it was, and changed since."""
    files = {"pyproject.toml": SETTINGS.format(name) + settings, f"{name}/__init__.py": "", f"{name}/api.py": OLD}
    folder = project(files)
    committed(folder)
    (folder / name / "api.py").write_text(now, "utf-8")
    return folder


@needs_git
def test_a_change_is_told_at_its_line_with_the_line_that_was_there(project: Write) -> None:
    repository(project, "b1")
    result = run("--against", "main")
    assert (result.exit_code, result.stdout) == (1, SAID)
    assert result.stderr == "1 breaking change since main\n"


@needs_git
def test_without_a_break_it_is_silent(project: Write) -> None:
    repository(project, "b2", OLD + "    def more(self) -> None: ...\n")
    assert run("--against", "HEAD", "--category", "wire", "--direction", "old-client").output == ""
    result = run("--against", "HEAD")
    assert result.exit_code == 0
    assert "b2/api.py:6:9: warning: breaks if used: Api.more: this method was added [member-added]" in result.stdout


@needs_git
def test_new_clients_alone_cannot_wait_for_servers(project: Write) -> None:
    repository(project, "b3", OLD + "    def more(self) -> None: ...\n")
    result = run("--against", "main", "--direction", "new-client")
    assert result.exit_code == 1
    assert "breaks new clients: Api.more: this method was added [member-added]" in result.stdout


@needs_git
def test_the_working_tree_and_the_index_are_left_as_they_are(project: Write) -> None:
    folder = repository(project, "b4")
    (folder / "b4/other.txt").write_text("staged", "utf-8")
    git(folder, "add", "b4/other.txt")
    (folder / "b4/other.txt").write_text("changed since", "utf-8")
    before = state(folder)
    assert run("--against", "main").exit_code == 1
    assert state(folder) == before
    assert git(folder, "worktree", "list").count("\n") == 1


@needs_git
def test_what_the_schemas_import_is_of_the_same_revision(project: Write) -> None:
    files = {
        "pyproject.toml": SETTINGS.format("b5"),
        "b5/__init__.py": "",
        "b5/models.py": "from pydantic import BaseModel\nclass User(BaseModel):\n    name: str\n    age: int = 0\n",
        "b5/api.py": "from typing import Protocol\nfrom b5.models import User\n"
        "class Api(Protocol):\n    def get(self) -> User: ...\n",
    }
    folder = project(files)
    committed(folder)
    models = folder / "b5/models.py"
    models.write_text(models.read_text("utf-8").replace("    age: int = 0\n", ""), "utf-8")
    result = run("--against", "main", "--category", "code")
    assert "User.age: it was removed [result-field-removed]" in result.stdout
    assert "    was: main:b5/models.py:4\n    4 |     age: int = 0\n" in result.stdout


@needs_git
def test_it_runs_in_a_folder_below_and_from_a_hook(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository(project, "b6")
    monkeypatch.chdir(folder / "b6")
    monkeypatch.setenv("GIT_DIR", str(folder / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(folder / "nowhere/index"))
    assert run("--against", "main").stdout.startswith("b6/api.py:5:21: breaks old clients")


@needs_git
def test_a_schema_that_was_moved_is_found(project: Write) -> None:
    folder = repository(project, "b7", OLD)
    git(folder, "mv", "b7/api.py", "b7/service.py")
    (folder / "b7/service.py").write_text(NEW, "utf-8")
    for named in (["b7/service.py"], []):
        result = run(*named, "--against", "main", "--category", "code")
        assert "breaks code that uses it: Api: b7.api.Api is b7.service.Api now [declaration-renamed]" in result.stdout
        assert "Api.greet.name: it has no default any more [parameter-required]" in result.stdout


@needs_git
def test_a_folder_that_was_moved_is_found_by_the_settings_of_then(project: Write) -> None:
    folder = repository(project, "b8", OLD)
    git(folder, "mv", "b8", "b8moved")
    (folder / "b8moved/api.py").write_text(NEW, "utf-8")
    (folder / "pyproject.toml").write_text(SETTINGS.format("b8moved"), "utf-8")
    assert "b8moved/api.py:5:21: breaks old clients: Api.greet.name" in run("--against", "main").stdout


@needs_git
def test_a_schema_that_was_not_there_is_told(project: Write) -> None:
    folder = repository(project, "b9", OLD)
    (folder / "b9/other.py").write_text("from typing import Protocol\nclass Other(Protocol): ...\n", "utf-8")
    result = run("b9/other.py", "--against", "main")
    assert result.exit_code == 1
    assert "b9/other.py:1:1: this is not in main, and git sees no file there that it was renamed from" in result.stderr
    assert "1 fault; nothing was compared" in result.stderr
    assert run("b9", "--against", "main").exit_code == 0


# ---- output


@needs_git
def test_json_has_everything(project: Write) -> None:
    repository(project, "b10")
    told: dict[str, Any] = json.loads(run("--against", "main", "--json").stdout)
    assert told == {
        "against": "main",
        "findings": [
            {
                "rule": "parameter-required",
                "path": "Api.greet.name",
                "message": "it has no default any more",
                "breaks": True,
                "old_client": "breaks",
                "new_client": "safe",
                "code": True,
                "why": "an old caller may leave the argument out",
                "hint": "keep the default",
                "file": "b10/api.py",
                "line": 5,
                "column": 21,
                "was": {
                    "file": "b10/api.py",
                    "line": 5,
                    "text": '    def greet(self, name: str = "you") -> str: ...',
                },
            }
        ],
        "allowed": [],
        "warnings": [],
    }


@needs_git
def test_github_gets_annotations(project: Write) -> None:
    repository(project, "b11", NEW.replace("def greet", "def more(self) -> int: ...\n    def greet"))
    first, second = run("--against", "main", "--format", "github").stdout.splitlines()
    assert first.startswith("::warning file=b11/api.py,line=5,col=9,title=member-added::warning: breaks if used: Api.")
    assert second == (
        "::error file=b11/api.py,line=6,col=21,title=parameter-required::breaks old clients: Api.greet.name: it has no "
        'default any more [parameter-required]%0Awas: def greet(self, name: str = "you") -> str: ...%0Aan old caller '
        "may leave the argument out%0Ahint: keep the default"
    )


@needs_git
def test_github_gets_what_cannot_be_read_too(project: Write) -> None:
    repository(project, "b12", "from typing import Protocol\nclass Api(Protocol):\n    def a(self) -> 5%: ...\n")
    result = run("--against", "main", "--format", "github")
    assert result.exit_code == 1
    assert result.stdout.startswith("::error file=b12/api.py,line=3,col=")


# ---- what a project allows

ALLOW = '\n[[tool.capnweb-gen.breaking.allow]]\nrule = "{}"\npath = "{}"\nreason = "{}"\n'


@needs_git
def test_what_is_allowed_with_a_reason_is_not_told(project: Write) -> None:
    repository(project, "b13", settings=ALLOW.format("parameter-required", "Api.*.name", "nobody calls it yet"))
    result = run("--against", "main")
    assert (result.exit_code, result.output) == (0, "")
    told: dict[str, Any] = json.loads(run("--against", "main", "--json").stdout)
    assert told["findings"] == []
    assert told["allowed"][0]["reason"] == "nobody calls it yet"


@needs_git
@pytest.mark.parametrize(
    ("rule", "path", "reason", "message"),
    [
        (
            "parameter-required",
            "Api.greet.name",
            " ",
            "the entry for parameter-required at Api.greet.name has no reason",
        ),
        ("parameter-required", "Api.x", "why", "the entry for parameter-required at Api.x lets nothing break"),
        ("parameter-lost", "Api.*", "why", "there is no rule 'parameter-lost'"),
    ],
)
def test_an_entry_that_does_nothing_or_says_nothing_is_told(
    project: Write, rule: str, path: str, reason: str, message: str
) -> None:
    repository(project, "b14", settings=ALLOW.format(rule, path, reason))
    result = run("--against", "main")
    assert result.exit_code == 1
    assert f"pyproject.toml:5:1: warning: {message}" in result.stderr
    told: dict[str, Any] = json.loads(run("--against", "main", "--json").stdout)
    assert told["warnings"][0]["message"] == message


@needs_git
def test_entries_that_cannot_be_understood_are_wrong_usage(project: Write) -> None:
    repository(project, "b15", settings='\n[tool.capnweb-gen.breaking]\nallow = [{ rule = "x" }]\n')
    result = run("--against", "main")
    assert result.exit_code == 2
    assert "[tool.capnweb-gen.breaking] in" in result.stderr
    assert "allow.0.path: Field required" in result.stderr


# ---- what is refused


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing option '--against'"),
        (["--against", "main", "--json", "--format", "github"], "--json and --format are two ways to print the same"),
        (["--against", "main", "--category", "all"], "is not one of 'wire', 'strict', 'code'"),
        (["gone.py", "--against", "main"], "no such file or folder: gone.py"),
        (["--against", "main"], "there is no pyproject.toml"),
    ],
)
def test_wrong_usage(project: Write, arguments: list[str], words: str) -> None:
    project({})
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


@needs_git
def test_a_revision_that_is_not_there(project: Write) -> None:
    repository(project, "c1")
    for name in ("gone", "--help", "main:c1", "HEAD~7"):
        result = run(f"--against={name}")
        assert result.exit_code == 1
        assert f"{name}:1:1: git knows no revision {name!r} here" in result.stderr


@needs_git
def test_no_repository(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project({"c2/__init__.py": "", "c2/api.py": OLD})
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    result = run("c2", "--against", "main")
    assert result.exit_code == 1
    assert f"main:1:1: {folder} is in no git repository with a working tree" in result.stderr
    assert "capnweb-gen lock writes one" in result.stderr


def test_no_git(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    project({"c3/__init__.py": "", "c3/api.py": OLD})
    monkeypatch.setenv("PATH", "")
    result = run("c3", "--against", "main")
    assert result.exit_code == 1
    assert "main:1:1: git is not installed" in result.stderr


@needs_git
def test_a_shallow_clone_says_so(project: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository(project, "c4")
    committed(folder, "second")
    clone = tmp_path / "clone"
    git(folder, "clone", "--quiet", "--depth=1", f"file://{folder}", str(clone))
    monkeypatch.chdir(clone)
    result = run("--against", "HEAD~1")
    assert result.exit_code == 1
    assert "this clone is shallow, so that it may be missing: git fetch --unshallow" in result.stderr


@needs_git
def test_a_submodule_is_another_repository(project: Write, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "__init__.py").touch()
    (inner / "api.py").write_text(OLD, "utf-8")
    committed(inner)
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet", "--initial-branch=main")
    git(outer, "submodule", "--quiet", "add", str(inner), "c5")
    git(outer, "commit", "--quiet", "--message", "one")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(outer)
        result = run("c5", "--against", "main")
    assert result.exit_code == 1
    assert "main:1:1: c5 is in the submodule c5, of which main has no files" in result.stderr


@needs_git
def test_a_schema_outside_of_the_repository(project: Write, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    inside = tmp_path / "inside"
    inside.mkdir()
    (other / "c6.py").write_text(OLD, "utf-8")
    (inside / "x").touch()
    committed(inside)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(inside)
        result = run(str(other / "c6.py"), "--against", "main")
    assert result.exit_code == 1
    assert f"is not in the repository {inside}" in result.stderr


@needs_git
def test_faults_of_now_and_of_then_are_told_apart(project: Write) -> None:
    wrong = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> object: ...\n"
    folder = repository(project, "c7", wrong)
    result = run("--against", "main")
    assert result.exit_code == 1
    assert "c7/api.py:3:22: Api.get(): object cannot travel" in result.stderr
    committed(folder)
    (folder / "c7/api.py").write_text(OLD, "utf-8")
    # What was imported above is forgotten: it is the schema of now, and has another text.
    result = run("--against", "main~1")
    result = run("--against", "main")
    assert result.exit_code == 1
    assert "main:c7/api.py:3:22: Api.get(): object cannot travel" in result.stderr
    assert "1 fault; nothing was compared" in result.stderr


@needs_git
def test_a_schema_of_then_that_ends_the_program_is_told(project: Write) -> None:
    folder = repository(project, "c8", OLD)
    (folder / "c8/api.py").write_text("import os\nos._exit(3)\n" + OLD, "utf-8")
    committed(folder)
    (folder / "c8/api.py").write_text(OLD, "utf-8")
    result = run("--against", "main")
    assert result.exit_code == 1
    assert "main:1:1: the schemas of main cannot be read" in result.stderr


def test_a_snapshot_that_is_not_there(project: Write) -> None:
    project({"c9/__init__.py": "", "c9/api.py": OLD})
    result = run("c9", "--against", "gone.json")
    assert result.exit_code == 1
    assert "gone.json:1:1: there is no such file\n    hint: write it with capnweb-gen lock" in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "then.json:1:2: this is not JSON"),
        ('[{"format": 2}]', "then.json:1:1: this is IR of format 2; this compiler reads format 1"),
        ('[{"format": 1, "later": 1}]', "then.json:1:1: this is not IR"),
        ("[\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> other\n]", "then.json:2:1: there are conflicts of a merge"),
        ('{"name": "a", "version": 1}', "then.json:1:1: this is not IR"),
    ],
)
def test_a_snapshot_that_cannot_be_read(project: Write, text: str, words: str) -> None:
    project({"d1/__init__.py": "", "d1/api.py": OLD, "then.json": text})
    result = run("d1", "--against", "then.json")
    assert result.exit_code == 1
    assert words in result.stderr


def test_a_folder_is_no_snapshot(project: Write) -> None:
    folder = project({"d2/__init__.py": "", "d2/api.py": OLD})
    (folder / "then.json").mkdir()
    result = run("d2", "--against", "then.json")
    assert result.exit_code == 1
    assert "then.json:1:1: cannot be read: Is a directory" in result.stderr
