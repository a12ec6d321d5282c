"""What plans save, and what they cost: `python -m tests.bench.plans` measures it in under a minute, writes
docs/performance/plans.json, and docs/performance.md anew.

Rule: what is compared has its turn in each round, so that what else the machine does is in all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from rich.console import Console

from capnweb_runtime import connect
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.plans import lt, not_, plan, repeat
from capnweb_runtime.transports.memory import join
from tests.bench import batched, render
from tests.bench.plans_target import Pages, PagesStub, call_by_call, in_a_plan
from tests.bench.processes import PYTHON, ROOT, Server
from tests.bench.progress import Steps
from tests.bench.run import machine, measured

LINES = 0.001, 0.020, 0.100
"""Round trips of the lines, in seconds."""
TURNS = 500
"""Of a loop that is measured."""

Figures = dict[str, float]


async def paginated(round_trip: float, rounds: int) -> Figures:
    """Milliseconds and round trips of the pages in a plan and call by call, over a line with such a round trip."""
    line = [*PYTHON, "tests.bench.delay", "{port}"]
    target = Server([*PYTHON, "tests.bench.plans_target", "{port}"])
    with target, Server([*line, str(target.port), str(round_trip)]) as slow:
        session = connect(f"ws://127.0.0.1:{slow.port}/", PagesStub)
        async with session as pages:
            ways = {"plan": in_a_plan, "calls": call_by_call}
            figures: Figures = {"round_trip": round_trip}
            for name, way in ways.items():
                before = session.stats().round_trips
                await way(pages)
                figures[f"{name}_trips"] = session.stats().round_trips - before
            taken = await in_turns({name: partial(way, pages) for name, way in ways.items()}, rounds)
    return figures | {name: statistics.median(seconds) * 1e3 for name, seconds in taken.items()}


async def in_turns(ways: Mapping[str, Callable[[], Awaitable[Any]]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way in each round."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            await way()
            taken[name].append(time.perf_counter() - began)
    return taken


async def stepped(rounds: int) -> Figures:
    """Microseconds of a turn of a loop, of one with a call in it, and of calls that are made directly; both ends are in
    this process, without a socket.
    """
    server, client = Connection(Pages(), plans=True), Connection()
    join(client, server)
    pages = client.main(PagesStub)

    async def empty() -> None:
        await plan(pages, lambda p: repeat(p.first(), lambda n: not_(lt(5, n)), lambda n: n, at_most=TURNS))

    async def calling() -> None:
        await plan(pages, lambda p: repeat(p.first(), lambda n: lt(n, TURNS), lambda n: p.plain(n), at_most=TURNS))

    async def one_by_one() -> None:
        for number in range(TURNS):
            await pages.plain(number)

    async def together() -> None:
        await asyncio.gather(*[pages.plain(number) for number in range(TURNS)])

    ways = {"empty_turn": empty, "calling_turn": calling, "call": one_by_one, "call_together": together}
    await in_turns(ways, 2)
    gc.collect()
    gc.freeze()
    taken = await in_turns(ways, rounds)
    pages.dispose()
    await client.wait_closed()
    return {name: statistics.median(seconds) / TURNS * 1e6 for name, seconds in taken.items()}


def measure(rounds: int, steps: Steps) -> dict[str, Any]:
    """All figures."""
    steps.phase("plans", len(LINES) + 2)
    pagination = []
    for round_trip in LINES:
        steps.step(f"pages over a line of {round_trip * 1e3:g} ms")
        pagination.append(asyncio.run(paginated(round_trip, rounds)))
    steps.step("steps of loops, and calls")
    per_step = asyncio.run(stepped(3 * rounds))
    steps.step("rows of a database")
    rows = asyncio.run(batched.measure(100, 10, rounds))
    return {"pagination": pagination, "steps": per_step, "batched": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    console = Console()
    with Steps(console) as steps:
        before = machine()
        found = measure(options.rounds, steps)
        data = {"run": {"rounds": options.rounds}, "machine": before | {"Measured": measured(steps)}, **found}
        steps.close()
    render.PLANS.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    for path in render.write(render.everything()):
        console.print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
