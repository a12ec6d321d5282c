"""The IR beside a generated module: what stands in it, and where it stands."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from click.testing import CliRunner

from capnweb_gen import ir
from capnweb_gen.backends.python.reflected import reflected_path
from capnweb_gen.cli import main
from capnweb_gen.compiler import compile_schemas
from tests.gen.conftest import Write
from tests.gen.golden_cases import GOLDEN

API = "from typing import Protocol\nclass Api(Protocol):\n    def get(self) -> int: ...\n"


def test_it_holds_what_the_schema_says_but_not_where() -> None:
    (written,) = (json.loads(path.read_text("utf-8")) for path in [GOLDEN / "reflection/ir.json"])
    for schema in written:
        module = runpy.run_path(str(GOLDEN / "reflection/expected" / reflected_path(ir.Schema(**schema))))
        assert json.loads(module["SCHEMA"]) == without_places(schema)
        assert ir.Schema.model_validate_json(module["SCHEMA"]).module == schema["module"]


def without_places(node: object) -> object:
    if isinstance(node, dict):
        start = {"line": 1, "column": 1}
        return {key: start if key == "position" else without_places(value) for key, value in node.items()}
    return [without_places(item) for item in node] if isinstance(node, list) else node


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("reflection/expected/**/*_ir.py")), ids=lambda path: path.name)
def test_its_lines_are_no_longer_than_others(path: Path) -> None:
    assert max(map(len, path.read_text("ascii").splitlines())) <= 120


def test_it_says_where_the_schemas_are_that_are_named() -> None:
    module = runpy.run_path(str(GOLDEN / "reflection/expected/hotel_ir.py"))
    assert module["MODULES"] == {"tests.gen.golden.reflection.schemas.parts.room": ".parts.room_ir"}
    assert runpy.run_path(str(GOLDEN / "reflection/expected/parts/room_ir.py"))["MODULES"] == {}


@pytest.mark.parametrize(
    "text", ["\\" * 500, "a" * 500, " " * 500, "\\ " * 300, "é\u2028" * 100, '"' * 300, '\n\'"""\\']
)
def test_every_text_comes_back(project: Write, text: str) -> None:
    root = project({"r1/__init__.py": "", "r1/api.py": f"{text!r}\n{API}"})
    assert CliRunner().invoke(main, ["r1", "--out", "generated", "--reflection"]).exit_code == 0
    module = runpy.run_path(str(root / "generated/api_ir.py"))
    (schema,) = compile_schemas([root / "r1"], "").schemas
    assert json.loads(module["SCHEMA"])["doc"] == schema.doc


def test_lines_that_move_change_nothing_in_it(project: Write) -> None:
    root = project({"r2/__init__.py": "", "r2/api.py": API})
    assert CliRunner().invoke(main, ["r2", "--out", "generated", "--reflection"]).exit_code == 0
    (root / "r2/api.py").write_text(API.replace("class", "# moved\n\nclass"))
    assert CliRunner().invoke(main, ["check", "r2", "--out", "generated", "--reflection"]).exit_code == 0


def test_check_tells_when_it_is_old_or_should_not_be_there(project: Write) -> None:
    root = project({"r3/__init__.py": "", "r3/api.py": API})
    asked = ["r3", "--out", "generated", "--reflection"]
    CliRunner().invoke(main, asked)
    (root / "generated/api_ir.py").write_text((root / "generated/api_ir.py").read_text().replace('"get"', '"got"'))
    stale = CliRunner().invoke(main, ["check", *asked])
    assert stale.exit_code == 1
    assert "run: capnweb-gen r3 --out generated --reflection" in stale.stderr
    assert CliRunner().invoke(main, asked[:-1]).exit_code == 0
    assert not (root / "generated/api_ir.py").exists()


def test_a_schema_in_its_place_is_a_fault(project: Write) -> None:
    project({"r4/__init__.py": "", "r4/api.py": API, "r4/api_ir.py": API})
    assert CliRunner().invoke(main, ["r4", "--out", "generated"]).exit_code == 0
    refused = CliRunner().invoke(main, ["r4", "--out", "generated", "--reflection"])
    assert refused.exit_code == 1
    assert "r4/api_ir.py:1:1: this becomes api_ir.py, as the IR of r4/api.py" in refused.stderr


def test_settings_may_ask_for_it(project: Write) -> None:
    root = project(
        {
            "pyproject.toml": '[tool.capnweb-gen]\nschemas = ["r5"]\nout = "generated"\nreflection = true\n',
            "r5/__init__.py": "",
            "r5/api.py": API,
        }
    )
    assert CliRunner().invoke(main, []).exit_code == 0
    assert (root / "generated/api_ir.py").exists()


def test_other_back_ends_are_not_asked_for_it(project: Write) -> None:
    project({"r6/__init__.py": "", "r6/api.py": API})
    refused = CliRunner().invoke(main, ["r6", "--out", "generated", "--backend", "json-schema", "--reflection"])
    assert refused.exit_code == 2
    assert "the back end json-schema has no option reflection; it has none" in " ".join(refused.stderr.split())
