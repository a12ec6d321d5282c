"""What a client of the shop does: `python -m examples.service_mesh.client URL TOKEN ITEM ...`."""

from __future__ import annotations

import asyncio
import sys
from itertools import count

from capnweb_runtime import Reconnect, connect, deadline
from examples.service_mesh.generated.gateway import AccountStub, ShopStub
from examples.service_mesh.generated.orders import OrderBookStub
from examples.service_mesh.generated.users import WalletStub
from examples.service_mesh.schemas.orders import Order

PATIENCE = 10.0
"""Seconds that somebody waits for an order, through all services."""
PAUSE = 0.02
"""Seconds between two orders of one customer."""


async def buy(account: AccountStub, key: str, item: str, patience: float = PATIENCE) -> Order:
    """Order something: the order book of one service is handed the wallet of another, in one round trip."""
    with deadline(patience):
        async with account.book() as book, account.wallet() as wallet:  # promises: nothing has been awaited
            return await book.place(key, item, wallet)


async def keep_buying(
    name: str, book: OrderBookStub, wallet: WalletStub, answered: list[Order], until: asyncio.Event
) -> None:
    """Order tea again and again. A call that fails ends it.

    Parameters:
        name: what the keys of the orders begin with.
        book: where.
        wallet: what pays.
        answered: gets the orders.
        until: is set to end it.
    """
    for number in count():
        if until.is_set():
            return
        with deadline(PATIENCE):
            answered.append(await book.place(f"{name}-{number}", "tea", wallet))
        await asyncio.sleep(PAUSE)


async def main(url: str, token: str, items: list[str]) -> None:
    """Sign in, buy, and print."""
    async with connect(url, ShopStub, reconnect=Reconnect()) as shop, await shop.sign_in(token) as account:
        for number, item in enumerate(items):
            print(await buy(account, f"{token}-{number}", item))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
