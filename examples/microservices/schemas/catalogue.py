"""The service catalogue: what there is to buy."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises


class NoSuchProduct(Exception):
    """There is no product of that number."""


class Product(BaseModel):
    """Something to buy."""

    number: int
    name: str
    cents: int


class Catalogue(Protocol):
    """What there is to buy."""

    @idempotent
    async def search(self, word: str) -> list[Product]: ...

    @idempotent
    @raises(NoSuchProduct)
    async def product(self, number: int) -> Product: ...
