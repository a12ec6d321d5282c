"""What a process reads of NATS: each topic that it follows, as it is published. Rule: live messages are believed where
they follow on what was read; wherever they do not, the topic is read from its stream.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error

from capnweb_runtime.observe import logger
from capnweb_runtime.scale.contract import Cursor
from capnweb_runtime.scale.feed import Feed
from capnweb_runtime.scale.hub import Engine
from capnweb_runtime.scale.nats_streams import NatsStreams, step_of, token_of
from capnweb_runtime.scale.waiting import pause

_CHECK: Final = 30.0
"""Seconds after which topics are read without a reason."""
_COUNT: Final = 64


class _Followed:
    """A feed, and what of it is to be done."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.subscription: Subscription | None = None
        self.in_doubt = True  # until it has been read once: what was published before the subscription is in the stream


class NatsReader:
    """See above.

    Parameters:
        client: one that is connected, and tells `doubt` when it is not.
        streams: what is read.
        engine: reads pages.
        chance: a number from 0 to 1.
    """

    def __init__(self, client: Client, streams: NatsStreams, engine: Engine, chance: Callable[[], float]) -> None:
        self._client = client
        self._streams = streams
        self._engine = engine
        self._chance = chance
        self._followed: dict[str, _Followed] = {}
        self._doubt = asyncio.Event()
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()

    async def add(self, feed: Feed) -> None:
        """Follow a topic."""
        followed = self._followed[feed.topic] = _Followed(feed)

        async def take(message: Msg) -> None:
            self._take(followed, message)

        followed.subscription = await self._client.subscribe(self._streams.live(token_of(feed.topic)), cb=take)
        await self._streams.answer(self._client.flush())
        if self._followed.get(feed.topic) is not followed:  # removed meanwhile, when there was nothing to end yet
            await followed.subscription.unsubscribe()
            return
        if self._task is None:
            self._task = asyncio.create_task(self._read_on(), name="capnweb backplane reader")
        self._doubt.set()

    def remove(self, feed: Feed) -> None:
        """Follow it no longer."""
        followed = self._followed.get(feed.topic)
        if followed is not None and followed.feed is feed:
            del self._followed[feed.topic]
            if followed.subscription is not None:
                ending = asyncio.ensure_future(_end(followed.subscription))
                self._endings.add(ending)
                ending.add_done_callback(self._endings.discard)

    def doubt(self) -> None:
        """Something may have been missed, in any topic, and streams may be other ones."""
        self._streams.in_doubt = True
        for followed in self._followed.values():
            followed.in_doubt = True
        self._doubt.set()

    async def close(self) -> None:
        """End."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        await asyncio.gather(*self._endings, *([] if self._task is None else [self._task]), return_exceptions=True)

    def _take(self, followed: _Followed, message: Msg) -> None:
        if not followed.in_doubt:
            at = followed.feed.at
            headers = message.headers or {}
            step = step_of(Cursor(at.epoch, int(headers["Nats-Sequence"])), message.data, headers)
            if step.previous <= at.offset:
                followed.feed.take(step)
                return
        followed.in_doubt = True
        self._doubt.set()

    async def _read_on(self) -> None:
        failed = 0
        while not self._closed:  # the client may swallow a cancellation that comes together with an answer
            try:
                async with asyncio.timeout(_CHECK):
                    await self._doubt.wait()
            except TimeoutError:
                self.doubt()
            self._doubt.clear()
            try:
                for followed in [*self._followed.values()]:
                    if followed.in_doubt:
                        await self._read(followed)
                failed = 0
            except Exception as error:  # whatever it is: a reader that ended would be silence
                failed += 1
                if failed == 1:
                    logger.warning("the backplane cannot read NATS (%s); trying again", error)
                if self._client.is_connected:  # else it is told when it is so again
                    self._doubt.set()
                    await asyncio.sleep(pause(failed, self._chance))

    async def _read(self, followed: _Followed) -> None:
        """Read a topic from its stream, up to its end. What is published from here on is believed, or read again."""
        feed = followed.feed
        while self._followed.get(feed.topic) is followed:
            followed.in_doubt = False
            seen = feed.at
            try:
                page = await self._engine.page(feed.topic, seen, _COUNT)
            except BaseException:
                followed.in_doubt = True
                raise
            feed.judge(page.top, seen)
            for step in page.steps:
                feed.take(step)
            if not followed.in_doubt and feed.at.offset >= page.top.offset:
                return


async def _end(subscription: Subscription) -> None:
    with contextlib.suppress(Error):  # the connection is closed, and with it this
        await subscription.unsubscribe()
