"""A schema for workers that share a backplane: topics are followed and published through it, and owners act."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from capnweb_runtime.schema import raises


class Unavailable(Exception):
    """The engine did not answer: whether it was done is unknown."""

    why: str

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass
class Told:
    """What a subscriber is told: where it stands, and what has happened there.

    Attributes:
        cursor: for resuming.
        data: the event; "" for a gap, and for what comes first, which is no event.
        gap: why events may be missing here; "" if none are.
    """

    cursor: str
    data: str = ""
    gap: str = ""


@dataclass
class Load:
    """What a worker takes.

    Attributes:
        resident: bytes of memory.
        processor: seconds of the processor since it began.
        subscribers: how many follow something.
        waiting: events that wait for the slowest of them.
    """

    resident: int
    processor: float
    subscribers: int
    waiting: int


class Relay(Protocol):
    @raises(Unavailable)
    def follow(self, topic: str, after: str) -> AsyncIterator[Told]:
        """What comes after a cursor, or from now on if it is "". The first item only says where that is."""
        ...

    @raises(Unavailable)
    def publish(self, topic: str, data: str, id: str) -> str:
        """Returns the cursor of the event."""
        ...

    def own(self, name: str, ttl: float, act: Callable[[int, float], bool]) -> None:
        """Be the owner of a name whenever it can be had, and act as that, again and again, until the session ends.

        `act` is called with the fence, and with what the monotonic clock gave when the lease was last seen to be held;
        it says whether the fence was accepted.
        """
        ...

    @raises(Unavailable)
    def attend(self, room: str, member: str) -> AsyncIterator[bool]:
        """Be in a room until the session ends, which is a connection that was lost. The one item says that it is so."""
        ...

    @raises(Unavailable)
    def members(self, room: str) -> list[str]: ...

    def pass_by(self) -> None:
        """What a rate is limited of."""
        ...

    def load(self) -> Load: ...
