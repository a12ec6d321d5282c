"""The golden cases of TypeScript: each file still gives the schemas, or the diagnostics, that were reviewed."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest

from capnweb_gen import ir
from capnweb_gen.compiler import read
from tests.gen.typescript_golden import CASES, UPDATE, cases, committed_case, make_case, read_case

ROOT = CASES.parents[2]
READABLE = [name for name in cases() if not (CASES / name / "diagnostics.txt").exists()]


@pytest.mark.parametrize("case", cases())
def test_a_case_gives_what_was_committed(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    made, committed = make_case(case), committed_case(case)
    diffs = [
        line
        for name in sorted(made.keys() | committed.keys())
        for line in difflib.unified_diff(
            committed.get(name, "").splitlines(),
            made.get(name, "").splitlines(),
            f"committed/{name}",
            f"made/{name}",
            lineterm="",
        )
    ]
    if diffs:
        pytest.fail("\n".join([*diffs, "", f"if this is as it should be: {UPDATE} {case}"]), pytrace=False)


@pytest.mark.parametrize("case", READABLE)
def test_a_written_schema_is_compiled_to_the_ir_it_was_made_of(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    again, faults = read([path for path in sorted((CASES / case).glob("*.py")) if path.stem != "__init__"])
    assert faults == []
    assert [comparable(schema) for schema in again] == [comparable(schema) for schema in read_case(case).schemas]


def comparable(schema: ir.Schema) -> Any:
    """What a schema says, without where it stands, and without what pydantic checks itself."""
    written = schema.model_dump(mode="json")
    for model in written["models"]:
        for field in model["fields"] if model["form"] == "pydantic" else ():
            field["type"] = _without_limits(field["type"])
    return _without_places(written)


def _without_limits(shape: Any) -> Any:
    if isinstance(shape, dict):
        return _without_limits(shape["item"]) if shape.get("kind") == "constrained" else _each(shape, _without_limits)
    return [_without_limits(one) for one in shape] if isinstance(shape, list) else shape


def _without_places(node: Any) -> Any:
    if isinstance(node, dict):
        return _each({key: value for key, value in node.items() if key not in {"position", "path"}}, _without_places)
    return [_without_places(one) for one in node] if isinstance(node, list) else node


def _each(node: dict[str, Any], change: Any) -> dict[str, Any]:
    return {key: change(value) for key, value in node.items()}


def test_every_case_is_read_wherever_it_is_read_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    read_from_here = read_case("several_files")
    assert [schema.module.rpartition(".")[2] for schema in read_from_here.schemas] == ["people", "places", "schema"]
