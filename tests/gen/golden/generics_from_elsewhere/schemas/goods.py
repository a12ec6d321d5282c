"""What is sold, which a generic of the library is given."""

from typing import Protocol

from pydantic import BaseModel

from tests.gen.golden.generics_from_elsewhere.library import Library, Shelf


class Item(BaseModel):
    name: str


class Store(Protocol):
    async def library(self) -> Library[Item]: ...
    async def labels(self) -> Shelf[str]: ...
