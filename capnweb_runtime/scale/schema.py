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
    """What was published to a topic.

    Attributes:
        cursor: where it stands; give it as `after` once it has been processed.
        data: what was published.
        kind: tells it from a gap.
    """

    cursor: str
    data: D
    kind: Literal["event"] = "event"


@dataclass(frozen=True)
class TopicGap:
    """Events may be missing here: read what they would have told from where it is kept.

    Attributes:
        reason: see `Gap` of the backplane; `unreadable`: one event is not of the topic's type, such as one that a later
            version has published; `ended`: a subscriber is told no more, because its function has failed or the server
            is shutting down, and may subscribe again.
        cursor: behind it, the topic goes on.
        kind: tells it from an event.
    """

    reason: Literal["epoch", "trimmed", "ahead", "too_far", "slow", "unreadable", "ended"]
    cursor: str
    kind: Literal["gap"] = "gap"


@dataclass(frozen=True)
class TopicBatch(Generic[D]):
    """What is new in a topic.

    Attributes:
        items: events and gaps, in order; none where only the cursor is told, as in the first batch.
        cursor: behind all of them.
    """

    items: list[TopicEvent[D] | TopicGap]
    cursor: str


@dataclass(frozen=True)
class PresenceChange:
    """Somebody has come into a room, or has gone.

    Attributes:
        kind: `joined`; `left`, with a goodbye; `lost`, without one, and not come back in time.
        room: where.
        member: who.
        value: what was said of the member on joining.
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
