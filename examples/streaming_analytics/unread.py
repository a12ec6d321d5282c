"""What becomes of streams that nobody reads. Both ends are in this process, where it can be seen that nothing moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from itertools import islice

from capnweb_runtime.testing import Faults, Pair, pair
from examples.form.report import Report, approximately
from examples.streaming_analytics.client import Source, made_up
from examples.streaming_analytics.directly import directly
from examples.streaming_analytics.generated.analytics import AnalyticsStub
from examples.streaming_analytics.hub import BOUND, Hub
from examples.streaming_analytics.schemas.analytics import Closed, Row, Spec, Window
from examples.streaming_analytics.server import Analytics

EACH = Spec(size=1, step=1)  # as many windows as there are rows, about
PUBLISHED = 1000


class Endless(Source):
    """A source that only stops when it is told to.

    Attributes:
        stopped: whether it was.
    """

    stopped = False

    async def __aiter__(self) -> AsyncIterator[list[Row]]:
        try:
            async for rows in super().__aiter__():
                yield rows
        finally:
            self.stopped = True


async def still(faults: Faults, count: Callable[[], int]) -> int:
    """Let everything happen that can, until a count does not change any more. Returns it."""
    before = -1
    while (now := count()) != before:
        before = now
        await faults.clock.advance(0)
    return now


async def slow_consumer(report: Report) -> None:
    """A stream whose windows are not read, and then are."""
    report.section("A slow consumer of its own stream slows down its source")
    faults, source = Faults(), Endless(made_up(1), chunk=100)
    joined = pair(Analytics(Hub()), AnalyticsStub, faults=faults, no_leaks=True)
    async with joined as api, aclosing(await api.analyze(source, EACH)) as closing:
        sent = await still(faults, lambda: source.sent)
        report.at_most("rows that an endless source gets rid of while nothing is read", sent, 200_000)
        report.check("bytes that wait to be sent, at the server and at the client", queued(joined), (0, 0))
        windows: list[Window] = []
        async for closed in closing:
            windows += closed.windows
            if len(windows) > sent:
                break
        report.check("it goes on when they are read", source.sent > sent)
        await closing.aclose()
        await still(faults, lambda: source.sent)
        report.check("it is stopped when they are wanted no more", source.stopped)
        same = directly(list(islice(made_up(1), 2 * source.sent)), EACH)[: len(windows)]
        report.check("windows that were read are exact", windows == same)


def queued(joined: Pair[AnalyticsStub]) -> tuple[int, int]:
    """Bytes that wait at the server, and at the client."""
    return joined.server.queued_bytes, joined.client.queued_bytes


async def slow_watcher(report: Report) -> None:
    """Somebody who watches and does not read."""
    report.section("A slow watcher of what all share is told what it has missed")
    faults, hub = Faults(), Hub()
    async with pair(Analytics(hub), AnalyticsStub, faults=faults) as api, await api.watch() as watched:
        await faults.clock.advance(0)
        (watcher,) = hub.watchers
        for start in range(PUBLISHED):
            hub.publish(Closed(windows=[Window(start, start + 1, f"key {number}", 1, 1, 1, 1) for number in range(10)]))
            await faults.clock.advance(0)
        report.check("chunks that have waited for it at most", watcher.most, BOUND)
        report.say(f"{approximately(watcher.skipped)} of {PUBLISHED:,} chunks were left out")
        read = left_out = 0
        async for closed in watched:
            read += 1
            left_out += closed.skipped
            if closed.windows[0].start == PUBLISHED - 1:
                break
        report.check("chunks that it has read, and chunks that it was told were left out", read + left_out, PUBLISHED)
        report.check("as many as were left out", left_out == watcher.skipped)
    report.check("who watches once it has gone", len(hub.watchers), 0)
