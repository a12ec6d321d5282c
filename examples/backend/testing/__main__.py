"""`python -m examples.backend.testing`: runs the tests of the folder, and says what each of them has shown."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from examples.form.report import Report
from examples.form.running import run

HERE = Path(__file__).parent
PARTS = {"test_with_doubles": "Doubles", "test_health": "Health", "test_calls": "Calls"}


async def testing(report: Report) -> None:
    """Everything that the README claims."""
    done = await asyncio.to_thread(outcomes, [HERE / f"{module}.py" for module in PARTS])
    for module, title in PARTS.items():
        report.section(title)
        for name, outcome in done[module]:
            report.check(name, outcome, "PASSED")


def outcomes(paths: list[Path]) -> dict[str, list[tuple[str, str]]]:
    """Run the tests of files with pytest; by file, what each is called, in words, and what became of it."""
    options = ("--verbose", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist", "--color=no")
    command = [sys.executable, "-m", "pytest", *options, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    found: dict[str, list[tuple[str, str]]] = {path.stem: [] for path in paths}
    for module, name, outcome in re.findall(r"(\w+)\.py::test_(.+?) ([A-Z]+) +\[", done.stdout):
        found[module].append((name.replace("_", " "), outcome))
    if done.returncode and not any(found.values()):
        raise RuntimeError(done.stdout + done.stderr)
    return found


if __name__ == "__main__":
    run("testing", testing)
