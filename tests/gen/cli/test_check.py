"""`capnweb-gen check --types`: mypy over schemas and output."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from capnweb_gen.cli import main
from tests.gen.conftest import Write

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"


def test_well_typed_schemas_pass_in_silence(project: Write) -> None:
    project({"t1/__init__.py": "", "t1/api.py": API})
    CliRunner().invoke(main, ["t1", "--out", "generated"])
    result = CliRunner().invoke(main, ["check", "t1", "--out", "generated", "--types"])
    assert (result.exit_code, result.output) == (0, "")


def test_what_mypy_finds_is_printed_and_fails(project: Write) -> None:
    project({"t2/__init__.py": "", "t2/api.py": API + "LIMIT: int = 'ten'\n"})
    CliRunner().invoke(main, ["t2", "--out", "generated"])
    result = CliRunner().invoke(main, ["check", "t2", "--out", "generated", "--types"])
    assert result.exit_code == 1
    assert "t2/api.py:4: error: Incompatible types in assignment" in result.stdout
    assert result.stderr == "mypy found errors in t2 generated\n"


def test_without_mypy_it_says_how_to_get_it(project: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    project({"t3/__init__.py": "", "t3/api.py": API})
    monkeypatch.setattr("capnweb_gen.cli.check.find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["check", "t3", "--out", "generated", "--types"])
    assert result.exit_code == 2
    assert "--types needs mypy: pip install 'capnweb-gen[checking]'" in result.stderr
