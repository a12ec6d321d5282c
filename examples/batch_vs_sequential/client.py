"""Five ways to find out where all products come from: `python -m examples.batch_vs_sequential.client URL`.

All give the same. They differ in how often they wait for the line.
"""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import RpcPromise, connect
from examples.batch_vs_sequential.generated.batch_vs_sequential import ShopStub


async def one_after_the_other(shop: ShopStub) -> list[str]:
    """Each call is awaited before the next one is made."""
    cities: list[str] = []
    for number in await shop.numbers():
        product = await shop.product(number)
        supplier = await shop.supplier(product.supplier)
        cities.append(supplier.city)
    return cities


async def concurrent(shop: ShopStub) -> list[str]:
    """All products at a time, each in two steps."""

    async def city(number: int) -> str:
        product = await shop.product(number)
        supplier = await shop.supplier(product.supplier)
        return supplier.city

    return await asyncio.gather(*[city(number) for number in await shop.numbers()])


def city_of(shop: ShopStub, number: int | RpcPromise[int]) -> RpcPromise[str]:
    """Where a product comes from: a promise, made of promises."""
    return shop.supplier(shop.product(number).supplier).city


async def pipelined(shop: ShopStub) -> list[str]:
    """All products at a time, each in one step."""
    return await asyncio.gather(*[city_of(shop, number) for number in await shop.numbers()])


async def mapped(shop: ShopStub) -> list[str]:
    """One step, and what is to be done with a number travels instead of the numbers."""
    return await shop.numbers().map(lambda number: city_of(shop, number))


async def main(url: str) -> None:
    """Print where all products come from."""
    async with connect(url, ShopStub) as shop:
        print(*await mapped(shop))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
