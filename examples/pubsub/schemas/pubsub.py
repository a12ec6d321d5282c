"""Topics, to which some publish and others subscribe."""

from __future__ import annotations

from typing import Annotated, Protocol

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel

from capnweb_runtime.scale.schema import Events
from capnweb_runtime.schema import idempotent

Name = Annotated[str, MinLen(1), MaxLen(64)]


class News(BaseModel):
    """What is published."""

    text: str


class Stats(BaseModel):
    """What a server holds: entries on the tables of all sessions."""

    imports: int
    exports: int


class PubSub(Protocol):
    async def publish(self, topic: Name, text: Annotated[str, MaxLen(10_000)], id: str | None = None) -> str:
        """Adds an event, and gives the cursor behind it. It does not wait for subscribers.

        `id` may be made up by whoever publishes: the same one is published once, however often it is tried.
        """
        ...

    @idempotent
    async def topic(self, name: Name) -> Events[News]: ...

    @idempotent
    async def stats(self) -> Stats: ...
