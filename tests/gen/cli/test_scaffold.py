"""`capnweb-gen scaffold`: which file is written when, and what is said. What is in it: tests/gen/backends."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from capnweb_gen.cli import main
from tests.gen.conftest import Write

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self, n: int) -> int: ...\n"
MINE = "from generated.api import ApiTarget\n\nclass Mine(ApiTarget):\n    pass\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["scaffold", *arguments])


def test_a_file_is_written_once(project: Write) -> None:
    root = project({"s1/__init__.py": "", "s1/api.py": API})
    assert run("s1/api.py", "--out", "app/api.py").stderr == "wrote app/api.py\n"
    text = (root / "app/api.py").read_text()
    assert "from generated.api import ApiTarget\n" in text
    assert "    async def get(self, n: int) -> int:\n        raise NotImplementedError\n" in text
    assert run("s1/api.py", "--out", "app/api.py").output == ""


def test_what_is_missing_is_added(project: Write) -> None:
    root = project({"s2/__init__.py": "", "s2/api.py": API, "api.py": MINE})
    assert run("s2/api.py", "--out", "api.py").exit_code == 0
    assert (root / "api.py").read_text() == MINE + (
        "\n    async def get(self, n: int) -> int:\n        raise NotImplementedError\n"
    )


def test_a_dry_run_shows_the_diff_and_writes_nothing(project: Write) -> None:
    root = project({"s3/__init__.py": "", "s3/api.py": API, "api.py": MINE})
    result = run("s3/api.py", "--out", "api.py", "--dry-run")
    assert "--- a/api.py\n+++ b/api.py\n" in result.stdout
    assert "+    async def get(self, n: int) -> int:\n" in result.stdout
    assert (root / "api.py").read_text() == MINE


def test_the_generated_folder_is_what_pyproject_or_the_option_says(project: Write) -> None:
    configured = '[tool.capnweb-gen]\nschemas = ["s4"]\nout = "made/here"\n'
    root = project({"pyproject.toml": configured, "s4/__init__.py": "", "s4/api.py": API})
    run("s4/api.py", "--out", "one.py")
    assert "from made.here.api import ApiTarget\n" in (root / "one.py").read_text()
    run("s4/api.py", "--out", "two.py", "--generated", "other")
    assert "from other.api import ApiTarget\n" in (root / "two.py").read_text()


def test_what_is_left_alone_is_told(project: Write) -> None:
    project({"s5/__init__.py": "", "s5/api.py": API, "api.py": "class Api: ...\n"})
    result = run("s5/api.py", "--out", "api.py")
    assert (result.exit_code, result.stderr) == (
        0,
        "note: Api does not derive from ApiTarget, and was left alone\n",
    )


def test_a_file_that_is_not_python_is_left_alone(project: Write) -> None:
    project({"s6/__init__.py": "", "s6/api.py": API, "api.py": "class :"})
    result = run("s6/api.py", "--out", "api.py")
    assert result.exit_code == 1
    assert "api.py is not Python, and was left alone" in result.stderr
    assert Path("api.py").read_text() == "class :"


def test_faults_of_the_schema_are_told(project: Write) -> None:
    project({"s7/__init__.py": "", "s7/api.py": API + "    x: int\n"})
    result = run("s7/api.py", "--out", "api.py")
    assert result.exit_code == 1
    assert "s7/api.py:4:5" in result.stderr
    assert not Path("api.py").exists()


def test_a_schema_without_interfaces_has_nothing_to_implement(project: Write) -> None:
    project({"s8/__init__.py": "", "s8/api.py": "from pydantic import BaseModel\nclass M(BaseModel):\n    x: int\n"})
    result = run("s8/api.py", "--out", "api.py")
    assert result.exit_code == 1
    assert "nothing to implement" in result.stderr
