"""The golden cases of what reads TypeScript: what is read, and what has to come of it.

A case is a folder in `typescript_cases/`. It holds `schema.ts` (or `.tsx`), which may import from files beside it; and
beside that what was reviewed and committed: `schema.py`, and modules for what is imported, as `from-typescript` writes
them; `decisions.txt`, what it says of it; or `diagnostics.txt`, if the file is to be refused.
"""

from __future__ import annotations

from pathlib import Path

from capnweb_gen.backends.schema.keeping import record
from capnweb_gen.cli.from_typescript import faults_of, printed
from capnweb_gen.frontends.typescript.reader import Read, read_typescript
from capnweb_gen.report import Sources, render

CASES = Path(__file__).parent / "typescript_cases"
UPDATE = "python -m tests.gen.update_typescript_cases"


def cases() -> list[str]:
    """The names of the cases."""
    return sorted(path.name for path in CASES.iterdir() if path.is_dir() and path.name[0] not in "._")


def source(name: str) -> Path:
    """The file that is read."""
    return next((CASES / name).glob("schema.ts*"))


def read_case(name: str) -> Read:
    """A case as it is read now."""
    return read_typescript([source(name)], f"tests.gen.typescript_cases.{name}")


def make_case(name: str) -> dict[str, str]:
    """What is made of a case now: texts by path relative to its folder."""
    read = read_case(name)
    faults = faults_of(read)
    if faults:
        sources = Sources([source(name)])
        return {"diagnostics.txt": "".join(f"{render(fault, sources).plain}\n" for fault in faults)}
    files = {schema.output: record(module) for schema, module in printed(read)}
    said = "".join(f"{decision}\n" for decision in read.decisions)
    return files | ({"decisions.txt": said} if said else {})


def committed_case(name: str) -> dict[str, str]:
    """What was committed for a case."""
    folder = CASES / name
    files = [path for path in folder.iterdir() if path.suffix in {".py", ".txt"}]
    return {path.name: path.read_text("utf-8") for path in sorted(files)}
