"""What all engines have in common: subscribers join feeds, and what they have missed is read and judged. Rule: a
subscriber is offered what is new before its history is read, so that nothing falls between the two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from capnweb_runtime.scale.contract import TOPIC_LENGTH, Bounds, Cursor, Gap
from capnweb_runtime.scale.feed import Feed
from capnweb_runtime.scale.subscription import QueuedSubscription, Step, size_of

_PAGE: Final = 64
"""Events that are asked for at a time: 16 MiB at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a topic's history.

    Attributes:
        top: the last position of the topic.
        steps: the first ones after the cursor that was asked for, in order; empty if there are none, or if that cursor
            is of another epoch or ahead.
    """

    top: Cursor
    steps: Sequence[Step]


class Engine(Protocol):
    """What a hub needs of an engine. Each raises `BackplaneUnavailable`."""

    async def page(self, topic: str, after: Cursor | None, count: int) -> Page:
        """A topic's last position, and up to ``count`` steps after a cursor if one is given."""
        ...

    async def follow(self, feed: Feed) -> None:
        """Have the feed take what comes after its position."""
        ...

    def unfollow(self, feed: Feed) -> None:
        """Stop that, if it has begun."""
        ...


class Hub:
    """The topics that this process reads.

    Parameters:
        engine: where they are read.
        bounds: of what is kept and replayed.
    """

    def __init__(self, engine: Engine, bounds: Bounds) -> None:
        self._engine = engine
        self._bounds = bounds
        self._feeds: dict[str, Feed] = {}
        self._closed = False

    def subscribe(self, topic: str, after: Cursor | None) -> QueuedSubscription:
        """See `Backplane`."""
        check_name(topic)
        return QueuedSubscription(topic, after, self._bounds, self._join, self._leave)

    def close(self) -> None:
        """End all subscriptions; none can be made any more."""
        self._closed = True
        for feed in [*self._feeds.values()]:
            for subscriber in [*feed.subscribers]:
                subscriber.end()

    async def _join(self, subscriber: QueuedSubscription) -> None:
        if self._closed:
            raise RuntimeError("this backplane is closed: make another with open_backplane()")
        feed = self._feeds.get(subscriber.topic)
        if feed is None:
            feed = self._feeds[subscriber.topic] = Feed(subscriber.topic, self._bounds)
        feed.subscribers.add(subscriber)
        feed.joining += 1
        try:
            async with feed.lock:
                if feed.position is None:
                    feed.position = (await self._engine.page(feed.topic, None, 0)).top
                    await self._engine.follow(feed)
                subscriber.begin(*await self._start(feed, subscriber.after))
        except BaseException:
            self._leave(subscriber)
            raise
        finally:
            feed.joined()

    def _leave(self, subscriber: QueuedSubscription) -> None:
        feed = self._feeds.get(subscriber.topic)
        if feed is not None:
            feed.subscribers.discard(subscriber)
            if not feed.subscribers:
                del self._feeds[subscriber.topic]
                self._engine.unfollow(feed)

    async def _start(self, feed: Feed, after: Cursor | None) -> tuple[Cursor, Sequence[Step | Gap]]:
        """Where a subscriber begins, and what it is told first."""
        if after is None:
            return await self._top(feed), ()
        recent = feed.since(after)
        if recent is not None:
            return after, recent if self._fits(recent) else [Gap("too_far", feed.at)]
        steps = await self._history(feed, after)
        if isinstance(steps, Gap):
            return after, [steps]
        feed.recall(steps)
        return after, steps

    async def _top(self, feed: Feed) -> Cursor:
        """The engine's last position now; the feed may be some events behind it, which are not new to anybody."""
        while True:
            top = (await self._engine.page(feed.topic, None, 0)).top
            if self._agrees(feed, top):
                return top

    async def _history(self, feed: Feed, after: Cursor) -> list[Step] | Gap:
        steps: list[Step] = []
        at = after
        while True:
            page = await self._engine.page(feed.topic, at, _PAGE)
            if not self._agrees(feed, page.top):
                continue  # an answer from before a restart that the feed has seen meanwhile: ask again
            gap = _gap_between(at, page)
            if gap is not None:
                return gap
            steps.extend(page.steps)
            if not self._fits(steps):
                return Gap("too_far", page.top)
            if not page.steps or page.steps[-1].cursor.offset >= page.top.offset:
                return steps
            at = page.steps[-1].cursor
            rest = feed.since(at)  # which somebody else has read meanwhile, or which has just happened
            if rest is not None:
                steps.extend(rest)
                return steps if self._fits(steps) else Gap("too_far", feed.at)

    def _fits(self, steps: Sequence[Step]) -> bool:
        """Whether so much is replayed."""
        return len(steps) <= self._bounds.replay_events and sum(map(size_of, steps)) <= self._bounds.replay_bytes

    def _agrees(self, feed: Feed, top: Cursor) -> bool:
        """Whether an answer is of the feed's epoch. One of a later epoch begins that for all."""
        if top.epoch in feed.past:
            return False
        if top.epoch != feed.at.epoch:
            feed.move(Gap("epoch", top))
        return True


def _gap_between(at: Cursor, page: Page) -> Gap | None:
    """Why the steps of a page do not follow on a cursor; None if they do."""
    if at.epoch != page.top.epoch:
        return Gap("epoch", page.top)
    if at.offset > page.top.offset:
        return Gap("ahead", page.top)
    known = at.offset
    for step in page.steps:
        if step.previous > known:
            return Gap("trimmed", page.top)
        known = step.cursor.offset
    return Gap("trimmed", page.top) if known < page.top.offset and not page.steps else None


def check_name(name: str) -> None:
    """Raises ValueError unless a topic, a lease or a value may be called so."""
    size = len(name.encode())
    if not 0 < size <= TOPIC_LENGTH:
        raise ValueError(f"{name[:40]!r} has {size}, and a name has 1 to {TOPIC_LENGTH} bytes: shorten it, or hash it")


def check_data(data: bytes, bounds: Bounds) -> None:
    """Raises ValueError if data is more than a backplane carries."""
    if len(data) > bounds.event_bytes:
        raise ValueError(
            f"{len(data)} bytes are more than the {bounds.event_bytes} of Bounds.event_bytes: send where they are kept"
        )


def check_application(name: str) -> str:
    """Raises ValueError unless what an application keeps in an engine may be called so. Returns the name."""
    if not re.fullmatch("[A-Za-z0-9_-]{1,40}", name):
        raise ValueError(f"name={name[:60]!r} cannot name an application: use 1 to 40 of A-Z a-z 0-9 _ -")
    return name
