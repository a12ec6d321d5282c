"""The one connection on which a process reads all topics that it follows in Redis. Rule: after each doubt (a lost
connection, or just time) the topics' positions are asked for, before anything else is read.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from capnweb_runtime.observe import logger
from capnweb_runtime.scale.contract import Cursor, Event
from capnweb_runtime.scale.feed import Feed
from capnweb_runtime.scale.hub import Engine
from capnweb_runtime.scale.waiting import pause

BLOCK: Final = 5.0
"""Seconds for which Redis is asked to wait for something new."""
_CHECK: Final = 30.0
"""Seconds after which positions are asked for without a reason."""
_COUNT: Final = 64
"""Events of each topic that are read at a time."""


class RedisReader:
    """See above.

    Parameters:
        redis: a client for this alone; its socket has more patience than `BLOCK`.
        commands: one for other commands.
        engine: who tells positions.
        key: gives the key of a topic's stream.
        chance: a number from 0 to 1.
    """

    def __init__(
        self, redis: Redis, commands: Redis, engine: Engine, key: Callable[[str], str], chance: Callable[[], float]
    ) -> None:
        self._redis = redis
        self._commands = commands
        self._engine = engine
        self._key = key
        self._chance = chance
        self._feeds: dict[str, Feed] = {}
        self._wake = f"{key('')}:wake:{secrets.token_hex(8)}"
        self._woken = "0-0"
        self._checked = time.monotonic()
        self._closed = False
        self._task: asyncio.Task[None] | None = None

    async def add(self, feed: Feed) -> None:
        """Follow a topic. What waits in Redis is woken by an entry in a stream of this reader's own: unlike any command
        that unblocks, that is seen also by one who was just about to wait.
        """
        self._feeds[self._key(feed.topic)] = feed
        if self._task is None:
            self._task = asyncio.create_task(self._read_on(), name="capnweb backplane reader")
        with contextlib.suppress(OutOfMemoryError):  # who reads a full one is heard when the wait has ended
            await self._commands.xadd(self._wake, {"w": ""}, maxlen=1, approximate=False)
            await self._commands.expire(self._wake, 3600)

    def remove(self, feed: Feed) -> None:
        """Follow it no longer. It is still among what is waited for at this moment, and then no more."""
        if self._feeds.get(self._key(feed.topic)) is feed:
            del self._feeds[self._key(feed.topic)]

    async def close(self) -> None:
        """End."""
        self._closed = True
        if self._task is not None:
            await self._redis.connection_pool.disconnect(inuse_connections=True)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._redis.aclose()

    async def _read_on(self) -> None:
        failed = 0
        while not self._closed:  # the client may swallow a cancellation that comes together with an answer
            try:
                if failed or time.monotonic() - self._checked > _CHECK:
                    await self._check()
                await self._read()
                failed = 0
            except Exception as error:  # whatever it is: a reader that ended would be silence
                failed += 1
                if failed == 1 and not self._closed:
                    logger.warning("the backplane's connection to Redis was lost (%s); connecting again", error)
                await asyncio.sleep(pause(failed, self._chance))

    async def _check(self) -> None:
        for feed in [*self._feeds.values()]:
            seen = feed.at
            feed.judge((await self._engine.page(feed.topic, None, 0)).top, seen)
        self._checked = time.monotonic()

    async def _read(self) -> None:
        behind: dict[Any, Any] = {key: f"{feed.at.epoch}-{feed.at.offset}" for key, feed in self._feeds.items()}
        streams: Any = await self._redis.xread(
            {self._wake: self._woken, **behind}, count=_COUNT, block=int(BLOCK * 1000)
        )
        for name, entries in streams or ():
            key = name.decode()
            if key == self._wake:
                self._woken = entries[-1][0].decode()
            elif (feed := self._feeds.get(key)) is not None:
                for event in events_of(entries):
                    feed.take(event)


def events_of(entries: Any) -> list[Event]:
    """Events, of a stream's entries as the client or a script gives them."""
    events = []
    for id, fields in entries:
        epoch, _, offset = id.decode().partition("-")
        data = fields[b"d"] if isinstance(fields, dict) else fields[fields.index(b"d") + 1]
        events.append(Event(Cursor(epoch, int(offset)), data, int(offset) - 1))
    return events
