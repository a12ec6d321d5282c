"""Methods whose calls may be cancelled."""

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import InterfaceModel, Method, cancellable, raises


class TooBroad(Exception):
    """There is no end to what was asked for."""


class Query(BaseModel):
    word: str


class OnHit(Protocol):
    """Looks at what has been found, which may take long."""

    @cancellable
    async def __call__(self, number: int, *, last: bool = False) -> bool: ...


class Search(Protocol):
    @cancellable
    @raises(TooBroad)
    async def find(self, word: str, limit: int = 10) -> list[int]: ...

    @cancellable
    async def each(self, word: str, on_hit: OnHit) -> int: ...

    @cancellable
    async def inside(self, word: str) -> "Search": ...

    @cancellable
    async def follow(self, word: str) -> AsyncIterator[int]: ...

    async def count(self, numbers: list[int]) -> int: ...


class Index(InterfaceModel):
    find: Annotated[Method[Query, list[int]], cancellable]
    rebuild: Method[None, None]
