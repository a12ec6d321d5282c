"""What a client of the shop does: `python -m examples.service_mesh.client URL TOKEN ITEM ...`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field

from capnweb_runtime import Reconnect, connect, deadline
from examples.service_mesh.generated.gateway import AccountStub, ShopStub
from examples.service_mesh.generated.orders import OrderBookStub
from examples.service_mesh.generated.users import WalletStub
from examples.service_mesh.schemas.orders import Order

PATIENCE = 10.0
"""Seconds that somebody waits for an order, through all services."""


async def buy(account: AccountStub, key: str, item: str, patience: float = PATIENCE) -> Order:
    """Order something: the order book of one service is handed the wallet of another, in one round trip."""
    with deadline(patience):
        async with account.book() as book, account.wallet() as wallet:  # promises: nothing has been awaited
            return await book.place(key, item, wallet)


@dataclass
class Tally:
    """What a customer has sent and been answered.

    Attributes:
        sent: keys of the orders, as they were sent.
        answered: the orders.
    """

    sent: list[str] = field(default_factory=list[str])
    answered: list[Order] = field(default_factory=list[Order])


async def keep_buying(
    name: str, book: OrderBookStub, wallet: WalletStub, tally: Tally, pause: float, until: asyncio.Event
) -> None:
    """Order tea again and again. A call that fails ends it.

    Parameters:
        name: what the keys of the orders begin with.
        book: where.
        wallet: what pays.
        tally: is kept.
        pause: seconds between two orders.
        until: is set to end it.
    """
    while not until.is_set():
        key = f"{name}-{len(tally.sent)}"
        tally.sent.append(key)
        with deadline(PATIENCE):
            tally.answered.append(await book.place(key, "tea", wallet))
        await asyncio.sleep(pause)


async def main(url: str, token: str, items: list[str]) -> None:
    """Sign in, buy, and print."""
    async with connect(url, ShopStub, reconnect=Reconnect()) as shop, await shop.sign_in(token) as account:
        for number, item in enumerate(items):
            print(await buy(account, f"{token}-{number}", item))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
