"""Compares this project with the npm package, in turn: `python -m tests.bench.compare [--quick] [--only a,b64]`
prints a table of ratios.

Machines drift, so each figure is a median over rounds in which every program runs once, and what counts is the ratio.
The npm package is the one that tests/interop installs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bench.client import WORKLOADS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
UNITS = {"c": "chains/s", "d": "lists/s", "f": "cycles/s", "g": "MB/s"}


def program(name: str, role: str) -> list[str]:
    """The command of a program: `role` is server or client."""
    if name == "npm capnweb":
        return ["node", str(HERE / f"{role}.mjs")]
    return [sys.executable, "-m", f"tests.bench.{role}", *(["--uvloop"] if name.endswith("uvloop") else [])]


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(name: str) -> Iterator[int]:
    """Runs a server and gives its port."""
    port = free_port()
    command = program(name, "server")
    # The port comes first for both kinds of server.
    server = subprocess.Popen(
        [*command[: 2 if command[0] == "node" else 3], str(port), *command[3:]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if server.stdout is None or "READY" not in server.stdout.readline():
            raise RuntimeError(f"the server of {name} did not start: {' '.join(command)}")
        yield port
    finally:
        server.terminate()
        server.wait()


def figure(name: str, port: int, workload: str, seconds: float, mib: int) -> float:
    """One measurement."""
    command = [
        *program(name, "client"),
        "--port",
        str(port),
        "--wl",
        workload,
        "--dur",
        str(seconds),
        "--mib",
        str(mib),
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{ran.stderr}")
    rate: float = json.loads(ran.stdout.splitlines()[-1])["rate"]
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each workload")
    parser.add_argument("--only", default=",".join(WORKLOADS), help="workloads, separated by commas")
    options = parser.parse_args()
    rounds, seconds, mib = (1, 1.0, 32) if options.quick else (5, 3.0, 256)
    names = ["capnweb-gen", *(["capnweb-gen, uvloop"] if find_spec("uvloop") else []), "npm capnweb"]
    console = Console()
    workloads = options.only.split(",")
    figures: dict[tuple[str, str], list[float]] = {}
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(serving(name)) for name in names}
        turns = [(workload, name) for workload in workloads for _ in range(rounds) for name in names]
        for workload, name in track(turns, description="measuring", console=console, disable=not console.is_terminal):
            figures.setdefault((workload, name), []).append(figure(name, ports[name], workload, seconds, mib))
    table = Table("workload", *names, *(f"{name} : npm" for name in names[:-1]))
    for workload in workloads:
        medians = [statistics.median(figures[workload, name]) for name in names]
        shown = [f"{value:,.0f} {UNITS.get(workload, 'calls/s')}" for value in medians]
        table.add_row(workload, *shown, *(f"{value / medians[-1]:.2f}" for value in medians[:-1]))
    console.print(table)


if __name__ == "__main__":
    main()
