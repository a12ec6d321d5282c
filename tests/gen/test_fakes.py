"""Fakes of every schema among the golden cases: they are well formed and well typed, whatever the interfaces are."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capnweb_gen.backends.plugins import load
from capnweb_gen.compiler import compile_schemas
from capnweb_runtime.testing import fakes
from tests.gen.golden_cases import GOLDEN, cases

ROOT = GOLDEN.parents[2]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated modules and the fakes of each case, in a package for each."""
    folder = tmp_path_factory.mktemp("fakes")
    for name in cases():
        schemas = GOLDEN / name / "schemas"
        given = schemas if schemas.is_dir() else GOLDEN / name / "schema.py"
        compiled = compile_schemas([given], "capnweb-gen", load("python").told(fakes=True))
        for file, text in compiled.files.items():
            path = folder / f"fakes_of_{name}" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    return folder


def modules(folder: Path) -> list[str]:
    paths = sorted(folder.glob("**/*_fakes.py"))
    return [".".join(path.relative_to(folder).with_suffix("").parts) for path in paths]


def test_a_fake_of_every_interface_can_be_made(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(written))
    made = 0
    for name in modules(written):
        found = vars(importlib.import_module(name))
        for cls in found.values():
            if isinstance(cls, type) and issubclass(cls, fakes.BareFake) and cls.__module__ == name:
                fakes.verify(cls())
                made += 1
    assert made > 100


@pytest.mark.any_python
def test_fakes_are_formatted_and_well_typed(written: Path) -> None:
    def run(*command: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=written, capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr

    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    run("ruff", "format", "--isolated", "--line-length", "120", "--check", "--diff", ".")
    strict = ("--strict", "--explicit-package-bases", "--namespace-packages", "--no-error-summary")
    run("mypy", *strict, *(f"{name.replace('.', '/')}.py" for name in modules(written)))
