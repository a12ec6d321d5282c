"""The backplane without an engine: for one process, and for tests of what uses one. Rule: it keeps the same promises as
the others, and nothing outlives its store.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final, Self

from capnweb_runtime.scale.contract import Bounds, Cursor, Event, Holder, Value
from capnweb_runtime.scale.feed import Feed
from capnweb_runtime.scale.hub import Hub, Page, check_data, check_name
from capnweb_runtime.scale.leases import HeldLease, check_ttl
from capnweb_runtime.scale.subscription import QueuedSubscription

_TOPIC_SECONDS: Final = 86_400.0
"""How long a topic's position is kept after its last event, longer than the events, so that who has seen all of them
sees no gap."""

_HISTORY_BYTES: Final = 8 * 1024 * 1024
"""Of one topic: twice what is replayed by default."""


class _Topic:
    """The events of a topic."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.offset = 0
        self.used = 0.0
        self.events: deque[Event] = deque()
        self.size = 0
        self.ids: OrderedDict[str, tuple[Cursor, float]] = OrderedDict()
        self.feeds: set[Feed] = set()

    def trim(self, now: float, bounds: Bounds) -> None:
        """Forget what is too much, and what is too old."""
        if now - self.used >= bounds.history_seconds:
            self.events.clear()
            self.size = 0
        while len(self.events) > bounds.history_events or self.size > _HISTORY_BYTES:
            self.size -= len(self.events.popleft().data)
        while self.ids and next(iter(self.ids.values()))[1] <= now:
            self.ids.popitem(last=False)


class MemoryStore:
    """What an engine such as Redis would keep, in memory, for tests: backplanes that share a store behave as processes
    that share an engine. All of them have to be on one event loop.

    Parameters:
        clock: function that gives seconds on a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.leases: dict[str, tuple[Holder, float]] = {}
        self.values: dict[str, Value] = {}
        self._topics: OrderedDict[str, _Topic] = OrderedDict()  # the one least lately used first
        # Not from 1: what was written under a fence may outlive this process, whose next life needs greater ones.
        self._number = time.time_ns() // 1000

    def number(self) -> int:
        """Gives a number that is greater than any before. For `MemoryBackplane`."""
        self._number += 1
        return self._number

    def topic(self, name: str) -> _Topic:
        """Gives what is kept of a topic. For `MemoryBackplane`."""
        topic = self._topics.get(name)
        if topic is None:
            self._forget()
            topic = self._topics[name] = _Topic(secrets.token_hex(6))
            topic.used = self.clock()
        self._topics.move_to_end(name)
        return topic

    def lose(self) -> None:
        """Forgets everything, as an engine does that is killed and has kept nothing. Subscribers get a `Gap` with the
        reason "epoch".
        """
        before = self._topics
        self._topics = OrderedDict()
        self.leases.clear()
        self.values.clear()
        for name, topic in before.items():
            for feed in topic.feeds:
                follows = self.topic(name)
                follows.feeds.add(feed)
                feed.judge(Cursor(follows.epoch, follows.offset), feed.at)

    def _forget(self) -> None:
        """Topics that nobody has used for long. A name that comes again begins another epoch."""
        while self._topics:
            name, oldest = next(iter(self._topics.items()))
            if oldest.feeds or self.clock() - oldest.used < _TOPIC_SECONDS:
                return
            del self._topics[name]


class MemoryBackplane:
    """The backplane of "memory:", which keeps everything in this process. Its methods are those of `Backplane`.

    Parameters:
        store: store to share with other backplanes of this process; None means one of its own.
        bounds: how much it keeps at most.
    """

    def __init__(self, store: MemoryStore | None = None, *, bounds: Bounds = Bounds()) -> None:  # noqa: B008 — a constant
        self._store = MemoryStore() if store is None else store
        self._bounds = bounds
        self._hub = Hub(self, bounds)

    async def publish(self, topic: str, data: bytes, *, id: str | None = None) -> Cursor:
        """See `Backplane`."""
        check_name(topic)
        check_data(data, self._bounds)
        now = self._store.clock()
        found = self._store.topic(topic)
        found.trim(now, self._bounds)
        if id is not None:
            check_name(id)
            if id in found.ids:
                return found.ids[id][0]
        found.offset += 1
        event = Event(Cursor(found.epoch, found.offset), bytes(data), found.offset - 1)
        found.used = now
        found.events.append(event)
        found.size += len(event.data)
        if id is not None:
            found.ids[id] = event.cursor, now + self._bounds.dedupe_seconds
        found.trim(now, self._bounds)
        for feed in found.feeds:
            feed.take(event)
        return event.cursor

    def subscribe(self, topic: str, after: Cursor | None = None) -> QueuedSubscription:
        """See `Backplane`."""
        return self._hub.subscribe(topic, after)

    async def acquire(self, name: str, value: bytes, ttl: float) -> HeldLease | None:
        """See `Backplane`."""
        check_name(name)
        check_data(value, self._bounds)
        check_ttl(ttl)
        asked = self._store.clock()
        if await self.holder(name) is not None:
            return None
        fence = self._store.number()
        self._store.leases[name] = Holder(bytes(value), fence), asked + ttl
        return HeldLease(self, name, value, fence, ttl, asked, self._store.clock)

    async def holder(self, name: str) -> Holder | None:
        """See `Backplane`."""
        check_name(name)
        found = self._store.leases.get(name)
        if found is not None and found[1] <= self._store.clock():
            del self._store.leases[name]
            return None
        return None if found is None else found[0]

    async def renew_lease(self, name: str, value: bytes, fence: int, ttl: float) -> bool:
        """See `LeaseEngine`."""
        found = await self.holder(name)
        if found is None or found.fence != fence:
            return False
        self._store.leases[name] = found, self._store.clock() + ttl
        return True

    async def release_lease(self, name: str, fence: int) -> None:
        """See `LeaseEngine`."""
        found = await self.holder(name)
        if found is not None and found.fence == fence:
            del self._store.leases[name]

    async def get(self, key: str) -> Value | None:
        """See `Backplane`."""
        check_name(key)
        return self._store.values.get(key)

    async def put(self, key: str, data: bytes, *, expect: int | None = None) -> int | None:
        """See `Backplane`."""
        check_name(key)
        check_data(data, self._bounds)
        if not self._is_expected(key, expect):
            return None
        revision = self._store.number()
        self._store.values[key] = Value(bytes(data), revision)
        return revision

    async def delete(self, key: str, *, expect: int | None = None) -> bool:
        """See `Backplane`."""
        check_name(key)
        if not self._is_expected(key, expect):
            return False
        self._store.values.pop(key, None)
        return True

    def _is_expected(self, key: str, expect: int | None) -> bool:
        found = self._store.values.get(key)
        return expect is None or expect == (0 if found is None else found.revision)

    async def page(self, topic: str, after: Cursor | None, count: int) -> Page:
        """See `Engine`."""
        found = self._store.topic(topic)
        found.trim(self._store.clock(), self._bounds)
        top = Cursor(found.epoch, found.offset)
        if after is None or after.epoch != found.epoch:
            return Page(top, ())
        skipped = max(after.offset - (top.offset - len(found.events)), 0)
        return Page(top, [*found.events][skipped : skipped + count])

    async def follow(self, feed: Feed) -> None:
        """See `Engine`."""
        self._store.topic(feed.topic).feeds.add(feed)

    def unfollow(self, feed: Feed) -> None:
        """See `Engine`."""
        self._store.topic(feed.topic).feeds.discard(feed)

    async def close(self) -> None:
        """See `Backplane`."""
        self._hub.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
