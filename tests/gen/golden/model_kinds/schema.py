"""What pydantic models can be beyond a list of fields."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, computed_field, field_validator, model_validator

T = TypeVar("T")
K = TypeVar("K")


class Named(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=5)]


class Item(Named):
    price: int = Field(ge=0)

    @computed_field
    @property
    def label(self) -> str:
        return f"{self.name}: {self.price}"

    @computed_field(alias="isCheap")
    @property
    def cheap(self) -> bool:
        return self.price < 10

    @field_validator("price")
    @classmethod
    def no_thirteen(cls, price: int) -> int:
        if price == 13:
            raise ValueError("thirteen")
        return price

    model_config = ConfigDict(extra="forbid")


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    items: list[T]
    next: int | None = None


class Pair(BaseModel, Generic[K, T]):
    key: K
    value: T


class Dates(Page[date]):
    of: int


class Names(RootModel[list[str]]):
    """Names in order."""


class Price(RootModel[int]):
    @model_validator(mode="after")
    def not_negative(self) -> "Price":
        if self.root < 0:
            raise ValueError("negative")
        return self


class Basket(BaseModel):
    page: Page[Item]
    best: Page[Item | None] | None = None
    names: Names
    by_name: dict[str, Pair[str, Page[int]]] = {}


class Shop(Protocol):
    @property
    def names(self) -> Names: ...
    async def page(self, of: Page[Item]) -> Page[Item]: ...
    async def numbers(self, page: Page[list[int]] | None = None) -> Page[int]: ...
    async def dates(self) -> Dates: ...
    async def price(self, price: Price, extra: list[Price]) -> Price | None: ...
    async def basket(self, basket: Basket) -> Basket: ...
    async def pairs(self) -> AsyncIterator[Pair[str, Price]]: ...
