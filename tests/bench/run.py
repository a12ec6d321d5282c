"""The benchmarks: `python -m tests.bench.run` measures everything and writes docs/performance.md; `--quick` compares
with the npm package in under two minutes and writes nothing.

Whatever fails is noted where its figure would stand. Comparisons come last and take the time that is left, so that the
whole keeps within `--minutes`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table

from tests.bench import breakdown, cold, compile_speed, environments, growth, interpreter, render
from tests.bench.compare import Plan, available, compare
from tests.bench.contenders import ALL, CONTENDERS, OURS, REFERENCE
from tests.bench.figures import WORKLOADS, Results
from tests.bench.processes import ROOT, MeasureError, allow_many_files
from tests.bench.progress import Steps

RUNTIME = ("capnweb-gen", "orjson", "pydantic", "websockets", "aiohttp", "uvloop")
PEERS = ("grpcio", "protobuf", "pycapnp", "rpyc", "py-capnweb")
ROUNDS = 5

T = TypeVar("T")


def measure_all(options: argparse.Namespace, steps: Steps) -> dict[str, Any]:
    """Everything, as the results file has it."""
    scale: float = options.scale
    before = machine()
    contenders, absent = available(CONTENDERS, steps)
    started = cold_start(options, steps)
    nothing: list[dict[str, str]] = []
    compiled = guarded(steps, "compiling", lambda: compile_speed.measure(3 if scale >= 1 else 1, steps.say), nothing)
    stages: dict[str, breakdown.Stages] = guarded(steps, "taking calls apart", breakdown.measure, {})
    grown = growth.measure(growth.plan(scale), steps)
    plan = Plan(
        contenders=tuple(contenders),
        workloads=ALL,
        rounds=ROUNDS if scale >= 1 else 1,
        seconds=max(0.1, 1.5 * min(1.0, scale)),
        cycles=round(100_000 * scale),
        mib=max(1, round(256 * scale)),
        deadline=options.minutes * 60,
    )
    turns = compare(plan, steps)
    return {
        "run": {"scale": scale, "seconds": plan.seconds, "cycles": plan.cycles},
        "machine": before | {"Command": command(options), "Measured": measured(steps)},
        "versions": versions(),
        "absent": absent,
        "turns": rounded(turns),
        "growth": rounded(grown),
        "cold": {name: rounded(taken) for name, taken in started.items()},
        "compile": compiled,
        "breakdown": rounded(stages),
    }


def cold_start(options: argparse.Namespace, steps: Steps) -> dict[str, list[float]]:
    """How long programs take from start to first answer."""
    return guarded(steps, "starting", lambda: cold.measure(15 if options.scale >= 1 else 2, steps.say), {})


def guarded(steps: Steps, phase: str, measurement: Callable[[], T], otherwise: T) -> T:
    """What a measurement gives; something else, and a word about it, if it fails."""
    steps.phase(phase)
    try:
        return measurement()
    except (MeasureError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        steps.say(f"failed: {error}")
        return otherwise


def rounded(value: Any) -> Any:
    """The same with every number to five digits, which is more than is known."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


def machine() -> dict[str, str]:
    """What it was measured on."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text("utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    build = interpreter.probe(sys.executable)
    return {
        "Python": "unknown" if build is None else str(build),
        "Processor": f"{model}, {os.cpu_count()} cores",
        "Memory": f"{memory:.0f} GB",
        "System": f"{platform.system()} {platform.release()}",
        "Load before": f"{os.getloadavg()[0]:.2f}",
    }


def command(options: argparse.Namespace) -> str:
    """How to do the same again."""
    return "`make bench`" if options.scale == 1 else f"`python -m tests.bench.run --scale {options.scale:g}`"


def measured(steps: Steps) -> str:
    """When, and how long it took."""
    minutes = steps.elapsed / 60
    took = "under a minute" if minutes < 1 else f"{minutes:.0f} minutes"
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, in {took}"


def versions() -> dict[str, str]:
    """What ran, with versions."""
    own = environments.versions(sys.executable)
    found = {"Python": platform.python_version()}
    found |= {name: own[name] for name in RUNTIME if name in own}
    found |= {"Node": environments.node_version() or "–", "npm capnweb": environments.npm_version("capnweb") or "–"}
    found["npm ws"] = environments.npm_version("ws") or "–"
    peers = environments.versions(environments.python_of("peers"))
    found |= {name: peers[name] for name in PEERS if name in peers}
    fork = environments.versions(environments.python_of("fork"))
    if "py-capnweb" in fork:
        found["capnweb-python"] = fork["py-capnweb"]
    return found


def quick(options: argparse.Namespace, steps: Steps) -> Table:
    """A short comparison with the npm package, as a table."""
    keys = {*OURS, REFERENCE}
    plan = Plan(
        contenders=tuple(contender for contender in CONTENDERS if contender.key in keys),
        workloads=tuple(options.workloads or [workload.key for workload in WORKLOADS]),
        rounds=2,
        seconds=0.6,
        cycles=0,
        mib=64,
        deadline=100,
    )
    results = Results({"turns": compare(plan, steps)})
    table = Table("workload", "asyncio", "uvloop", "npm capnweb", ": npm", "uvloop : npm")
    for workload in WORKLOADS:
        if workload.key in plan.workloads:
            row = render.headline(results, workload)
            names = ("ours", "uvloop", "npm", "ratio", "uvloop_ratio")
            table.add_row(f"{workload.key}, {workload.unit}", *(row[name].strip("*") for name in names))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two short rounds against the npm package; writes nothing")
    parser.add_argument("--scale", type=float, default=1.0, help="below 1, everything is shorter and smaller")
    parser.add_argument("--minutes", type=float, default=18.0, help="no round is begun that would end after so many")
    parser.add_argument("--workloads", type=lambda text: text.split(","), help="with --quick: which, as in a,b64")
    options = parser.parse_args()
    allow_many_files()
    console = Console()
    with Steps(console) as steps:
        if options.quick:
            table = quick(options, steps)
            steps.close()
            console.print(table)
        else:
            data = measure_all(options, steps)
            steps.close()
            render.FOLDER.mkdir(parents=True, exist_ok=True)
            render.RESULTS.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
            for path in render.write(render.everything()):
                console.print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
