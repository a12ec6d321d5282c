"""What the compiler says of each kind of fault, as it is printed: one folder in `diagnostics/` a kind.

A folder holds `schema.py` with a single fault (those called `several_...` have more), and `expected.txt`, which was
reviewed and committed.

python -m tests.gen.diagnostic_cases [KIND...] writes what is said now, for a reviewer to look at the difference.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from capnweb_gen.compiler import compile_schemas
from capnweb_gen.report import Sources, render

FOLDER = Path(__file__).parent / "diagnostics"
ROOT = FOLDER.parents[2]
UPDATE = "python -m tests.gen.diagnostic_cases"


def kinds() -> list[str]:
    """The names of all kinds."""
    return sorted(path.parent.name for path in FOLDER.glob("*/schema.py"))


def say(kind: str) -> str:
    """What the compiler says of a schema now, with files named as from the root of the project."""
    schema = FOLDER / kind / "schema.py"
    sources = Sources([schema])
    return "".join(f"{render(fault, sources).plain}\n" for fault in compile_schemas([schema], UPDATE).diagnostics)


def main() -> None:
    os.chdir(ROOT)
    for kind in sys.argv[1:] or kinds():
        path = FOLDER / kind / "expected.txt"
        text = say(kind)
        if not path.is_file() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            print(f"wrote {kind}/expected.txt")


if __name__ == "__main__":
    main()
