"""Customers, who are found by their id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from annotated_types import Ge, Le, Len
from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises


class Customer(BaseModel):
    """A customer. The id is 24 hexadecimal digits, whatever the database makes of it."""

    id: str
    name: Annotated[str, Len(1, 100)]
    city: str


class NoSuchCustomer(LookupError):
    """Nobody has this id."""

    id: str

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no customer {id}")
        self.id = id


class AlreadyThere(ValueError):
    """Somebody has this id."""

    id: str

    def __init__(self, id: str) -> None:
        super().__init__(f"there is a customer {id}")
        self.id = id


class Customers(Protocol):
    """The customers of a shop."""

    @raises(AlreadyThere)
    async def add(self, customer: Customer) -> None: ...

    @idempotent
    @raises(NoSuchCustomer)
    async def find(self, id: str) -> Customer: ...

    @idempotent
    async def in_city(self, city: str, most: Annotated[int, Ge(1), Le(100)] = 100) -> list[Customer]: ...

    async def every(self) -> AsyncIterator[Customer]:
        """All customers, in the order of their ids, as many at a time as the reader takes."""
        ...
