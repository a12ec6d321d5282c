"""How long compiling takes, and importing what comes of it: `python -m tests.bench.compile_speed [--quick]`.

The largest schema of many interfaces is compiled to TypeScript as well, and its like is read from TypeScript.

Each figure is the median of several runs, each in a process of its own; beside it stands what the same process takes
without the work.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.processes import environment

BEGINNING = "from typing import Protocol\n\nfrom pydantic import BaseModel\n\n\nclass Item(BaseModel):\n    id: int\n"
SHAPES = ((1, 10), (100, 1), (100, 10), (1, 1000))  # interfaces, and methods of each
TYPESCRIPT = (100, 10)
READ = [sys.executable, "-m", "capnweb_gen.cli", "from-typescript", "read.ts", "--out", "read", "--quiet"]
_LIMIT = 120.0


def schema(interfaces: int, methods: int) -> str:
    """A schema with as many interfaces, and in each as many methods."""
    text = BEGINNING
    for interface in range(interfaces):
        text += f'\n\nclass Api{interface}(Protocol):\n    """Interface {interface}."""\n'
        for method in range(methods):
            text += (
                f'\n    async def method_{method}(self, item: Item, limit: int = 10) -> list[Item]:\n        """M."""\n'
            )
    return text


def declarations(interfaces: int, methods: int) -> str:
    """The same in TypeScript."""
    text = "export interface Item {\n  id: number;\n}\n"
    for interface in range(interfaces):
        text += f"\n/** Interface {interface}. */\nexport interface Api{interface} extends RpcTarget {{\n"
        for method in range(methods):
            text += f"  /** M. */\n  method{method}(item: Item, limit?: number): Promise<Item[]>;\n"
        text += "}\n"
    return text


def measure(rounds: int, report: Callable[[str], None]) -> list[dict[str, str]]:
    """Compiles schemas of several shapes.

    Parameters:
        rounds: runs of each program; the median counts.
        report: is told what is being done.

    Returns:
        A row for what the processes take without the work, one for each shape, one for TypeScript, and one for reading
        it: "schema", "lines", and in seconds "compile", "check" and "import", which are empty where there is nothing to
        check or to import.
    """
    python = [sys.executable, "-c"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def seconds(*command: str) -> str:
            return f"{_seconds(list(command), folder, rounds):.2f}"

        (folder / "bench_schemas").mkdir()
        (folder / "bench_schemas/__init__.py").touch()
        report("nothing")
        idle = seconds(*python, "import capnweb_gen.cli")
        runtime = seconds(*python, "import capnweb_runtime.codegen_api, pydantic.main")
        rows = [{"schema": "nothing", "lines": "", "compile": idle, "check": idle, "import": runtime}]
        for interfaces, methods in SHAPES:
            title = f"{interfaces} interfaces, {interfaces * methods} methods"
            report(title)
            (folder / "bench_schemas/api.py").write_text(schema(interfaces, methods), "utf-8")
            compiled, checked = (seconds(*command) for command in _commands("python"))
            imported = seconds(*python, "import made.api")
            rows.append(_row(title, folder / "made/api.py", compiled, checked, imported))
        report("TypeScript")
        (folder / "bench_schemas/api.py").write_text(schema(*TYPESCRIPT), "utf-8")
        compiled, checked = (seconds(*command) for command in _commands("typescript"))
        title = f"{TYPESCRIPT[0]} interfaces, {TYPESCRIPT[0] * TYPESCRIPT[1]} methods, to TypeScript"
        rows.append(_row(title, folder / "made/api.ts", compiled, checked, ""))
        report("from TypeScript")
        (folder / "read.ts").write_text(declarations(*TYPESCRIPT), "utf-8")
        read = seconds(*READ)
        title = f"{TYPESCRIPT[0]} interfaces, {TYPESCRIPT[0] * TYPESCRIPT[1]} methods, from TypeScript"
        rows.append(_row(title, folder / "read/read.py", read, "", ""))
    return rows


def _commands(backend: str) -> list[list[str]]:
    """What compiles, and what checks."""
    generate = [sys.executable, "-m", "capnweb_gen.cli"]
    options = ["bench_schemas", "--out", "made", "--backend", backend]
    return [[*generate, *options], [*generate, "check", *options]]


def _row(title: str, made: Path, compiled: str, checked: str, imported: str) -> dict[str, str]:
    lines = str(len(made.read_text("utf-8").splitlines()))
    return {"schema": title, "lines": lines, "compile": compiled, "check": checked, "import": imported}


def _seconds(command: list[str], folder: Path, rounds: int) -> float:
    """The median time of a program, by the clock."""
    times: list[float] = []
    for _ in range(rounds):
        begin = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True, timeout=_LIMIT)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each")
    rounds = 1 if parser.parse_args().quick else 5
    console = Console()
    with console.status("compiling") as status:
        rows = measure(rounds, status.update)
    table = Table("schema", "lines generated", "compile (s)", "check (s)", "import (s)")
    for row in rows:
        table.add_row(*row.values())
    console.print(table)


if __name__ == "__main__":
    main()
