"""Needs orders, which need carts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

from tests.gen.golden.several_schemas.schemas.common import Closeable, Id

if TYPE_CHECKING:
    from tests.gen.golden.several_schemas.schemas.shop.order import Order


class Item(BaseModel):
    id: Id
    name: str


class Cart(Closeable, Protocol):
    async def items(self) -> list[Item]: ...
    async def order(self) -> Order: ...
    async def from_order(self, order: Order) -> Cart: ...
