"""The gateway, for programs: the same as in REST, with types."""

from __future__ import annotations

from typing import Annotated, Protocol

from annotated_types import Ge
from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises
from examples.microservices.schemas.catalogue import NoSuchProduct, Product
from examples.microservices.schemas.stock import SoldOut


class Unavailable(Exception):
    """A service that the gateway needs is down. `retry_after` says when to ask again, in seconds."""

    retry_after: int

    def __init__(self, retry_after: int) -> None:
        super().__init__("a service is down")
        self.retry_after = retry_after


class Offer(BaseModel):
    """A product, and how much there is of it."""

    product: Product
    left: int


class Reservation(BaseModel):
    """Something that was put aside."""

    reservation: str
    product: Product
    count: int


class Storefront(Protocol):
    """What the gateway offers."""

    @idempotent
    @raises(Unavailable)
    async def offers(self, word: str) -> list[Offer]: ...

    @idempotent
    @raises(NoSuchProduct, Unavailable)
    async def product(self, number: int) -> Product: ...

    @raises(NoSuchProduct, SoldOut, Unavailable)
    async def reserve(self, number: int, count: Annotated[int, Ge(1)]) -> Reservation: ...
