"""Products, and who supplies them: to find out where something comes from takes two calls, one after the other."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import raises


class Product(BaseModel):
    """What is sold."""

    name: str
    supplier: int


class Supplier(BaseModel):
    """Whom it is bought of."""

    name: str
    city: str


class NoSuchProduct(Exception):
    """There is no product of that number. `number` is which."""

    number: int

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no product {number}")
        self.number = number


class Shop(Protocol):
    """A shop."""

    async def numbers(self) -> list[int]:
        """The numbers of all products."""
        ...

    @raises(NoSuchProduct)
    async def product(self, number: int) -> Product: ...

    async def supplier(self, number: int) -> Supplier: ...
