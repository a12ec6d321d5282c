"""Topics, to which some publish and others subscribe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Generic, Literal, Protocol, TypeVar

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises

S = TypeVar("S", covariant=True)


class Event(BaseModel):
    kind: Literal["event"] = "event"
    number: int
    text: str


class Gap(BaseModel):
    """Something was published that is not kept any more."""

    kind: Literal["gap"] = "gap"
    missed: int | None
    """How many events; None if nobody knows, since the server has begun anew."""


class Batch(BaseModel):
    """What is new, in order, and the cursor behind it: whoever comes back with it goes on from here."""

    entries: list[Event | Gap]
    cursor: str


class Subscribed(BaseModel, Generic[S]):
    """A subscription, and the cursor at which it begins."""

    cursor: str
    subscription: S


class Status(BaseModel):
    """What a subscription has come to."""

    is_live: bool
    delivered: int
    missed: int
    failures: int


class Stats(BaseModel):
    """What a server holds: topics, events in them, subscriptions, and entries on the tables of all sessions."""

    topics: int
    events: int
    subscriptions: int
    imports: int
    exports: int


class BadCursor(Exception):
    """This is no cursor."""


class TooManyTopics(Exception):
    """There is no room for another topic."""


class Subscription(Protocol):
    """Holding one is being subscribed; disposing of it ends that, and so does the end of the session."""

    @idempotent
    async def status(self) -> Status: ...


class PubSub(Protocol):
    @raises(TooManyTopics)
    async def publish(self, topic: Annotated[str, MinLen(1), MaxLen(64)], text: Annotated[str, MaxLen(10_000)]) -> int:
        """Adds an event, and gives its number. It does not wait for subscribers."""
        ...

    @raises(BadCursor, TooManyTopics)
    async def subscribe(
        self,
        topic: Annotated[str, MinLen(1), MaxLen(64)],
        deliver: Callable[[Batch], None],
        after: str | None = None,
    ) -> Subscribed[Subscription]:
        """Delivers what comes after a cursor, or from now on, one batch after another.

        The next batch is sent when `deliver` has returned. What it raises counts as a failure; after some in a row the
        subscription is ended.
        """
        ...

    @idempotent
    async def stats(self) -> Stats: ...
