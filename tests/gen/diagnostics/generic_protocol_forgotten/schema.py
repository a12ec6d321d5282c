from abc import ABC
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


class Page(ABC, Generic[T]):
    async def item(self) -> T: ...


class Book(Protocol):
    async def title(self) -> str: ...
