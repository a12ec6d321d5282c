"""Takes the time of each way, and counts its round trips."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from capnweb_runtime import connect
from examples.batch_vs_sequential.client import mapped
from examples.batch_vs_sequential.generated.batch_vs_sequential import ShopStub

T = TypeVar("T")
Way = Callable[[ShopStub], Awaitable[list[str]]]


@dataclass(frozen=True)
class Measured:
    """What a way to do it took.

    Attributes:
        cities: what came of it.
        round_trips: how often the client has waited for answers.
        milliseconds: how long that took, on connections that were open already.
    """

    cities: list[str]
    round_trips: int
    milliseconds: float


class Requests:
    """What one has with most interfaces over HTTP: a request and a response for each call.

    Parameters:
        url: of the server.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.round_trips = 0

    async def ask(self, question: Callable[[ShopStub], Awaitable[T]]) -> T:
        """Ask one thing, as a batch of its own."""
        batch = connect(self._url, ShopStub)
        async with batch as shop:
            answer = await question(shop)
        self.round_trips += batch.stats().round_trips
        return answer

    async def city(self, number: int) -> str:
        """Where a product comes from."""
        product = await self.ask(lambda shop: shop.product(number))
        supplier = await self.ask(lambda shop: shop.supplier(product.supplier))
        return supplier.city


async def in_session(port: int, way: Way) -> Measured:
    """One way, in a session that is open already."""
    session = connect(f"ws://127.0.0.1:{port}/", ShopStub)
    async with session as shop:
        begun = perf_counter()
        cities = await way(shop)
        return Measured(cities, session.stats().round_trips, _since(begun))


async def in_requests(port: int) -> Measured:
    """A request for each call."""
    requests, begun = Requests(f"http://127.0.0.1:{port}/"), perf_counter()
    numbers = await requests.ask(lambda shop: shop.numbers())
    cities = [await requests.city(number) for number in numbers]
    return Measured(cities, requests.round_trips, _since(begun))


async def in_one_request(port: int) -> Measured:
    """One request for everything."""
    requests, begun = Requests(f"http://127.0.0.1:{port}/"), perf_counter()
    cities = await requests.ask(mapped)
    return Measured(cities, requests.round_trips, _since(begun))


def _since(begun: float) -> float:
    return (perf_counter() - begun) * 1000
