from typing import Protocol

from pydantic import BaseModel


class Item(BaseModel):
    sku: str


ItemV1 = Item


class Item(BaseModel):
    price: int


class Api(Protocol):
    async def find(self, item: ItemV1) -> Item: ...
