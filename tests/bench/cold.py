"""How long a program takes from its start to its first answer: `python -m tests.bench.cold [--repeats N]`.

Programs take turns, since machines drift. Each is measured from its spawn until it has printed one line: what a server
answered, or for the floors, which call nothing, that what they import is there. All clients ask the same server.
Bytecode is cached, as it is for what pip installed, in a folder of its own; one run of each that does not count fills
it. Without Node, or the npm package that tests/interop installs, only the programs in Python run.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

FLOOR = "import asyncio, orjson; print(flush=True)"
# The schema is what an application would write without any RPC: its models, and Protocols, which cost next to nothing.
MODELS_FLOOR = "import asyncio, orjson, tests.bench.schema.api; print(flush=True)"
PROGRAMS: dict[str, list[str]] = {
    "bare Python with asyncio and orjson": [sys.executable, "-c", FLOOR],
    "the same with the schema's pydantic models": [sys.executable, "-c", MODELS_FLOOR],
    "capnweb-gen, no models": [sys.executable, str(HERE / "cold_plain.py")],
    "capnweb-gen, dataclass models": [sys.executable, str(HERE / "cold_records.py")],
    "capnweb-gen, pydantic models": [sys.executable, str(HERE / "cold_models.py")],
    "bare Node": ["node", "-e", "console.log()"],
    "npm capnweb": ["node", str(HERE / "cold.mjs")],
}


def programs() -> dict[str, list[str]]:
    """The programs that can run here."""
    node = shutil.which("node") is not None and (HERE.parent / "interop/node_modules/capnweb").exists()
    return {name: command for name, command in PROGRAMS.items() if node or command[0] != "node"}


@contextlib.contextmanager
def serving(environment: dict[str, str]) -> Iterator[int]:
    """Runs the measured interface's server and gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.bench.server", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            if server.stdout is None or "READY" not in server.stdout.readline():
                raise RuntimeError(f"the server did not start: {' '.join(command)}")
            yield port
        finally:
            server.terminate()


def milliseconds(command: list[str], environment: dict[str, str]) -> float:
    """From the spawn of a program to the end of its first line."""
    begin = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as program:
        line = program.stdout.readline() if program.stdout is not None else b""
        taken = (time.perf_counter() - begin) * 1e3
    if program.returncode or not line:
        raise RuntimeError(f"{' '.join(command)} failed with status {program.returncode}")
    return taken


def measure(repeats: int, report: Callable[[str], None]) -> dict[str, list[float]]:
    """Runs every program as many times, in turn.

    Parameters:
        repeats: runs of each program that count.
        report: is told what is being done.

    Returns:
        Milliseconds from spawn to first line by the program's name, in the order of the runs.
    """
    commands = programs()
    times: dict[str, list[float]] = {name: [] for name in commands}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryDirectory() as bytecode:
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": bytecode}
        with serving(environment) as port:
            for turn in range(repeats + 1):
                report(f"starting each program, {turn} of {repeats}" if turn else "filling the cache of bytecode")
                for name, command in commands.items():
                    taken = milliseconds([*command, str(port)], environment)
                    if turn:
                        times[name].append(taken)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20, help="runs of each program")
    options = parser.parse_args()
    console = Console()
    with console.status("starting") as status:
        times = measure(options.repeats, status.update)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    npm = medians.get("npm capnweb")
    table = Table("program", "median (ms)", "least (ms)", ": npm")
    for name, taken in times.items():
        ratio = f"{medians[name] / npm:.2f}" if npm else ""
        table.add_row(name, f"{medians[name]:.1f}", f"{min(taken):.1f}", ratio)
    console.print(table)


if __name__ == "__main__":
    main()
