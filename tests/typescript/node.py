"""What is done with TypeScript: folders in which npm packages are found, the compiler, the linter, programs.

Rule: nothing is written into the repository. A folder of a test's own gets a link to the packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.interop.node import Program
from tests.interop.node import program as program_in

FOLDER = Path(__file__).parent
PATIENCE = 300
"""Seconds after which a tool is taken for hung: it may share the machine with other tests."""
_PACKAGES = FOLDER / "node_modules"


def prepare(folder: Path, files: Mapping[str, str] | None = None, **options: object) -> Path:
    """Make a folder of TypeScript.

    Parameters:
        folder: where; it may be there already.
        files: texts by path in it.
        options: what its tsconfig.json says otherwise than that of this folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in (files or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(_PACKAGES)
    for name in ("package.json", "eslint.config.js"):
        shutil.copy(FOLDER / name, folder / name)
    config = json.loads((FOLDER / "tsconfig.json").read_text("utf-8"))
    config["compilerOptions"] |= options
    (folder / "tsconfig.json").write_text(json.dumps(config), "utf-8")
    return folder


def tsc(folder: Path) -> str:
    """What the compiler says of all files in a folder: nothing if nothing is wrong."""
    return _run(folder, "typescript/bin/tsc", "--project", ".")


def eslint(folder: Path) -> str:
    """What ESLint's defaults say of all files in a folder: nothing if nothing is wrong."""
    return _run(folder, "eslint/bin/eslint.js", ".", "--max-warnings", "0")


def add_checks(folder: Path, out: str) -> None:
    """Have `capnweb-validate` write what it makes of a folder into another one below it."""
    said = _run(folder, "capnweb-validate/dist/cli.cjs", "build", "--out", out)
    assert "transformed" in said, said


def validated(folder: Path, out: str) -> Path:
    """Have `capnweb-validate` make programs of a folder, with its checks in them, and return where they are."""
    add_checks(folder, out)
    prepare(folder / out, noEmit=False, noCheck=True, outDir="out", rootDir=".")  # what it writes has no types
    assert tsc(folder / out) == ""
    return folder / out / "out"


def build(source: Path, folder: Path, **options: object) -> Path:
    """Compile a folder of TypeScript into programs in another folder, which is returned."""
    prepare(folder, None)
    shutil.copytree(source / "generated", folder / "generated", ignore=lambda _, names: _not_typescript(names))
    shutil.copytree(source / "programs", folder / "programs")
    prepare(folder, None, noEmit=False, outDir="out", rootDir=".", **options)
    said = tsc(folder)
    assert said == "", said
    return folder / "out" / "programs"


def _not_typescript(names: Sequence[str]) -> list[str]:
    return [name for name in names if not name.endswith(".ts")]


def _run(folder: Path, script: str, *arguments: str) -> str:
    done = subprocess.run(
        ["node", str(_PACKAGES / script), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, "FORCE_COLOR": "0", "NO_COLOR": "1"},
    )
    said = done.stdout + done.stderr
    assert said or done.returncode == 0, f"{script} ended with {done.returncode} and said nothing"
    return said.strip()


@asynccontextmanager
async def program(folder: Path, name: str, *arguments: str) -> AsyncIterator[Program]:
    """Run a program that `build` has made while the block runs."""
    flags = "--experimental-websocket", "--no-warnings"  # Node 20 has no WebSocket without the first
    async with program_in(str(folder / name), *arguments, flags=flags) as running:
        yield running
