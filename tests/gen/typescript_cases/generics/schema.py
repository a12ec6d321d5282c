# Read from tests/gen/typescript_cases/generics/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/generics/schema.ts declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from pydantic import BaseModel


class PageTrack(BaseModel):
    items: list[Track]
    next: PageTrack | None = None


class PageStr(BaseModel):
    items: list[str]
    next: PageStr | None = None


class TrackCursor(Protocol):
    async def read(self, key: Literal["title"], count: float) -> PageTrack: ...
    async def rest(self) -> TrackCursor: ...


class CursorStrStr(Protocol):
    async def read(self, key: str, count: float) -> PageStr: ...
    async def rest(self) -> CursorStrStr: ...


class Track(BaseModel):
    title: str


class Music(Protocol):
    async def tracks(self) -> TrackCursor: ...
    async def names(self) -> CursorStrStr: ...
    async def first(self) -> Track | None: ...
    async def watch(self, handler: Callable[[list[Track]], None]) -> None: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=f6a04de310 PageTrack=04f8d6e4b8 PageStr=36233a4c08 TrackCursor=d89f0dc716 CursorStrStr=e5adf0fca2
# capnweb-gen: Track=996dd21335 Music=7d35f0ad5c
