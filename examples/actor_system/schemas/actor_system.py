"""Actors that keep accounts, the workers in which they live, and the system that a client sees."""

from __future__ import annotations

from typing import Annotated, Protocol

from annotated_types import Ge
from pydantic import BaseModel

from capnweb_runtime.schema import raises


class Crashed(Exception):
    """The actor's worker ended before it had answered.

    The message may have been processed. Send it again, with the same id, and it counts once.
    """


class MailboxFull(Exception):
    """Too many messages wait for the actor. This one has not been taken."""


class NoSuchActor(Exception):
    """There is no actor of that name."""


class Account(Protocol):
    """An actor. Its messages are calls: they are processed one at a time, in the order in which they came."""

    @raises(Crashed, MailboxFull)
    async def deposit(self, message: str, cents: Annotated[int, Ge(1)]) -> int:
        """Add something, once for each id of a message, and say what there is."""
        ...

    @raises(Crashed, MailboxFull)
    async def transfer(self, message: str, to: Account, cents: Annotated[int, Ge(1)]) -> int:
        """Give something to another actor, wherever that lives, and say what is left."""
        ...

    @raises(Crashed, MailboxFull)
    async def balance(self) -> int: ...

    @raises(Crashed, MailboxFull)
    async def processed(self) -> list[str]:
        """The ids of messages, in the order in which they were processed."""
        ...


class Worker(Protocol):
    """A process in which actors live."""

    async def start(self, actor: str, journal: str | None) -> Account:
        """Start an actor: with what is in its journal, or with nothing where it has none."""
        ...


class Place(BaseModel):
    """Where a worker runs.

    Attributes:
        worker: its name.
        pid: its process.
        starts: how often it has been started.
        actors: who lives there.
    """

    worker: str
    pid: int
    starts: int
    actors: list[str]


class System(Protocol):
    """The actor system."""

    @raises(NoSuchActor)
    async def actor(self, name: str) -> Account:
        """An actor. What is given stays good when the actor is started again, in whichever process."""
        ...

    async def places(self) -> list[Place]:
        """Where the workers run, once all of them do."""
        ...
