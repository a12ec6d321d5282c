"""What hot paths have cost from change to change: `python -m tests.bench.history`. Rule: counts of instructions, which
no machine changes; a line for each commit that was measured, appended and never rewritten.

    python -m tests.bench.history            compares what is checked out with the last line; fails beyond THRESHOLD
    python -m tests.bench.history --append   ... and appends it
    python -m tests.bench.history --table    prints the history
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.runtime.cost import PATHS, measured

ROOT = Path(__file__).parents[2]
HISTORY = ROOT / "docs" / "performance" / "instructions.jsonl"
THRESHOLD = 0.03
"""How much dearer a path may become from one line to the next. `tests/runtime/test_cost.py` bounds the sum of many."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured of a commit.

    Attributes:
        commit: the commit.
        date: when it was made, as YYYY-MM-DD.
        python: the version of Python: others run other instructions.
        instructions: bytecode instructions of one operation, by path.
    """

    commit: str
    date: str
    python: str
    instructions: dict[str, int]


def read(path: Path) -> list[Line]:
    """The history, oldest first."""
    if not path.exists():
        return []
    return [Line(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def regressions(before: Line | None, now: Line) -> list[str]:
    """What has become dearer by more than the threshold, in words; nothing is said between versions of Python."""
    if before is None or before.python != now.python:
        return []
    return [
        f"{path}: {count:,} instructions where {before.commit} had {was:,}, {count / was - 1:+.1%}"
        for path, count in now.instructions.items()
        if (was := before.instructions.get(path)) and count > was * (1 + THRESHOLD)
    ]


def table(lines: Sequence[Line]) -> str:
    """The history as a table of text, with what changed from line to line."""
    rows = []
    for index, line in enumerate(lines):
        before = lines[index - 1].instructions if index and lines[index - 1].python == line.python else {}
        rows.append(f"{line.date}  {line.commit}  Python {line.python}")
        for path, count in line.instructions.items():
            was = before.get(path)
            rows.append(f"    {path:<28}{count:>10,}" + (f"  {count / was - 1:+.1%}" if was else ""))
    return "\n".join(rows)


def measure() -> Line:
    """What is checked out."""
    commit, date = subprocess.run(
        ["git", "log", "-1", "--format=%h %cs"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    costs = {path: asyncio.run(measured(path))[0].instructions for path in PATHS}
    return Line(commit, date, "{}.{}".format(*sys.version_info[:2]), costs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares, and appends if told to; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history", description=__doc__)
    parser.add_argument("--append", action="store_true", help="append what was measured")
    parser.add_argument("--table", action="store_true", help="print the history, and measure nothing")
    options = parser.parse_args(arguments)
    lines = read(HISTORY)
    if options.table:
        print(table(lines))
        return 0
    now = measure()
    same = [line for line in lines if line.python == now.python]
    print(table([*same[-1:], now]))
    dearer = regressions(same[-1] if same else None, now)
    if options.append and now.commit not in {line.commit for line in same}:
        with HISTORY.open("a", encoding="utf-8") as history:
            history.write(json.dumps(asdict(now)) + "\n")
    for line in dearer:
        print(f"dearer: {line}", file=sys.stderr)
    return 1 if dearer else 0


if __name__ == "__main__":
    sys.exit(main())
