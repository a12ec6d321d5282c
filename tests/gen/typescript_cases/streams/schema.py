# Read from tests/gen/typescript_cases/streams/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/streams/schema.ts declares."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import Capability, Writable


class Chunk(BaseModel):
    offset: float
    data: bytes


class Files(Protocol):
    async def read(self, path: str) -> AsyncIterator[bytes]: ...
    async def write(self, path: str) -> Writable[Chunk]: ...
    async def sync(self, input: SyncInput) -> SyncResult: ...
    async def raw(self) -> AsyncIterator[Any]: ...


class SyncInput(BaseModel):
    chunks: Capability[AsyncIterator[Chunk]]
    size: float


class SyncResult(BaseModel):
    stream: Capability[AsyncIterator[Chunk]]
    total: float


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=904b300087 Chunk=7590741746 Files=52045a2588 SyncInput=02219b75bf SyncResult=a4831f9e26
