"""Rooms whose events are followed."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.scale.schema import Events
from capnweb_runtime.schema import idempotent


class Said(BaseModel):
    number: int
    text: str = ""


class Room(Protocol):
    @idempotent
    async def events(self) -> Events[Said]: ...

    async def say(self, number: int, text: str = "") -> str: ...


class House(Protocol):
    @idempotent
    async def room(self, name: str) -> Room: ...

    async def forgotten(self, name: str) -> Events[Said]:
        """Not idempotent: it cannot be got again."""
        ...
