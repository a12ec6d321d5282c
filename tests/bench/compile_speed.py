"""How long compiling takes, and importing what comes of it: `python -m tests.bench.compile_speed [--quick]`.

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
from pathlib import Path

from rich.console import Console
from rich.table import Table

BEGINNING = "from typing import Protocol\n\nfrom pydantic import BaseModel\n\n\nclass Item(BaseModel):\n    id: int\n"


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


def seconds(command: list[str], folder: Path, rounds: int) -> float:
    """The median time of a program, by the clock."""
    times: list[float] = []
    for _ in range(rounds):
        begin = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one run of each")
    rounds = 1 if parser.parse_args().quick else 5
    table = Table("schema", "lines generated", "compile (s)", "check (s)", "import (s)")
    python = [sys.executable, "-c"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bench_schemas").mkdir()
        (folder / "bench_schemas/__init__.py").touch()
        idle = seconds([*python, "import capnweb_gen.cli"], folder, rounds)
        runtime = seconds([*python, "import capnweb_runtime.codegen_api, pydantic.main"], folder, rounds)
        table.add_row("nothing", "", f"{idle:.2f}", f"{idle:.2f}", f"{runtime:.2f}")
        for interfaces, methods in ((1, 10), (100, 1), (100, 10), (1, 1000)):
            (folder / "bench_schemas/api.py").write_text(schema(interfaces, methods), "utf-8")
            generate = [sys.executable, "-m", "capnweb_gen.cli", "bench_schemas", "--out", "made"]
            check = [*generate[:3], "check", *generate[3:]]
            row = [seconds(generate, folder, rounds), seconds(check, folder, rounds)]
            row.append(seconds([*python, "import made.api"], folder, rounds))
            lines = len((folder / "made/api.py").read_text("utf-8").splitlines())
            title = f"{interfaces} interfaces, {interfaces * methods} methods"
            table.add_row(title, str(lines), *(f"{value:.2f}" for value in row))
    Console().print(table)


if __name__ == "__main__":
    main()
