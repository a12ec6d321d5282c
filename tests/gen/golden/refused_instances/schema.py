from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Item(BaseModel):
    name: str


class Page(BaseModel, Generic[T]):
    items: list[T]


class PageItem(BaseModel):
    item: Item


class PageInt(Protocol):
    async def page(self) -> Page[int]: ...
    async def items(self) -> Page[Item]: ...
    async def found(self) -> PageItem: ...
