"""With `--validate`: what `capnweb-validate` makes of generated files, and what is refused then."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from capnweb_gen.backends.typescript import generate
from capnweb_gen.cli import main
from capnweb_gen.compiler import compile_schemas
from capnweb_runtime import serve
from tests.needs import needs_node_typescript
from tests.typescript.node import FOLDER, add_checks, eslint, prepare, program, tsc, validated
from tests.typescript.target import Main
from tests.typescript.test_golden import golden

pytestmark = needs_node_typescript

ROOT = Path(__file__).parents[2]


async def test_wrong_results_and_wrong_arguments_are_refused_where_they_arrive(tmp_path: Path) -> None:
    compiled = compile_schemas([FOLDER / "schema"], "capnweb-gen", partial(generate, validate=True))
    files = {f"generated/{path}": text for path, text in compiled.files.items()}
    files |= {
        f"validated/{path.name}": path.read_text("utf-8")
        for path in (FOLDER / "validated" / "checked.ts", FOLDER / "programs" / "values.ts")
    }
    folder = prepare(tmp_path, files)
    assert tsc(folder) == ""
    assert eslint(folder) == ""
    made = validated(folder, "checked")
    async with (
        serve(lambda peer: Main(), "127.0.0.1", 0) as server,
        program(made / "validated", "checked.js", server.url) as checked,
    ):
        nothing, price, result, value, argument, *rest = await checked.rest()
    assert (nothing, price) == ("null", '"19.90"')
    assert result.startswith("TypeError: capnweb-validate: at Counter.increment")
    assert value.startswith("TypeError: capnweb-validate: at Counter.value")
    assert argument.startswith("TypeError: capnweb-validate: at CheckedCounter.increment")
    assert rest == ["8", "7", "disposed"]


def test_every_golden_case_can_be_checked(tmp_path: Path) -> None:
    files = {
        f"{case}/{path}": text
        for case, found in golden()
        for path, text in generate(found, "capnweb-gen", validate=True).items()
    }
    add_checks(prepare(tmp_path, files), "checked")


def test_the_command_asks_for_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as ended:
        main(["tests/typescript/schema", "--out", str(tmp_path), "--backend", "typescript", "--validate"])
    assert ended.value.code in {0, None}
    assert "@validateRpc<Counter>()" in (tmp_path / "everything.ts").read_text("utf-8")
