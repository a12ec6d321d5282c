"""The shop: `python -m examples.resilient_rpc.server --port 8080 --file shop.sqlite`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from capnweb_runtime import CallbackStub, SessionError, serve
from examples.resilient_rpc.generated.resilient_rpc import AccountTarget, BasketTarget, ShopTarget, WatchTarget
from examples.resilient_rpc.ledger import Ledger
from examples.resilient_rpc.schemas.resilient_rpc import Audit, Change, NoSuchProduct, Sale

SALES = 500
"""Lines of the report."""


class Account(AccountTarget):
    def __init__(self, name: str) -> None:
        self._name = name

    def points(self) -> int:
        return 100 * len(self._name)


class Basket(BasketTarget):
    def __init__(self) -> None:
        self._products: list[str] = []

    def put(self, product: str) -> int:
        self._products.append(product)
        return len(self._products)


class Watch(WatchTarget):
    """Tells one client of prices, one after another, from a version on."""

    def __init__(self, shop: Shop, on_change: CallbackStub[[Change], None], since: int) -> None:
        self._shop = shop
        self._on_change = on_change.dup()  # the one that was passed ends with the call that brought it
        self._since = since
        self._telling = asyncio.create_task(self._tell())

    def dispose(self) -> None:
        self._telling.cancel()
        self._on_change.dispose()

    async def _tell(self) -> None:
        while True:
            for change in await self._shop.changes(self._since):
                try:
                    await self._on_change(change)
                except SessionError:
                    return  # the client is gone; `dispose` follows
                self._since = change.version


class Shop(ShopTarget):
    """The main object of all sessions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._news = asyncio.Event()  # set and replaced with each change of a price

    def price(self, product: str) -> int:
        cents = self._ledger.price(product)
        if cents is None:
            raise NoSuchProduct(f"there is no {product!r}")
        return cents

    def order(self, key: str, product: str) -> int:
        self.price(product)
        return self._ledger.order(key, product)

    def draw(self, customer: str) -> int:
        return self._ledger.draw(customer)

    def account(self, name: str) -> Account:
        return Account(name)

    def basket(self) -> Basket:
        return Basket()

    async def sales(self, after: int) -> AsyncIterator[Sale]:
        for number in range(after + 1, SALES + 1):
            yield Sale(number=number, product=("lamp", "rug", "vase")[number % 3])

    def watch(self, on_change: CallbackStub[[Change], None], since: int) -> Watch:
        return Watch(self, on_change, since)

    async def changes(self, since: int) -> list[Change]:
        """The changes of prices after a version, as soon as there is one."""
        while not (changes := self._ledger.changes(since)):
            await self._news.wait()
        return changes

    def set_price(self, product: str, cents: int) -> int:
        self.price(product)
        version = self._ledger.set_price(product, cents)
        self._news.set()
        self._news = asyncio.Event()
        return version

    def audit(self) -> Audit:
        return Audit(orders=self._ledger.orders(), draws=self._ledger.draws())


async def main(port: int, file: Path) -> None:
    """Serve until a signal."""
    with closing(Ledger(file)) as ledger:
        shop = Shop(ledger)
        async with serve(lambda peer: shop, "127.0.0.1", port) as server:
            print("serving", server.url, flush=True)
            await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.resilient_rpc.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--file", type=Path, default="shop.sqlite", help="what is remembered (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.port, options.file))
