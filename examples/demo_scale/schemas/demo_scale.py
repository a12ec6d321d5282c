"""A board: what is said at one worker is heard at all."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.scale.schema import Events
from capnweb_runtime.schema import idempotent


class Said(BaseModel):
    """What somebody has said."""

    number: int


class Board(Protocol):
    @idempotent
    async def worker(self) -> int:
        """Which worker this session is served by."""
        ...

    @idempotent
    async def say(self, number: int) -> int:
        """Says something, once, however often it is called with the same number. Gives the worker that did it."""
        ...

    @idempotent
    def events(self) -> Events[Said]:
        """What is said, to be followed."""
        ...
