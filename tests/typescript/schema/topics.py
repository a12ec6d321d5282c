"""A topic that clients in TypeScript follow."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.scale.schema import Events
from capnweb_runtime.schema import idempotent


class Said(BaseModel):
    text: str


class Room(Protocol):
    @idempotent
    async def events(self) -> Events[Said]: ...

    async def say(self, text: str) -> str: ...
