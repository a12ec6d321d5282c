from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Cursor(Protocol):
    async def next(self) -> int: ...


class Page(BaseModel, Generic[T]):
    items: list[T]


class Shelf(BaseModel):
    books: Page[Cursor]


class Book(Protocol):
    async def shelf(self) -> Shelf: ...
