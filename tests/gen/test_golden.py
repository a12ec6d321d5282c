"""The golden cases: each schema still gives the IR, the module, or the diagnostics that were reviewed."""

from __future__ import annotations

import difflib
import importlib
import json
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from capnweb_gen import ir
from tests.gen.golden_cases import GOLDEN, UPDATE, all_outputs, cases, committed_case, compile_case, outputs

ROOT = GOLDEN.parents[2]
STRICT = ["--strict", "--explicit-package-bases", "--namespace-packages", "--no-error-summary"]


@pytest.mark.parametrize("case", cases())
def test_a_case_gives_what_was_committed(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    made, committed = compile_case(case), committed_case(case)
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


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/ir.json")), ids=lambda path: path.parent.name)
def test_the_ir_is_read_back_as_it_was_written(path: Path) -> None:
    written = json.loads(path.read_text("utf-8"))
    for schema in written if isinstance(written, list) else [written]:
        assert ir.Schema.model_validate(schema).model_dump(mode="json") == schema


@pytest.mark.any_python
def test_output_is_formatted_as_ruff_formats(tmp_path: Path) -> None:
    # Copies, because the golden folder is excluded from formatting; what is tested is what the compiler writes.
    for path in all_outputs():
        copy = tmp_path / path.relative_to(GOLDEN)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run(
        [*ruff, "format", "--isolated", "--line-length", "120", "--check", "--diff", "."], cwd=tmp_path, check=True
    )
    first_party = 'lint.isort.known-first-party=["capnweb_runtime", "tests"]'
    rules = [
        "--line-length",
        "120",
        "--select",
        "E4,E7,E9,F,I,PIE,RUF,UP,W",
        "--ignore",
        "RUF002",
        "--config",
        first_party,
    ]
    subprocess.run([*ruff, "check", "--isolated", "--target-version", "py311", *rules, "."], cwd=tmp_path, check=True)


@pytest.mark.parametrize("path", outputs(), ids=lambda path: path.relative_to(GOLDEN).as_posix())
def test_output_compiles_and_can_be_imported(path: Path, tmp_path: Path) -> None:
    py_compile.compile(str(path), cfile=str(tmp_path / "compiled.pyc"), doraise=True)
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    assert importlib.import_module(module).__doc__


@pytest.mark.parametrize("first", ["cart", "order"])
def test_modules_that_need_each_other_can_be_imported_in_any_order(first: str) -> None:
    package = "tests.gen.golden.several_schemas.expected.shop"
    subprocess.run([sys.executable, "-c", f"import {package}.{first}"], cwd=ROOT, check=True)


def test_output_passes_mypy_strict() -> None:
    files = [str(path.relative_to(ROOT)) for path in outputs()]
    python = "{}.{}".format(*sys.version_info[:2])  # which has to read the schemas
    found = subprocess.run(
        [sys.executable, "-m", "mypy", *STRICT, "--python-version", python, *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


@pytest.mark.any_python
def test_output_passes_pyright_strict() -> None:
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", "-p", str(GOLDEN)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert found["summary"]["filesAnalyzed"] >= len(all_outputs())
    assert found["generalDiagnostics"] == []


def test_output_does_not_depend_on_the_hash_seed() -> None:
    program = "from tests.gen.golden_cases import *\nfor case in cases(): print(case, compile_case(case))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1
