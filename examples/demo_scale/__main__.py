"""`python -m examples.demo_scale`, or `make demo-scale`: kills a worker, and shows that nobody misses anything."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from rich.text import Text

from capnweb_runtime import Connected, Reconnect, connect
from capnweb_runtime.scale import Following, follow
from capnweb_runtime.scale.schema import TopicGap
from examples.demo_scale.generated.demo_scale import BoardStub
from examples.demo_scale.schemas.demo_scale import Said
from examples.demo_scale.workers import Workers, two_workers
from examples.form.report import Report, approximately
from examples.form.running import run

CALLERS = 8
EVENTS = 400
FATAL = 150
"""The event after which the worker is killed."""
PATIENCE = 30.0
"""Seconds for all of them."""
CELL = 5
"""Events for each block of the picture."""


@dataclass
class Heard:
    """What the follower has heard.

    Attributes:
        numbers: of the events, as they came.
        by: the worker that each came from.
        gaps: how often it was told that something may be missing.
        sessions: the workers it was connected to, one after the other.
    """

    numbers: list[int] = field(default_factory=list[int])
    by: list[int] = field(default_factory=list[int])
    gaps: int = 0
    sessions: list[int] = field(default_factory=list[int])


async def demo_scale(report: Report) -> None:
    """Everything that the README claims."""
    report.section("Two workers serve the same board")
    async with two_workers() as workers:
        for line in workers.story:
            report.say(line)
        before = await serving(workers)
        report.check("workers", len(before), 2)
        heard, said = await kill_one(report, workers)
        shown(report, heard)
        judged(report, heard, said)
        report.section("Another worker has taken its place")
        after = await serving(workers)
        report.check("workers", len(after), 2)
        report.check("of them new", len(after - before), 1)
        report.check("the one that was killed is gone", heard.sessions[0] not in after)


async def serving(workers: Workers) -> set[int]:
    """The workers that there are: who connects again and again meets both."""
    found: set[int] = set()
    while len(found) < 2:
        for url in workers.urls:
            async with connect(url, BoardStub, reconnect=Reconnect(first=0.01)) as board:
                found.add(await board.worker())
    return found


async def kill_one(report: Report, workers: Workers) -> tuple[Heard, Counter[int]]:
    """Has one client follow and others call, and kills the worker that the first one is connected to."""
    report.section(f"{CALLERS} clients say {EVENTS} things, and one client follows")
    heard = Heard()

    async def connected(board: BoardStub, info: Connected) -> None:
        heard.sessions.append(await board.worker())

    policy = Reconnect(first=0.01, on_connect=connected)
    async with connect(workers.urls, BoardStub, reconnect=policy) as board, follow(board.events()) as events:
        calling = [asyncio.create_task(call(workers, range(caller, EVENTS, CALLERS))) for caller in range(CALLERS)]
        report.say(f"after {FATAL} events the worker of the one who follows is killed: {workers.killing}")
        with suppress(TimeoutError):  # what is missing then, is told
            async with asyncio.timeout(PATIENCE):
                await listen(workers, events, heard)
        said = sum(await asyncio.gather(*calling), Counter[int]())
    return heard, said


async def listen(workers: Workers, events: Following[Said], heard: Heard) -> None:
    """Hears everything that is said, and kills the worker that it comes from."""
    async for item in events:
        if isinstance(item, TopicGap):
            heard.gaps += 1
            continue
        heard.numbers.append(item.data.number)
        heard.by.append(heard.sessions[-1])
        if len(heard.numbers) == FATAL:
            await workers.kill(heard.sessions[-1])
        if len(heard.numbers) == EVENTS:
            return


async def call(workers: Workers, numbers: range) -> Counter[int]:
    """Says one thing after the other, whoever dies meanwhile; how many things each worker has taken."""
    async with connect(workers.urls, BoardStub, reconnect=Reconnect(first=0.01)) as board:
        return Counter([await board.say(number) for number in numbers])


def shown(report: Report, heard: Heard) -> None:
    """A picture of what came from whom, for those who have colours."""
    if not report.console.is_terminal:
        return
    of_first, of_others = Text("■", "red"), Text("□", "green")
    cells = [of_first if worker == heard.sessions[0] else of_others for worker in heard.by[::CELL]]
    report.console.print(Text.assemble("  ", *cells))
    legend = Text.assemble(
        f"  each is {CELL} events: ", of_first, " by the worker that is killed, ", of_others, " by another"
    )
    report.console.print(legend)


def judged(report: Report, heard: Heard, said: Counter[int]) -> None:
    counts = Counter(heard.numbers)
    killed = heard.by.count(heard.sessions[0])
    report.say(
        f"events by the worker that was killed: {approximately(killed)}, by others: {approximately(EVENTS - killed)}"
    )
    report.check("calls that were answered", said.total(), EVENTS)
    report.check("different things that the client has heard", len(counts), EVENTS)
    report.check("of them more than once", sum(number > 1 for number in counts.values()), 0)
    report.check("gaps", heard.gaps, 0)
    report.check("each caller's in the order in which they were said", all(map(in_order, _by_caller(heard))))
    report.check("workers that it was connected to, one after the other", len(heard.sessions) >= 2)


def _by_caller(heard: Heard) -> list[list[int]]:
    return [[number for number in heard.numbers if number % CALLERS == caller] for caller in range(CALLERS)]


def in_order(numbers: list[int]) -> bool:
    """Whether they only grow."""
    return numbers == sorted(numbers)


if __name__ == "__main__":
    run("demo_scale", demo_scale)
