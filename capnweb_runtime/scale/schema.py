"""What schemas name: the events of a topic, as a capability, and who comes and goes. Rule: whatever is told comes with
the cursor behind it, so that whoever has been told anything can resume. These are dataclasses: a client that does
without pydantic still does.

A schema says `def events(self) -> Events[Said]: ...`, and the compiler makes an interface of it like any other:
`EventsSaid`. `Topic.target` implements it, and `follow` reads it; see docs/scale.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from capnweb_runtime.schema import Stub, idempotent, raises

D = TypeVar("D", covariant=True)


@dataclass(frozen=True)
class TopicEvent(Generic[D]):
    """One event of a topic.

    Attributes:
        cursor: the position behind this event. Once the event has been processed, keep the cursor, to go on there.
        data: what was published.
        kind: "event", which tells it from a gap.
    """

    cursor: str
    data: D
    kind: Literal["event"] = "event"


@dataclass(frozen=True)
class TopicGap:
    """Stands in place of events that may be missing. On meeting one, read the current state from where it is kept.

    Attributes:
        reason: as of `Gap`; or "unreadable": one event is not of the topic's type, such as one of a later version; or
            "ended": nothing more comes, since the subscriber's function has failed or the server is shutting down, and
            one may subscribe again.
        cursor: the position from which the topic goes on.
        kind: "gap", which tells it from an event.
    """

    reason: Literal["epoch", "trimmed", "ahead", "too_far", "slow", "unreadable", "ended"]
    cursor: str
    kind: Literal["gap"] = "gap"


@dataclass(frozen=True)
class TopicBatch(Generic[D]):
    """Events of a topic that have come since the batch before.

    Attributes:
        items: events and gaps, in order; none if only the cursor is told, as in the first batch.
        cursor: the position behind all of them.
    """

    items: list[TopicEvent[D] | TopicGap]
    cursor: str


@dataclass(frozen=True)
class PresenceChange:
    """Somebody has joined a room, or has gone; see `Presence`.

    Attributes:
        kind: "joined"; "left" after a goodbye; "lost" if the connection was lost, and the member has not come back in
            time.
        room: name of the room.
        member: name of the member.
        value: text that was given about the member on joining.
    """

    kind: Literal["joined", "left", "lost"]
    room: str
    member: str
    value: str = ""


class TopicUnavailable(Exception):
    """What keeps the topic does not answer. Try again with the same cursor; `follow` does."""


class Events(Protocol[D]):
    """The events of a topic."""

    @raises(TopicUnavailable, ValueError)
    async def subscribe(self, deliver: Callable[[TopicBatch[D]], None], after: str | None = None) -> Stub:
        """Calls `deliver` with all that comes after a cursor, one batch after another: the next one when it has
        returned. Dispose of what this gives to end it. If `deliver` raises, it is called once more, with the gap
        `ended`.

        `after` is a cursor of this topic; None begins now. What is no cursor is a ValueError.
        """
        ...

    @idempotent
    @raises(TopicUnavailable, ValueError)
    async def stream(self, after: str | None = None) -> AsyncIterator[TopicBatch[D]]:
        """The same as a stream. That its reader has stopped is noticed with the next batch; there is one in half a
        minute, without items if nothing happens.
        """
        ...
