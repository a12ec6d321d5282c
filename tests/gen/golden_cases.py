"""The golden cases of the compiler: what is compiled, and what has to come of it.

A case is a folder in `golden/`. It holds `schema.py`, or a folder `schemas/` of several; and beside that what was
reviewed and committed: `ir.json`, and `expected.py` or a folder `expected/`; or `diagnostics.txt` if the schema is to
be refused. A `case.toml` says what else there is to know: `blocking = true` asks for blocking stubs,
`reflection = true` for the IR beside the modules, `fakes = true` for fakes, and `typescript = true` for TypeScript too,
in `expected.ts` or in `expected/`; `python = "3.12"` says that older Pythons cannot read the schema, so that
`make test-newest` runs the case.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from capnweb_gen.backends.plugins import load
from capnweb_gen.compiler import compile_schemas

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "python -m tests.gen.update_golden"


def cases() -> list[str]:
    """The names of the cases that this Python can read."""
    found = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir() and path.name[0] not in "._")
    return [name for name in found if needs(name) <= sys.version_info[:2]]


def needs(name: str) -> tuple[int, ...]:
    """The Python that a case needs."""
    return tuple(map(int, settings(name).get("python", "3.11").split(".")))


def outputs() -> list[Path]:
    """Every generated module among the cases that this Python can read."""
    return [path for path in all_outputs() if path.relative_to(GOLDEN).parts[0] in cases()]


def all_outputs() -> list[Path]:
    """Every generated module among all cases."""
    return sorted([*GOLDEN.glob("*/expected.py"), *GOLDEN.glob("*/expected/**/*.py")])


def settings(name: str) -> dict[str, Any]:
    """What the case's `case.toml` says."""
    path = GOLDEN / name / "case.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}


def compile_case(name: str) -> dict[str, str]:
    """What the compiler makes of a case now: texts by path relative to the folder of the case."""
    folder = GOLDEN / name
    several = (folder / "schemas").is_dir()
    asked = {option: settings(name).get(option, False) for option in ("blocking", "reflection", "fakes")}
    backend = load("python").told(**asked)
    compiled = compile_schemas([folder / "schemas" if several else folder / "schema.py"], UPDATE, backend)
    if compiled.diagnostics:
        return {"diagnostics.txt": "".join(f"{diagnostic}\n" for diagnostic in compiled.diagnostics)}
    schemas = [schema.model_dump(mode="json") for schema in compiled.schemas]
    texts = {"ir.json": json.dumps(schemas if several else schemas[0], indent=2, ensure_ascii=False) + "\n"}
    if several:
        texts.update({f"expected/{path}": text for path, text in compiled.files.items()})
    else:
        texts["expected.py"] = compiled.files["schema.py"]
    if settings(name).get("typescript", False):
        made = load("typescript")(compiled.schemas, UPDATE)
        texts.update(
            {f"expected/{path}": text for path, text in made.items()} if several else {"expected.ts": made["schema.ts"]}
        )
    return texts


def committed_case(name: str) -> dict[str, str]:
    """What was committed for a case."""
    folder = GOLDEN / name
    paths = [folder / name for name in ("ir.json", "diagnostics.txt", "expected.py", "expected.ts")]
    paths += [*folder.glob("expected/**/*.py"), *folder.glob("expected/**/*.ts")]
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in paths if path.is_file()}
