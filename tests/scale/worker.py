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
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from capnweb_runtime import CallbackStub, Interceptor, serve
from capnweb_runtime.scale import (
    Backplane,
    BackplaneUnavailable,
    Bounds,
    Cursor,
    Gap,
    Presence,
    Subscription,
    open_backplane,
)
from capnweb_runtime.scale.rate_limits import RateLimit, RateLimits
from tests.scale.generated.relay import RelayTarget
from tests.scale.schema.relay import Load, Told, Unavailable

PAGE_BYTES = resource.getpagesize()


class Relay(RelayTarget):
    """One for all sessions of a worker."""

    def __init__(self, backplane: Backplane, presence: Presence | None = None) -> None:
        self.backplane = backplane
        self._presence = presence
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

    @property
    def presence(self) -> Presence:
        assert self._presence is not None, "start it with --presence-ttl"
        return self._presence

    async def attend(self, room: str, member: str) -> AsyncIterator[bool]:
        try:
            membership = await self.presence.join(room, member)
        except BackplaneUnavailable as error:
            raise Unavailable(str(error)) from error
        try:
            yield True
            await asyncio.Event().wait()
        finally:
            membership.lose()

    async def members(self, room: str) -> list[str]:
        try:
            return [*await self.presence.members(room)]
        except BackplaneUnavailable as error:
            raise Unavailable(str(error)) from error

    def pass_by(self) -> None:
        """It has been let in."""

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
    parser.add_argument("--presence-ttl", type=float, help="seconds; with it, there is presence")
    parser.add_argument("--rate", help="how often `pass_by` may be called, by all at all workers together")
    options = parser.parse_args()
    if options.clock_off:
        right = time.time
        time.time = lambda: right() + options.clock_off
    async with AsyncExitStack() as held:
        bounds = Bounds(**json.loads(options.bounds))
        backplane = await held.enter_async_context(open_backplane(options.url, bounds=bounds, name=options.name))
        presence = None
        if options.presence_ttl:
            presence = Presence(backplane, ttl=options.presence_ttl, every=options.presence_ttl / 4)
            await held.enter_async_context(presence)
        interceptors: list[Interceptor] = []
        if options.rate:
            interceptors.append(await held.enter_async_context(limits(options)))
        relay = Relay(backplane, presence)
        serving = serve(lambda peer: relay, "127.0.0.1", 0, keepalive=None, cancel_lost=True, interceptors=interceptors)
        server = await held.enter_async_context(serving)
        print(f"serving ws://127.0.0.1:{server.port}/", flush=True)
        await server.run()


def limits(options: argparse.Namespace) -> RateLimits:
    """One count for everybody, which is not let in either while nobody can count."""
    rule = RateLimit(options.rate, methods=["Relay.pass_by"], per=(), unavailable="refuse")
    return RateLimits([rule], options.url, name=options.name)


if __name__ == "__main__":
    asyncio.run(main())
