"""The shop: `python -m examples.batch_vs_sequential.server --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from capnweb_runtime import serve
from examples.batch_vs_sequential.generated.batch_vs_sequential import ShopTarget
from examples.batch_vs_sequential.schemas.batch_vs_sequential import NoSuchProduct, Product, Supplier

NAMES = ("anvil", "bolt", "clamp", "drill", "edger", "file", "gimlet", "hammer", "iron", "jigsaw")
PRODUCTS = [Product(name=name, supplier=number % 4) for number, name in enumerate(NAMES)]
CITIES = {"Ahrens": "Aachen", "Bauer": "Basel", "Cerny": "Cheb", "Dupont": "Dijon"}
SUPPLIERS = [Supplier(name=name, city=city) for name, city in CITIES.items()]


class Shop(ShopTarget):
    """The shop.

    Parameters:
        missing: numbers that are listed, though there is no product of them any more.
    """

    def __init__(self, missing: Sequence[int] = ()) -> None:
        self._missing = missing

    def numbers(self) -> list[int]:
        return list(range(len(PRODUCTS)))

    def product(self, number: int) -> Product:
        if number in self._missing:
            raise NoSuchProduct(number)
        return PRODUCTS[number]

    def supplier(self, number: int) -> Supplier:
        return SUPPLIERS[number]


async def main(port: int, missing: Sequence[int]) -> None:
    """Serve until a signal."""
    async with serve(lambda peer: Shop(missing), "127.0.0.1", port) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.batch_vs_sequential.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--missing", type=int, nargs="*", default=[], help="products that are gone")
    options = parser.parse_args()
    asyncio.run(main(options.port, options.missing))
