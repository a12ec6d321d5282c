"""Methods and properties with a cost, and lists whose length is assumed."""

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from annotated_types import MaxLen
from pydantic import BaseModel

from capnweb_runtime import schema
from capnweb_runtime.schema import InterfaceModel, Method, Property, cancellable, cost, raises


class TooBroad(Exception):
    """There is no end to what was asked for."""


class Query(BaseModel):
    word: str


class OnHit(Protocol):
    @cost(2)
    async def __call__(self, number: int, *, last: bool = False) -> bool: ...


class Search(Protocol):
    @cost(25, items=20)
    @cancellable
    @raises(TooBroad)
    async def find(self, word: str, limit: int = 10) -> list[int]: ...

    @schema.cost(items=1_000)
    async def words(self) -> Annotated[list[str], MaxLen(1000)] | None: ...

    @cost(5)
    async def each(self, word: str, on_hit: OnHit) -> int: ...

    @cost(1)
    async def count(self, numbers: list[int]) -> int: ...

    @property
    @cost(3, items=2)
    def names(self) -> set[str]: ...

    async def follow(self, word: str) -> AsyncIterator[int]: ...


class Index(InterfaceModel):
    find: Annotated[Method[Query, list[int]], cost(25, items=20)]
    size: Annotated[Property[int], cost(2)]
    rebuild: Method[None, None]
