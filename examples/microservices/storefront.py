"""What the gateway does, whichever way it is asked. Rule: this knows no web framework."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from capnweb_runtime import SessionClosed
from examples.microservices.generated.catalogue import CatalogueStub
from examples.microservices.generated.stock import StockStub
from examples.microservices.generated.storefront import StorefrontTarget
from examples.microservices.schemas.catalogue import Product
from examples.microservices.schemas.storefront import Offer, Reservation, Unavailable

RETRY_AFTER = 1
"""Seconds after which to ask again when a service is down."""


@dataclass(frozen=True)
class Services:
    """The services that the gateway asks.

    Attributes:
        catalogue: what there is to buy.
        stock: how much of it.
    """

    catalogue: CatalogueStub
    stock: StockStub


class Storefront(StorefrontTarget):
    """Puts together what the services say: one call of each, whatever is found."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def offers(self, word: str) -> list[Offer]:
        with needed():
            products = await self._services.catalogue.search(word)
            levels = await self._services.stock.levels([product.number for product in products])
        return [Offer(product=product, left=left) for product, left in zip(products, levels, strict=True)]

    async def product(self, number: int) -> Product:
        with needed():
            return await self._services.catalogue.product(number)

    async def reserve(self, number: int, count: int) -> Reservation:
        product = await self.product(number)
        with needed():
            reservation = await self._services.stock.reserve(number, count)
        return Reservation(reservation=reservation, product=product, count=count)


@contextmanager
def needed() -> Generator[None]:
    """Services are asked without which there is no answer: what is lost with one of them is `Unavailable`."""
    try:
        yield
    except SessionClosed:
        raise Unavailable(RETRY_AFTER) from None
