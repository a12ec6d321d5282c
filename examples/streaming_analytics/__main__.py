"""`python -m examples.streaming_analytics`: a server of its own, many streams at a time, slow readers, and bad rows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

from capnweb_runtime import AnyStub, connect
from examples.form.processes import started
from examples.form.report import Report, approximately
from examples.form.running import run
from examples.streaming_analytics.client import Source, made_up, windows_of
from examples.streaming_analytics.directly import directly
from examples.streaming_analytics.generated.analytics import AnalyticsStub
from examples.streaming_analytics.schemas.analytics import ImpossibleWindows, Row, Spec
from examples.streaming_analytics.unread import slow_consumer, slow_watcher

TUMBLING = Spec(size=1000, step=1000, lateness=200)
SLIDING = Spec(size=1000, step=100, lateness=200)
STREAMS = 8
ROWS = 2000  # in each
COUNTS = {"tumbling": 36, "sliding": 372}  # of windows with rows in them


async def analytics(report: Report) -> None:
    """Everything that the README claims."""
    async with started("examples.streaming_analytics.server", "--port", "0") as server:
        await side_by_side(report, server.url)
        await throughput(report, server.url)
        await late(report, server.url)
        await refusals(report, server.url)
    await slow_consumer(report)
    await slow_watcher(report)


async def side_by_side(report: Report, url: str) -> None:
    """Streams in and streams out, all at the same time."""
    report.section(f"{STREAMS} streams in and {STREAMS} streams out, at the same time on one session")
    rows = [list(islice(made_up(seed, disorder=200), ROWS)) for seed in range(STREAMS)]
    specs = [TUMBLING, SLIDING] * (STREAMS // 2)
    async with connect(url, AnalyticsStub) as api:
        calls = (windows_of(api, Source(each, chunk=50), spec) for each, spec in zip(rows, specs, strict=True))
        found = await asyncio.gather(*calls)
    for name, first in (("tumbling", 0), ("sliding", 1)):
        report.check(f"{name} windows", sum(len(windows) for windows, _ in found[first::2]), COUNTS[name])
        exact = all(found[at][0] == directly(rows[at], specs[at]) for at in range(first, STREAMS, 2))
        report.check(f"{name} windows are those of a direct computation, all of them", exact)
    report.check("rows that were late, of those that came out of order", sum(missed for _, missed in found), 0)


async def throughput(report: Report, url: str) -> None:
    """How fast rows go in and windows come out, and what chunks do for that."""
    report.section("Rows in chunks")
    for chunk, count in ((1, 1000), (10, 10_000), (1000, 50_000)):
        rows = list(islice(made_up(1), count))
        async with connect(url, AnalyticsStub) as api:
            begun = time.perf_counter()
            windows, _ = await windows_of(api, Source(rows, chunk), TUMBLING)
            taken = time.perf_counter() - begun
        report.check(
            f"rows in windows, of {count:,} in chunks of {chunk:,}", sum(each.count for each in windows), count
        )
        report.say(f"{approximately(count / taken, 'rows/s')}, each of them validated")


async def late(report: Report, url: str) -> None:
    """A row that comes when its window has closed."""
    report.section("A row that comes too late")
    rows = [Row(10, "ada", 1), Row(2500, "ada", 1), Row(20, "ada", 1), Row(2600, "ada", 1)]
    async with connect(url, AnalyticsStub) as api:
        windows, missed = await windows_of(api, Source(rows, chunk=1), TUMBLING)
    report.check("rows that were late", missed, 1)
    report.check("rows in windows", [each.count for each in windows], [1, 2])


async def refusals(report: Report, url: str) -> None:
    """What malformed rows and impossible windows get."""
    report.section("What bad input gets")
    good = {"at": 1, "key": "ada", "value": 5}
    for name, bad in (("a text", "seven"), ("a number beyond the schema", 10**10)):
        rows = Unchecked([good, {**good, "at": 5000}], [good, {**good, "value": bad}])
        async with connect(url, AnyStub) as untyped, connect(url, AnalyticsStub) as api:
            closing = await untyped.call("analyze", rows, TUMBLING.model_dump())
            first = await anext(closing)
            report.check("rows in the window that closed before", [each["count"] for each in first["windows"]], [1])
            rows.go_on.set()
            wrong = await report.refused(f"{name} for a value, in the second chunk", anext(closing), TypeError)
            report.say(str(wrong))
            await rows.stopped.wait()
            report.say("The source, which would go on for ever, has been stopped.")
            windows, _ = await windows_of(api, Source(islice(made_up(1), 3)), TUMBLING)
            report.check("rows of another stream, which goes on", sum(each.count for each in windows), 3)
    async with connect(url, AnalyticsStub) as api:
        impossible = anext(await api.analyze(Source([]), Spec(size=1000, step=300)))
        why = await report.refused("windows whose size is no multiple of their step", impossible, ImpossibleWindows)
        report.say(str(why))


class Unchecked:
    """Chunks of a client that checks nothing.

    Parameters:
        good: the first chunk, and all from the third on, for ever.
        bad: the second, which is sent once somebody says so: an error overtakes what has not been read.

    Attributes:
        go_on: set to have the second chunk sent.
        stopped: set once nobody wants any more.
    """

    def __init__(self, good: list[Any], bad: list[Any]) -> None:
        self._good = good
        self._bad = bad
        self.go_on = asyncio.Event()
        self.stopped = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[list[Any]]:
        try:
            yield self._good
            await self.go_on.wait()
            yield self._bad
            while True:
                yield self._good
        finally:
            self.stopped.set()


if __name__ == "__main__":
    run("streaming_analytics", analytics)
