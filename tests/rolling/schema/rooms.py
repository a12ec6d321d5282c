"""A schema for servers of several processes: what is said at one is heard at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import idempotent


class Served(BaseModel):
    process: int
    version: int


class Said(BaseModel):
    cursor: str
    text: str


class Room(Protocol):
    @idempotent
    def who(self) -> Served:
        """Which process it is, and of which code."""
        ...

    @idempotent
    def say(self, id: str) -> Served:
        """Once, however often it is called."""
        ...

    def listen(self, after: str, on_said: Callable[[Said], None]) -> str:
        """Has everything told that was said after a cursor, or from now on. Returns where that begins."""
        ...

    def wait(self) -> Served:
        """Answers when the file `open` is there, or the worker is told to leave."""
        ...
