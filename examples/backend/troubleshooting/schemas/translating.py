"""Translators, of which one takes over when another fails."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import cancellable, idempotent


class Translation(BaseModel):
    """A text, and which model has translated it."""

    text: str
    model: str


class Translator(Protocol):
    """One model."""

    @idempotent
    @cancellable
    async def translate(self, text: str) -> Translation: ...
