"""Subscribers of a worker, for `tests.bench.scale`: `scale_client.py URL TOPIC COUNT EVENTS` opens as many sessions,
each with a subscription, prints READY, reads so many events in each, and prints how long that took.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from contextlib import AsyncExitStack

from capnweb_runtime import connect
from tests.bench.processes import allow_many_files
from tests.scale.generated.relay import RelayStub

AT_ONCE = 100
"""Sessions that are opened at a time."""


class Readers:
    """All subscribers, and when the first and the last event came."""

    def __init__(self, url: str, topic: str, events: int) -> None:
        self.url = url
        self.topic = topic
        self.events = events
        self.gaps = 0
        self.first = 0.0
        self.last = 0.0
        self.opening = asyncio.Semaphore(AT_ONCE)

    async def read(self, stack: AsyncExitStack, begun: asyncio.Barrier) -> None:
        async with self.opening:
            api = await stack.enter_async_context(connect(self.url, RelayStub, keepalive=None, open_timeout=120))
            stream = aiter(api.follow(self.topic, ""))
            await anext(stream)
        await begun.wait()
        for _ in range(self.events):
            told = await anext(stream)
            self.gaps += bool(told.gap)
            self.first = self.first or time.perf_counter()
        self.last = time.perf_counter()


async def main(url: str, topic: str, count: int, events: int) -> None:
    readers = Readers(url, topic, events)
    begun = asyncio.Barrier(count + 1)
    async with AsyncExitStack() as stack:
        reading = [asyncio.create_task(readers.read(stack, begun)) for _ in range(count)]
        await begun.wait()
        gc.collect()
        gc.freeze()
        print("READY", flush=True)
        await asyncio.gather(*reading)
        print(json.dumps({"first": readers.first, "last": readers.last, "gaps": readers.gaps}), flush=True)
        sys.stdin.readline()  # the sessions stay until what they take has been read


if __name__ == "__main__":
    allow_many_files()
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
