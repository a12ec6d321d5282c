"""`capnweb-gen ir`: what schemas say, for other programs."""

from __future__ import annotations

import json

from click.testing import CliRunner

from capnweb_gen.cli import main
from tests.gen.conftest import Write

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"


def test_it_prints_what_can_be_compiled_in_place_of_the_schema(project: Write) -> None:
    root = project({"j1/__init__.py": "", "j1/api.py": API})
    printed = CliRunner().invoke(main, ["ir", "j1"])
    assert (printed.exit_code, printed.stderr) == (0, "")
    (schema,) = json.loads(printed.stdout)
    assert (schema["format"], schema["interfaces"][0]["name"]) == (1, "Api")
    (root / "api.json").write_text(printed.stdout)
    done = CliRunner().invoke(main, ["api.json", "--out", "generated"])
    assert done.exit_code == 0
    assert "run: capnweb-gen api.json --out generated\n" in (root / "generated/api.py").read_text()
    assert CliRunner().invoke(main, ["check", "api.json", "--out", "generated"]).exit_code == 0


def test_faults_are_printed_instead(project: Write) -> None:
    project({"j2/__init__.py": "", "j2/api.py": API + "    x: int\n"})
    result = CliRunner().invoke(main, ["ir", "j2"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "j2/api.py:4:5" in result.stderr


def test_faults_may_be_json(project: Write) -> None:
    project({"j3/__init__.py": "", "j3/api.py": API + "    x: int\n"})
    result = CliRunner().invoke(main, ["ir", "j3", "--json"])
    assert (result.exit_code, result.stderr) == (1, "")
    assert [fault["line"] for fault in json.loads(result.stdout)["diagnostics"]] == [4]


def test_no_schema_is_wrong_usage(project: Write) -> None:
    project({})
    assert CliRunner().invoke(main, ["ir"]).exit_code == 2
