# Read from tests/gen/typescript_cases/classes/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/classes/schema.ts declares."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class Entry(BaseModel):
    text: str


class Store(Protocol):
    @property
    def size(self) -> float: ...

    async def add(self, entry: Entry, at: float = 0, quiet: bool = False) -> Entry:
        """Adds an entry."""
        ...

    async def clear(self) -> None: ...
    async def self(self) -> Store: ...


class FileStore(Store, Protocol):
    async def clear(self) -> None: ...
    async def named(self, name: str) -> Entry | None: ...


class Bare(Protocol):
    pass


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=c51bbdba9a Entry=b91c1a5798 Store=750b1ee359 FileStore=2f68fb4f60 Bare=7c461ea758
