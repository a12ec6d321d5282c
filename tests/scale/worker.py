"""A worker, as a process of its own: `python -m tests.scale.worker URL --name APPLICATION` serves `Relay` on a free
port, and prints `serving ws://...`. Rule: it keeps nothing that the engine does not; whoever kills it loses no event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from capnweb_runtime import CallbackStub, serve
from capnweb_runtime.scale import Backplane, BackplaneUnavailable, Bounds, Cursor, Gap, Subscription, open_backplane
from tests.scale.generated.relay import RelayTarget
from tests.scale.schema.relay import Load, Told, Unavailable

PAGE_BYTES = resource.getpagesize()


class Relay(RelayTarget):
    """One for all sessions of a worker."""

    def __init__(self, backplane: Backplane) -> None:
        self.backplane = backplane
        self.followed: set[Subscription] = set()

    async def follow(self, topic: str, after: str) -> AsyncIterator[Told]:
        try:
            async with self.backplane.subscribe(topic, Cursor.parse(after) if after else None) as subscription:
                self.followed.add(subscription)
                try:
                    yield Told(str(subscription.cursor))
                    async for item in subscription:
                        if isinstance(item, Gap):
                            yield Told(str(item.cursor), gap=item.reason)
                        else:
                            yield Told(str(item.cursor), item.data.decode())
                finally:
                    self.followed.discard(subscription)
        except BackplaneUnavailable as error:
            raise Unavailable(str(error)) from error

    async def publish(self, topic: str, data: str, id: str) -> str:
        try:
            return str(await self.backplane.publish(topic, data.encode(), id=id or None))
        except BackplaneUnavailable as error:
            raise Unavailable(str(error)) from error

    async def own(self, name: str, ttl: float, act: CallbackStub[[int, float], bool]) -> None:
        while True:
            try:
                lease = await self.backplane.acquire(name, b"", ttl)
                if lease is None:
                    await asyncio.sleep(ttl / 5)
                    continue
                while True:
                    seen = time.monotonic()
                    if not lease.held or not await act(lease.fence, seen):
                        break
                    await asyncio.sleep(ttl / 10)
                    if not await lease.renew():
                        break
            except BackplaneUnavailable:
                await asyncio.sleep(ttl / 10)

    def load(self) -> Load:
        used = resource.getrusage(resource.RUSAGE_SELF)
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        waiting = [waiting_in(subscription) for subscription in self.followed]
        return Load(pages * PAGE_BYTES, used.ru_utime + used.ru_stime, len(waiting), max(waiting, default=0))


def waiting_in(subscription: Any) -> int:
    """Events that wait for a subscriber."""
    return len(subscription._queue) + len(subscription._replay)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--name", default="capnweb")
    parser.add_argument("--bounds", default="{}", help="fields of Bounds, as JSON")
    parser.add_argument("--clock-off", type=int, default=0, help="seconds by which its time of day is wrong")
    options = parser.parse_args()
    if options.clock_off:
        right = time.time
        time.time = lambda: right() + options.clock_off
    async with open_backplane(options.url, bounds=Bounds(**json.loads(options.bounds)), name=options.name) as backplane:
        relay = Relay(backplane)
        async with serve(lambda peer: relay, "127.0.0.1", 0, keepalive=None, cancel_lost=True) as server:
            print(f"serving ws://127.0.0.1:{server.port}/", flush=True)
            await server.run()


if __name__ == "__main__":
    asyncio.run(main())
