"""`make load`: runs every scenario on this machine for two minutes together, and writes docs/load.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from importlib.metadata import version

from rich.console import Console

from tests.bench.interpreter import probe
from tests.load import report
from tests.load.running import STEPS, run
from tests.load.scenarios import PER_SECOND, SCENARIOS
from tests.load.step import Step

SECONDS = 120


def main(names: list[str], seconds: float, dry: bool) -> None:
    """Run, print, and write the report."""
    console = Console(highlight=False, soft_wrap=True)

    def tell(step: Step) -> None:
        console.print(
            f"{step.scenario:12} {step.users:4} users  {step.rate:7,.0f}/s  p50 {step.p50:4.0f} ms  "
            f"p99 {step.p99:4.0f} ms  {step.failures} failed  server {step.server:4.0%}  users {step.users_core:4.0%}"
        )

    steps = run(names, seconds, STEPS, tell)
    data = {
        "machine": machine(),
        "seconds": seconds,
        "per_second": PER_SECOND,
        "scenarios": {name: SCENARIOS[name].says for name in names},
        "steps": [asdict(step) for step in steps],
    }
    if not dry:
        report.FOLDER.mkdir(exist_ok=True)
        report.RESULTS.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        report.write(data)
        console.print(f"wrote {report.DOCUMENT.relative_to(report.ROOT)}")


def machine() -> str:
    """Where it was measured."""
    build = probe(sys.executable)
    how = build.optimisation if build else "of an unknown build"
    return f"Python {platform.python_version()}, {how}; Locust {version('locust')}; {os.cpu_count()} cores"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SCENARIO", help=f"which of {', '.join(SCENARIOS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for all together (default: %(default)s)")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    told = parser.parse_args()
    main(told.names or list(SCENARIOS), told.seconds, told.dry)
