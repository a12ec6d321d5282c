"""What is made of every golden case of the compiler, and of schemas at random, before the compiler and the linter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from capnweb_gen import ir
from capnweb_gen.backends.typescript import generate
from capnweb_gen.compiler import compile_schemas
from tests.gen.golden_cases import GOLDEN
from tests.gen.random_schemas import RandomSchema, schemas
from tests.needs import needs_node_typescript
from tests.typescript.node import eslint, prepare, tsc

pytestmark = needs_node_typescript

MANY = settings(
    max_examples=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def golden() -> Iterator[tuple[str, tuple[ir.Schema, ...]]]:
    """The name of each case that compiles, and its schemas, also if only a newer Python can read them."""
    for path in sorted(GOLDEN.glob("*/ir.json")):
        document = json.loads(path.read_text("utf-8"))
        listed = document if isinstance(document, list) else [document]
        yield path.parent.name, tuple(map(ir.Schema.model_validate, listed))


@pytest.mark.parametrize("validate", [False, True])
def test_strict_typescript_and_the_linter_accept_every_golden_case(tmp_path: Path, validate: bool) -> None:
    files = {
        f"{case}/{path}": text
        for case, found in golden()
        for path, text in generate(found, "capnweb-gen", validate=validate).items()
    }
    assert len(files) > 50
    folder = prepare(tmp_path, files)
    assert tsc(folder) == ""
    assert eslint(folder) == ""


def test_both_would_tell_a_fault(tmp_path: Path) -> None:
    folder = prepare(tmp_path, {"wrong.ts": 'export const number: number = "text";\nexport interface Empty {}\n'})
    assert "wrong.ts(1,14): error TS2322" in tsc(folder)
    assert "no-empty-object-type" in eslint(folder)


def test_strict_typescript_accepts_schemas_at_random(tmp_path: Path) -> None:
    found: list[RandomSchema] = []

    @seed(20261127)
    @MANY
    @given(schemas())
    def collect(schema: RandomSchema) -> None:
        found.append(schema)

    collect()
    source = tmp_path / "random_schemas"
    source.mkdir()
    (source / "__init__.py").touch()
    for index, schema in enumerate(found):
        (source / f"api{index}.py").write_text(schema.text, "utf-8")
    compiled = compile_schemas([source], "capnweb-gen", generate)
    assert compiled.diagnostics == ()
    folder = prepare(tmp_path / "checked", compiled.files)
    assert tsc(folder) == "", "\n".join(schema.text for schema in found)
