"""Says how much of each package the tests run, and fails below the least. `make coverage` makes the file that it reads.

python .ci/covered.py coverage.json
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LEAST = {"capnweb_gen": 94.5, "capnweb_runtime": 94.5}
"""Percent of lines and branches, about half of one below what was measured: 95.2 and 94.9. What tests run in processes
of its own, such as the workers of `capnweb_runtime/running`, does not count.
"""
LISTED = 12
"""How many of the least covered files are named."""


def packages(report: dict[str, Any]) -> dict[str, float]:
    """Percent of each package that was run, by a report of coverage.py in JSON."""
    run, whole = defaultdict[str, int](int), defaultdict[str, int](int)
    for path, file in report["files"].items():
        package, summary = path.partition("/")[0], file["summary"]
        run[package] += summary["covered_lines"] + summary.get("covered_branches", 0)
        whole[package] += summary["num_statements"] + summary.get("num_branches", 0)
    return {package: 100 * run[package] / count for package, count in whole.items() if count}


def complaints(percents: dict[str, float]) -> Iterator[str]:
    """What is below the least."""
    for package, least in LEAST.items():
        found = percents.get(package, 0.0)
        if found < least:
            yield f"{package}: {found:.1f}% is run by the tests, and has to be {least:.0f}%"


def main() -> int:
    """Prints the table; returns the exit code."""
    report = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    percents = packages(report)
    for package, percent in sorted(percents.items()):
        print(f"{package:<18}{percent:6.1f}%")
    files = sorted((file["summary"]["percent_covered"], path) for path, file in report["files"].items())
    for percent, path in files[:LISTED]:
        print(f"    {percent:5.1f}%  {path}")
    failed = list(complaints(percents))
    for complaint in failed:
        print(complaint, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
