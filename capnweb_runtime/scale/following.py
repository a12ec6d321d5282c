"""The events of a topic as a client reads them. Rule: no event twice, none lost unseen, however many sessions and
workers it takes.
"""

from __future__ import annotations

import asyncio
import random
import weakref
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Generic, Protocol, Self, TypeVar

from capnweb_runtime.errors import Disconnected
from capnweb_runtime.objects.stub import RpcPromise
from capnweb_runtime.scale.schema import TopicBatch, TopicEvent, TopicGap, TopicUnavailable
from capnweb_runtime.scale.waiting import pause

D = TypeVar("D")
D_co = TypeVar("D_co", covariant=True)


class Subscribable(Protocol[D_co]):
    """A stub, or a promise of one, of what a schema declares as `Events[...]`."""

    def subscribe(self, deliver: Callable[[TopicBatch[D_co]], object], after: str | None = None) -> RpcPromise[Any]: ...


def follow(
    events: Subscribable[D],
    after: str | None = None,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
) -> Following[D]:
    """Reads the events of a topic on a client, in order, whatever happens to its connection.

    With `connect(reconnect=...)` it goes on by itself on the next session, from where it was, at whichever worker that
    is; every method on the way to the events has to be `@idempotent`. It also waits while the topic's engine does not
    answer. Without `reconnect` it ends with the session.

    Parameters:
        events: stub, or promise of one, of the topic's events, such as `api.room("7").events()`.
        after: cursor behind which to begin, as text; None begins with what is published after entering.
        sleep: async function that waits for a number of seconds; for tests.
        chance: function that gives a number from 0 to 1; for tests.

    Returns:
        The events; enter it with `async with`, and iterate over it with `async for`, which gives a `TopicEvent` for
        each event, and a `TopicGap` where some may be missing.
    """
    return Following(events, after, sleep, chance)


class Following(Generic[D]):
    """What `follow` returns: the events of a topic. One task iterates; a wait that is cancelled, by a timeout, say,
    loses no event.

    Attributes:
        cursor: the position behind the last event or gap that was given, as text, or where the topic begins, once it
            has been entered. Keep it, to go on there later with `follow(events, cursor)`.
    """

    def __init__(
        self,
        events: Subscribable[D],
        after: str | None,
        sleep: Callable[[float], Awaitable[object]],
        chance: Callable[[], float],
    ) -> None:
        self.cursor = after
        self._events = events
        self._sleep = sleep
        self._chance = chance
        self._items: deque[TopicEvent[D] | TopicGap] = deque()
        self._behind = after  # the cursor of the batch that they are of
        self._attempt = 0
        self._subscribed: _Subscribed[D] | None = None

    async def __aenter__(self) -> Self:
        try:
            while self._subscribed is None:
                await self._more()
        except BaseException:
            self._leave()
            raise
        self.cursor = self._behind
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def __aiter__(self) -> AsyncIterator[TopicEvent[D] | TopicGap]:
        return self

    async def __anext__(self) -> TopicEvent[D] | TopicGap:
        """What comes next.

        Raises:
            SessionError: the session has ended, and there is none after it.
            Exception: what the method that gives the events raises, if it has to be called again.
        """
        while not self._items:
            self.cursor = self._behind
            await self._more()
        item = self._items.popleft()
        self.cursor = item.cursor
        return item

    async def _more(self) -> None:
        """Waits for the next batch; or subscribes, behind the last one."""
        if self._subscribed is None:
            if self._attempt:
                await self._sleep(pause(self._attempt, self._chance))
            self._attempt += 1
            try:
                self._subscribed = await _Subscribed.to(self._events, self._behind)
            except (TopicUnavailable, Disconnected):  # any other error of the session is its end for good
                return
        batch = await self._subscribed.next()
        if batch is None:
            self._leave()
            return
        self._attempt = 0
        self._items.extend(batch.items)
        self._behind = batch.cursor

    def _leave(self) -> None:
        subscribed, self._subscribed = self._subscribed, None
        if subscribed is not None:
            subscribed.end()


class _Subscribed(Generic[D]):
    """One subscription. One batch waits here at most: the server sends the next one when there is room for it."""

    def __init__(self) -> None:
        self._stub: Any = None
        self._batch: TopicBatch[D] | None = None
        self._came, self._room = asyncio.Event(), asyncio.Event()
        self._ended = False

    @classmethod
    async def to(cls, events: Subscribable[D], after: str | None) -> _Subscribed[D]:
        """Subscribes behind a cursor. Raises what that raises."""
        subscribed = cls()
        promise = events.subscribe(subscribed._deliver, after)
        try:
            subscribed._stub = await promise
        except BaseException:
            promise.dispose()
            subscribed.end()
            raise
        itself = weakref.ref(subscribed)  # a session keeps what it is to tell of its end

        def broken(_: BaseException) -> None:
            found = itself()
            if found is not None:
                found._end()

        subscribed._stub.on_broken(broken)
        return subscribed

    async def next(self) -> TopicBatch[D] | None:
        """The next batch; None if none comes any more."""
        while self._batch is None:
            if self._ended:
                return None
            self._came.clear()
            await self._came.wait()
        batch, self._batch = self._batch, None
        self._room.set()
        return batch

    def end(self) -> None:
        """Nobody reads it any more."""
        stub, self._stub = self._stub, None
        if stub is not None:
            stub.dispose()
        self._end()

    async def _deliver(self, batch: TopicBatch[D]) -> None:
        while self._batch is not None and not self._ended:
            self._room.clear()
            await self._room.wait()
        if any(isinstance(item, TopicGap) and item.reason == "ended" for item in batch.items):
            self._end()
        elif not self._ended:
            self._batch = batch
            self._came.set()

    def _end(self) -> None:
        self._ended = True
        self._came.set()
        self._room.set()
