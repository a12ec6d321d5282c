"""A client that goes on: `python -m examples.resilient_rpc.client ws://127.0.0.1:8080/`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal

from capnweb_runtime import Connected, Disconnected, Reconnect, SessionError, connect, deadline
from examples.resilient_rpc.generated.resilient_rpc import ShopStub, WatchStub
from examples.resilient_rpc.schemas.resilient_rpc import Change, Sale

LIST_PRICES = {"lamp": 1999, "rug": 4999, "vase": 999}
"""What the catalogue says, for want of anything better."""


@dataclass(frozen=True)
class Quote:
    """A price, and how good it is."""

    cents: int
    source: Literal["live", "last known", "catalogue"]

    def __str__(self) -> str:
        return f"{self.cents / 100:.2f}, {self.source}"


@dataclass(frozen=True)
class Unknown:
    """Nobody knows whether the call was carried out: it was sent, and has no answer."""


class Prices:
    """Prices of the shop, kept up to date over as many sessions as it takes.

    Parameters:
        patience: seconds to wait for a price before the last known one has to do.
        on_change: told of each change, once.

    Attributes:
        version: of the newest price that is known.
        is_connected: whether there is a session.
    """

    def __init__(self, patience: float = 5.0, on_change: Callable[[Change], None] = lambda change: None) -> None:
        self.version = 0
        self.is_connected = False
        self._patience = patience
        self._tell = on_change
        self._known: dict[str, int] = {}
        self._watch: WatchStub | None = None
        self._news = asyncio.Event()

    async def subscribe(self, shop: ShopStub, info: Connected) -> None:
        """Asks for what was missed, and for what is to come; for `Reconnect.on_connect`."""
        self._watch = await shop.watch(self._changed, self.version)  # holding it is being told
        self.is_connected = True

    def lost(self, error: BaseException) -> None:
        """Notes that there is no session; for `Reconnect.on_disconnect`."""
        self.is_connected = False

    async def quote(self, shop: ShopStub, product: str) -> Quote:
        """A price, as good as can be had."""
        if self.is_connected:
            try:
                with deadline(self._patience):
                    return Quote(await shop.price(product), "live")
            except (SessionError, TimeoutError):
                pass
        if product in self._known:
            return Quote(self._known[product], "last known")
        return Quote(LIST_PRICES[product], "catalogue")

    async def until(self, version: int) -> None:
        """Waits until it has been told of a version."""
        while self.version < version:
            self._news.clear()
            await self._news.wait()

    def _changed(self, change: Change) -> None:
        self.version = change.version
        self._known[change.product] = change.cents
        self._tell(change)
        self._news.set()


async def drawn(shop: ShopStub, customer: str) -> int | Unknown:
    """Draws a ticket at most once. What was not sent is sent; what was sent and not answered is not sent again."""
    while True:
        try:
            return await shop.draw(customer)
        except Disconnected as error:
            if error.sent:
                return Unknown()


async def all_sales(shop: ShopStub) -> AsyncIterator[Sale]:
    """The whole report. A stream that breaks is asked for again, from where it broke."""
    after = 0
    while True:
        try:
            async for sale in shop.sales(after):
                yield sale
                after = sale.number
            return
        except SessionError as error:
            if isinstance(error, Disconnected) and not error.sent:
                raise  # the client has ended, or has waited for too long


async def main(url: str) -> None:
    """Show what the shop has."""
    prices = Prices()
    policy = Reconnect(on_connect=prices.subscribe, on_disconnect=prices.lost)
    async with connect(url, ShopStub, reconnect=policy) as shop:
        for product in LIST_PRICES:
            print(product, await prices.quote(shop, product))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
