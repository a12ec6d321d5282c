"""`capnweb-gen lock`: the word on what others have, which is not lost by chance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from capnweb_gen.cli import main
from tests.gen.cli.repository import NEW, OLD, SETTINGS
from tests.gen.conftest import Write

LOCK = "capnweb.lock.json"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


def locked(project: Write, name: str, was: str = OLD) -> Path:
    """A project whose schema was locked as it was."""
    folder = project({"pyproject.toml": SETTINGS.format(name), f"{name}/__init__.py": "", f"{name}/api.py": was})
    result = run("lock")
    assert (result.exit_code, result.stderr) == (0, f"wrote {LOCK}\n")
    return folder


def relocked(folder: Path, name: str, now: str, *arguments: str) -> Result:
    """The result of locking a schema under another name, since a module is imported once; the snapshot is of it."""
    (folder / f"{name}b").mkdir()
    (folder / f"{name}b/__init__.py").touch()
    (folder / f"{name}b/api.py").write_text(now, "utf-8")
    (folder / "pyproject.toml").write_text(SETTINGS.format(f"{name}b"), "utf-8")
    lock = folder / LOCK
    lock.write_text(lock.read_text("utf-8").replace(f"{name}.api", f"{name}b.api").replace(f"{name}/", f"{name}b/"))
    return run("lock", *arguments)


def test_it_holds_what_schemas_say_and_not_where(project: Write) -> None:
    folder = locked(project, "l1")
    text = (folder / LOCK).read_text("utf-8")
    schema = json.loads(text)[0]
    assert schema["module"] == "l1.api"
    assert schema["interfaces"][0]["members"][0]["position"] == {"line": 1, "column": 1}
    assert text.endswith("]\n")
    assert run("ir", LOCK).exit_code == 0


def test_what_says_the_same_is_not_written_again(project: Write) -> None:
    folder = locked(project, "l2")
    before = (folder / LOCK).read_bytes()
    result = relocked(folder, "l2", f"# A comment, which moves all lines.\n\n\n{OLD}")
    assert (result.exit_code, result.output) == (0, "")
    assert (folder / LOCK).read_bytes() == before.replace(b"l2.api", b"l2b.api").replace(b"l2/", b"l2b/")


def test_breaking_compares_with_it(project: Write) -> None:
    folder = locked(project, "l3")
    result = relocked(folder, "l3", NEW)
    compared = run("breaking", "--against", LOCK)
    assert compared.exit_code == 1
    assert compared.stdout == (
        "l3b/api.py:5:21: breaks old clients: Api.greet.name: it has no default any more [parameter-required]\n"
        "    5 |     def greet(self, name: str) -> str: ...\n"
        "      |                     ^^^^\n"
        f"    was: {LOCK}, l3b/api.py\n"
        "      | def greet(name: str = 'you') -> str\n"
        "    why: an old caller may leave the argument out\n"
        "    hint: keep the default\n"
    )
    assert result.stdout == compared.stdout


def test_what_would_hide_a_break_is_written_by_force_alone(project: Write) -> None:
    folder = locked(project, "l4")
    result = relocked(folder, "l4", NEW)
    before = (folder / LOCK).read_bytes()
    assert result.exit_code == 1
    assert result.stderr == (
        f"1 breaking change since {LOCK}; nothing was written. add --force once no peer has that version any more\n"
    )
    assert (folder / LOCK).read_bytes() == before
    assert run("lock", "--force").stderr == f"wrote {LOCK}\n"
    assert run("breaking", "--against", LOCK).output == ""


def test_what_breaks_nobody_is_written(project: Write) -> None:
    folder = locked(project, "l5")
    result = relocked(folder, "l5", OLD + "    def more(self) -> None: ...\n")
    assert (result.exit_code, result.stderr) == (0, f"wrote {LOCK}\n")


def test_what_is_allowed_to_break_hides_nothing(project: Write) -> None:
    folder = locked(project, "l6")
    allow = '\n[[tool.capnweb-gen.breaking.allow]]\nrule = "parameter-required"\npath = "*"\nreason = "unused"\n'
    relocked(folder, "l6", NEW)
    (folder / "pyproject.toml").write_text(SETTINGS.format("l6b") + allow, "utf-8")
    assert run("lock").stderr == f"wrote {LOCK}\n"


@pytest.mark.parametrize("force", [[], ["--force"]])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[\n<<<<<<< HEAD\n1\n=======\n", f"{LOCK}:2:1: there are conflicts of a merge in this file"),
        ('{"name": "a package"}', f"{LOCK}:1:1: this is not IR"),
        ('[{"format": 2}]', f"{LOCK}:1:1: this is IR of format 2"),
        ("half of", f"{LOCK}:1:1: this is not JSON"),
    ],
)
def test_what_is_no_snapshot_is_not_replaced(project: Write, text: str, words: str, force: list[str]) -> None:
    folder = project({"l7/__init__.py": "", "l7/api.py": OLD, LOCK: text})
    result = run("lock", "l7", *force)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "nothing was written" in result.stderr
    assert (folder / LOCK).read_text("utf-8") == text


def test_faults_in_schemas_leave_it_as_it_is(project: Write) -> None:
    folder = locked(project, "l8")
    before = (folder / LOCK).read_bytes()
    assert run("lock", "l8", "gone.py").exit_code == 2
    (folder / "l8/other.py").write_text("from typing import Protocol\nclass Api(Protocol):\n    x = 1\n", "utf-8")
    assert run("lock").exit_code == 1
    assert (folder / LOCK).read_bytes() == before


def test_its_name_ends_as_that_of_a_snapshot(project: Write) -> None:
    project({"l9/__init__.py": "", "l9/api.py": OLD})
    result = run("lock", "l9", "--out", "lock.txt")
    assert result.exit_code == 2
    assert "the name has to end in .json" in result.stderr


def test_a_place_that_cannot_be_written_is_told(project: Write) -> None:
    folder = project({"m1/__init__.py": "", "m1/api.py": OLD, "file": ""})
    result = run("lock", "m1", "--out", "file/lock.json")
    assert result.exit_code == 1
    assert "nothing was" in result.stderr
    assert (folder / "file").read_text("utf-8") == ""
