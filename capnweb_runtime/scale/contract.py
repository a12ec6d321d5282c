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
"""Why events may be missing; see `Gap.reason`."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in a topic, between two events: whoever keeps it can go on there later. `str(cursor)` is a text,
    `epoch:offset`, which `parse` reads; who stores it need not look inside.

    Attributes:
        epoch: name of one life of the topic. The engine begins another life when it may have lost events.
        offset: number that grows with each event of that life, not always by one.
    """

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Makes a cursor of the text that `str` has made of one.

        Parameters:
            text: `epoch:offset`, at most 100 characters.

        Raises:
            ValueError: the text is no cursor.
        """
        epoch, colon, offset = text.rpartition(":")
        if not (colon and epoch and offset.isascii() and offset.isdigit() and len(text) <= 100):
            raise ValueError(f"{text[:100]!r} is no cursor: expected epoch:offset, as str(cursor) gives it")
        return cls(epoch, int(offset))


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a topic, as `Backplane.subscribe` gives it.

    Attributes:
        cursor: the position behind this event, which no other event of the topic has. Keep it once the event has been
            processed.
        data: the bytes that were published.
        previous: an offset such that no event lies between it and this event: that of the event before, or a later one.
    """

    cursor: Cursor
    data: bytes
    previous: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Stands in a subscription in place of events that may be missing. On meeting one, read the current state from
    where your application keeps it, such as its database; the events that follow are those behind `cursor`.

    Attributes:
        reason: "epoch": the engine was restarted, or has lost data. "trimmed": the events are no longer kept. "ahead":
            the engine does not know the cursor yet, since it was restored from an earlier state, say. "too_far": there
            are more events than `Bounds` lets replay. "slow": the subscriber has left too many unread.
        cursor: the position from which the subscription goes on. Keep it once the state has been read.
    """

    reason: GapReason
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a backplane, as `Backplane.get` gives it.

    Attributes:
        data: the bytes that were put.
        revision: number of this state of the value, for `expect`: each `put` gives another one, and never 0.
    """

    data: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a lease, as `Backplane.holder` gives it.

    Attributes:
        value: the bytes that the lease was acquired with, such as the holder's address.
        fence: number of the lease; that of a later holder is greater.
    """

    value: bytes
    fence: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a backplane keeps and sends at most: `open_backplane(url, bounds=Bounds(...))`. All processes that share
    an engine have to give the same.

    Attributes:
        history_events: events that a topic keeps. Default 1,000.
        history_seconds: seconds for which a topic keeps an event; an engine may keep it longer. Default 600:
            reconnecting takes less.
        replay_events: events that a subscription which begins at a cursor gets of the past; more are a `Gap`. Default
            1,000.
        replay_bytes: bytes of these events. Default 4 MiB.
        queue_events: events that wait for one subscriber who does not read; more are a `Gap`. Default 1,024.
        queue_bytes: bytes of these events. Default 4 MiB.
        recent_events: events that a process remembers of each topic that it reads, so that many clients who reconnect
            at once do not all ask the engine. Default 256, of at most 1 MiB together, and up to the bounds of replay
            while clients catch up.
        event_bytes: bytes of one event, of one value, or of the value of a lease. Default 256 KiB.
        dedupe_seconds: seconds for which the id of an event is remembered. Default 120.
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
    """The events of a topic, as `Backplane.subscribe` gives them: enter it with `async with`, and iterate over it with
    `async for`, in one task. It gives an `Event` for each event, and a `Gap` where some may be missing.
    """

    @property
    def cursor(self) -> Cursor:
        """The position behind the last event or gap that was given, or the position where the subscription begins. Keep
        it, to go on there later.
        """
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> AsyncIterator[Event | Gap]: ...

    async def __anext__(self) -> Event | Gap: ...

    async def batch(self, events: int, size: int) -> list[Event | Gap]:
        """Waits for events and gaps, and gives all that have come, in order: for those who pass on many at a time, in
        place of iterating.

        Parameters:
            events: how many to give at most.
            size: bytes; once the events have so many, no more are added.

        Returns:
            At least one; an empty list when nothing more will come.
        """
        ...


class Lease(Protocol):
    """A name that one process at a time holds, until the lease expires or is released; `Backplane.acquire` gives one.

    A process that was stopped for a while does not know that its lease has expired, and may still write. Therefore send
    `fence` along with everything that is written under the lease, and have the database, or whatever is written to,
    refuse a fence that is smaller than one it has seen.
    """

    @property
    def name(self) -> str:
        """The name that is held."""
        ...

    @property
    def fence(self) -> int:
        """Number of this lease, greater than that of any holder before."""
        ...

    @property
    def held(self) -> bool:
        """Whether this process still holds the lease, by its own monotonic clock: it turns False when a tenth of the
        time is left, before the engine may give the name to somebody else.
        """
        ...

    @property
    def lost(self) -> asyncio.Event:
        """An event that is set when the lease has ended: it has expired, was released, or belongs to somebody else."""
        ...

    async def renew(self) -> bool:
        """Extends the lease: it lasts for its whole `ttl` again, from now on.

        Returns:
            Whether this process still holds the lease. Once it does not, it never will again: acquire another one.

        Raises:
            BackplaneUnavailable: the engine did not answer. The lease lasts for as long as `held` says.
        """
        ...

    async def release(self) -> None:
        """Gives the lease back, so that somebody else can acquire the name at once.

        Raises:
            BackplaneUnavailable: the engine did not answer. The lease expires in its time.
        """
        ...


class Backplane(Protocol):
    """What several processes share: topics of events, leases, and small values, kept in this process, in Redis or in
    NATS. `open_backplane` makes one; enter it with `async with`.

    Each method raises a ValueError if a name has more than 150 bytes or data more than `Bounds.event_bytes`, and
    `BackplaneUnavailable` if the engine does not answer: then it is not known whether a change was made.
    """

    async def publish(self, topic: str, data: bytes, *, id: str | None = None) -> Cursor:
        """Appends an event to a topic.

        Parameters:
            topic: name of the topic; it need not exist.
            data: the event.
            id: text that names the event. If an event with this id was published to the topic within the last two
                minutes (`Bounds.dedupe_seconds`), nothing is published. None publishes in any case.

        Returns:
            The position behind the event, or behind the one that has the same id.
        """
        ...

    def subscribe(self, topic: str, after: Cursor | None = None) -> Subscription:
        """Subscribes to a topic.

        Parameters:
            topic: name of the topic.
            after: position behind which to begin. None begins with what is published after the subscription was
                entered.

        Returns:
            The events in their order; enter it with `async with`.
        """
        ...

    async def acquire(self, name: str, value: bytes, ttl: float) -> Lease | None:
        """Tries to become the holder of a name.

        Parameters:
            name: the name.
            value: bytes that `holder` gives to others, such as an address.
            ttl: seconds after which the lease expires unless it is renewed; 0.1 or more.

        Returns:
            The lease; None if somebody holds the name.
        """
        ...

    async def holder(self, name: str) -> Holder | None:
        """Tells who holds a name.

        Parameters:
            name: the name.

        Returns:
            The holder; None if there is none.
        """
        ...

    async def get(self, key: str) -> Value | None:
        """Reads a value.

        Parameters:
            key: name of the value.

        Returns:
            The value with its revision; None if there is none.
        """
        ...

    async def put(self, key: str, data: bytes, *, expect: int | None = None) -> int | None:
        """Writes a value. It stays until it is deleted.

        Parameters:
            key: name of the value.
            data: the value.
            expect: revision that the value has to have now; 0 if there has to be none. None writes in any case.

        Returns:
            The new revision; None if the value was not at the expected one, and was left unchanged.
        """
        ...

    async def delete(self, key: str, *, expect: int | None = None) -> bool:
        """Deletes a value.

        Parameters:
            key: name of the value.
            expect: revision that the value has to have now. None deletes in any case.

        Returns:
            False if the value was not at the expected revision, and was left unchanged; else True.
        """
        ...

    async def close(self) -> None:
        """Ends all subscriptions and connections, as leaving `async with` does. Leases stay until they expire."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...
