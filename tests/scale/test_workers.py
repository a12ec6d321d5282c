"""Clients of worker processes that are killed: whoever resumes on another worker has missed nothing."""

from __future__ import annotations

import asyncio
import contextlib

from capnweb_runtime.scale import Backplane, Bounds
from tests.runtime.scale.engines import Served
from tests.scale.subscriber import Record, follow
from tests.scale.workers import start, workers

EVENTS = 5_000
BOUNDS = Bounds(history_events=EVENTS, replay_events=EVENTS, queue_events=EVENTS)


async def test_a_client_of_killed_workers_is_told_everything_once(shared: Served) -> None:
    """Its worker is killed, and then the other one, which has been replaced by none: each in its turn."""
    record = Record(lambda: EVENTS)
    async with workers(shared.server.url, shared.name, 2, BOUNDS) as running, shared.open(BOUNDS) as backplane:
        using = [running[0].url]
        following = asyncio.create_task(follow(record, lambda: using, "t"))
        async with asyncio.timeout(120):
            await record.begun()
            publishing = asyncio.create_task(publish_all(backplane))
            for kill, until in ((0, EVENTS // 5), (1, EVENTS // 2)):
                await record.until(until)
                running[kill].kill()
                third = await start(shared.server.url, shared.name, BOUNDS) if kill else running[1]
                running.append(third)
                using[:] = [third.url]
            await publishing
            await record.until(EVENTS)
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
    assert record.gaps == []
    assert (record.events, record.again) == (EVENTS, 0)


async def publish_all(backplane: Backplane) -> None:
    for number in range(1, EVENTS + 1):
        await backplane.publish("t", b"%d" % number)
