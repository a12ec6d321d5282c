"""A shop with methods of three kinds: those that read, those that carry a key, and those that have neither."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Protocol

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises


class NoSuchProduct(Exception):
    """The shop does not have that."""


class Change(BaseModel):
    """A price, and how many changes of prices there had been with it."""

    version: int
    product: str
    cents: int


class Sale(BaseModel):
    """A line of the report."""

    number: int
    product: str


class Audit(BaseModel):
    """What was carried out, for comparing with what clients believe."""

    orders: dict[str, int]
    """How often each order was asked for, by key. It was carried out once, or it would not be here."""
    draws: dict[str, int]
    """How often a ticket was drawn for each customer."""


class Account(Protocol):
    """A capability that is got for a name, and can be got again."""

    @idempotent
    async def points(self) -> int: ...


class Basket(Protocol):
    """A capability of its session: another call gives another basket."""

    async def put(self, product: str) -> int: ...


class Watch(Protocol):
    """Holding one is being told of prices."""


class Shop(Protocol):
    @idempotent
    @raises(NoSuchProduct)
    async def price(self, product: Annotated[str, MaxLen(40)]) -> int:
        """Reads: calling it twice does what calling it once does."""
        ...

    @idempotent
    @raises(NoSuchProduct)
    async def order(self, key: Annotated[str, MinLen(1), MaxLen(40)], product: Annotated[str, MaxLen(40)]) -> int:
        """Orders, once for each key, and gives the number of the order. The key makes it repeatable."""
        ...

    async def draw(self, customer: Annotated[str, MaxLen(40)]) -> int:
        """Draws a ticket. Calling it twice draws two: whoever does not hear the answer cannot know."""
        ...

    @idempotent
    async def account(self, name: Annotated[str, MaxLen(40)]) -> Account: ...

    async def basket(self) -> Basket: ...

    async def sales(self, after: int) -> AsyncIterator[Sale]:
        """The report, from the line behind a number on."""
        ...

    async def watch(self, on_change: Callable[[Change], None], since: int) -> Watch:
        """Tells of all changes since a version, and then of each that is made."""
        ...

    @raises(NoSuchProduct)
    async def set_price(self, product: Annotated[str, MaxLen(40)], cents: int) -> int: ...

    @idempotent
    async def audit(self) -> Audit: ...
