"""`python -m examples [NAME ...]`: runs the examples one after the other, and ends with a table of what was checked.

On a terminal a bar shows how far it is; in a pipe there is a line for each. The exit code is 1 if one failed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from examples.form.headers import ROOT, Header, header, headers
from examples.form.report import plain_console

SECONDS = 120
"""How long one may take before it is ended."""


@dataclass(frozen=True)
class Done:
    """What came of one example.

    Attributes:
        example: which.
        seconds: how long it took.
        said: its last line; all that it printed, if it failed.
        failed: whether it did.
    """

    example: Header
    seconds: float
    said: str
    failed: bool


def run(example: Header) -> Done:
    """Run one example as a user does."""
    began = time.monotonic()
    command = [sys.executable, "-m", example.module]
    try:
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return Done(example, time.monotonic() - began, f"did not end within {SECONDS} seconds", True)
    took = time.monotonic() - began
    if ended.returncode:
        return Done(example, took, ended.stdout + ended.stderr, True)
    return Done(example, took, ended.stdout.rstrip("\n").rsplit("\n", 1)[-1], False)


def run_all(examples: list[Header], console: Console) -> list[Done]:
    """Run examples one after the other, and show how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    done: list[Done] = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(examples))
        for example in examples:
            progress.update(task, description=example.name)
            one = run(example)
            done.append(one)
            progress.advance(task)
            console.print(f"{'failed' if one.failed else 'ok':6} {example.name} ({one.seconds:.1f} s)")
            if one.failed:
                console.print(one.said)
    return done


def table(done: list[Done]) -> Table:
    """What was checked, one row for each example."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("example", "what came of it", "seconds"):
        made.add_column(name, justify="right" if name == "seconds" else "left")
    for one in done:
        came = "[red]failed[/]" if one.failed else one.said.partition(": ")[2]
        made.add_row(one.example.name, came, f"{one.seconds:.1f}")
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which examples (default: all)")
    wanted = [header(name) for name in parser.parse_args().names] or headers()
    screen = plain_console()
    outcome = run_all(wanted, screen)
    screen.print(table(outcome))
    sys.exit(any(one.failed for one in outcome))
