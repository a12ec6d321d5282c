"""What a backplane promises, whatever stands behind it. Rule: whoever resumes gets exactly what it has missed, or one
`Gap`; never silence. docs/scale.md says all of it; tests/runtime/scale holds every engine to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Literal, Protocol, Self, TypeAlias

TOPIC_LENGTH: Final = 150
"""Bytes of UTF-8 that the name of a topic, of a lease or of a value may have, and the id of an event."""

GapReason: TypeAlias = Literal["epoch", "trimmed", "ahead", "too_far", "slow"]
"""Why events may be missing; see `Gap`."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a topic: everything up to it has been processed. As text, which `str` makes and `parse` reads, it
    is `epoch:offset`; whoever keeps it need not know what is in it.

    Attributes:
        epoch: names one life of the topic; the engine begins another when it may have lost events.
        offset: grows with every event of the topic in that life, not always by one.
    """

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `str` has made.

        Raises:
            ValueError: the text is no cursor.
        """
        epoch, colon, offset = text.rpartition(":")
        if not (colon and epoch and offset.isascii() and offset.isdigit() and len(text) <= 100):
            raise ValueError(f"{text[:100]!r} is no cursor: expected epoch:offset, as str(cursor) gives it")
        return cls(epoch, int(offset))


@dataclass(frozen=True, slots=True)
class Event:
    """What was published to a topic.

    Attributes:
        cursor: where it stands; no other event of the topic has this one.
        data: what was published.
        previous: offset from which on nothing lies before it: that of the event before it, or a later one.
    """

    cursor: Cursor
    data: bytes
    previous: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Events may be missing here. Read what they would have told from where it is kept, after this; what follows begins
    behind `cursor`.

    Attributes:
        reason: `epoch`, the engine was restarted or has lost data; `trimmed`, they are no longer kept; `ahead`, the
            cursor is of a future that the engine does not know; `too_far`, they are more than is replayed; `slow`, the
            subscriber has left too much unread.
        cursor: where the subscription goes on.
    """

    reason: GapReason
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and its revision.

    Attributes:
        data: what was put.
        revision: another one for each `put`, and never 0.
    """

    data: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a lease.

    Attributes:
        value: what it was acquired with, such as an address.
        fence: its number; a later holder's is greater.
    """

    value: bytes
    fence: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a backplane keeps at most. All processes that share an engine have the same.

    Attributes:
        history_events: events that a topic keeps. Default 1,000.
        history_seconds: how long it keeps them; an engine may keep them longer. Default 600: reconnecting takes less.
        replay_events: events that a subscription is replayed. Default 1,000.
        replay_bytes: bytes of them. Default 4 MiB.
        queue_events: events that wait for one subscriber. Default 1,024.
        queue_bytes: bytes of them. Default 4 MiB.
        recent_events: events that a process keeps of each topic that it reads, so that many who reconnect at once do
            not all ask the engine. Default 256, of 1 MiB together at most; while any are told what they have missed, as
            much as is replayed.
        event_bytes: bytes of one event, of a value, or of what is in a lease. Default 256 KiB.
        dedupe_seconds: how long an id of an event is remembered. Default 120.
    """

    history_events: int = 1_000
    history_seconds: float = 600.0
    replay_events: int = 1_000
    replay_bytes: int = 4 * 1024 * 1024
    queue_events: int = 1_024
    queue_bytes: int = 4 * 1024 * 1024
    recent_events: int = 256
    event_bytes: int = 256 * 1024
    dedupe_seconds: float = 120.0


class Subscription(Protocol):
    """An async context manager that subscribes, and an iterator of `Event` and `Gap`. One task iterates."""

    @property
    def cursor(self) -> Cursor:
        """Up to where it has been read: of what was last handed out, or where it began. Keep it, to resume there."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> AsyncIterator[Event | Gap]: ...

    async def __anext__(self) -> Event | Gap: ...

    async def batch(self, events: int, size: int) -> list[Event | Gap]:
        """What has come, in order; waits for the first. In place of iterating, by one who passes on many at a time.

        Parameters:
            events: how many at most.
            size: once so many bytes are in it, no more are added.

        Returns:
            At least one; none when nothing more comes.
        """
        ...


class Lease(Protocol):
    """A name that is ours until it expires. Whoever holds it sends `fence` along with what it writes, and what is
    written to refuses a fence smaller than one it has seen: a holder that was stopped does not know that it lost.
    """

    @property
    def name(self) -> str:
        """What it is a lease of."""
        ...

    @property
    def fence(self) -> int:
        """Greater than that of any holder before."""
        ...

    @property
    def held(self) -> bool:
        """Whether it is still ours, by a monotonic clock that ends before the engine's."""
        ...

    @property
    def lost(self) -> asyncio.Event:
        """Set when it has ended: expired, released, or somebody else's."""
        ...

    async def renew(self) -> bool:
        """Have it for its whole time once more. Returns whether it is still ours; once it is not, it stays so.

        Raises:
            BackplaneUnavailable: the engine did not answer; it is ours for as long as `held` says.
        """
        ...

    async def release(self) -> None:
        """Give it back. Raises BackplaneUnavailable; then it expires in its time."""
        ...


class Backplane(Protocol):
    """Topics, leases and values that processes share. `open_backplane` makes one; it is an async context manager.

    Each method raises ValueError for a name or data beyond its bound, and `BackplaneUnavailable` when the engine does
    not answer: whether a change was made is then unknown.
    """

    async def publish(self, topic: str, data: bytes, *, id: str | None = None) -> Cursor:
        """Append an event to a topic.

        Parameters:
            topic: its name.
            data: the event.
            id: one that was published to this topic within the last two minutes is not published again.

        Returns:
            Where it stands, or the one that had its id.
        """
        ...

    def subscribe(self, topic: str, after: Cursor | None = None) -> Subscription:
        """Events of a topic, in order.

        Parameters:
            topic: its name.
            after: what was processed before; None begins with what is published after entering.
        """
        ...

    async def acquire(self, name: str, value: bytes, ttl: float) -> Lease | None:
        """Become the holder of a name.

        Parameters:
            name: of what.
            value: for those who ask who holds it.
            ttl: seconds until it expires, unless it is renewed; 0.1 or more.

        Returns:
            The lease; None while somebody has it.
        """
        ...

    async def holder(self, name: str) -> Holder | None:
        """Who holds a lease; None if nobody does."""
        ...

    async def get(self, key: str) -> Value | None:
        """A value; None if there is none."""
        ...

    async def put(self, key: str, data: bytes, *, expect: int | None = None) -> int | None:
        """Set a value.

        Parameters:
            key: its name.
            data: the value.
            expect: the revision it has to have now, 0 for none at all; None for whichever.

        Returns:
            Its revision; None if it was not as expected, and is as it was.
        """
        ...

    async def delete(self, key: str, *, expect: int | None = None) -> bool:
        """Delete a value.

        Parameters:
            key: its name.
            expect: the revision it has to have now; None for whichever.

        Returns:
            Whether it is gone: False if it was not as expected.
        """
        ...

    async def close(self) -> None:
        """End all subscriptions and connections. Leases stay until they expire."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...
