"""The service orders: `python -m examples.service_mesh.orders --spans FILE --data FILE`.

It knows no users and no bank. What it needs of them comes with the call: a wallet, which it can spend from.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from capnweb_runtime import in_thread
from examples.service_mesh import services
from examples.service_mesh.generated.orders import OrderBookTarget, OrdersTarget
from examples.service_mesh.generated.users import WalletStub
from examples.service_mesh.schemas.orders import Order

PRICE = 350
"""Cents, whatever it is."""
TABLE = "CREATE TABLE IF NOT EXISTS placed (owner TEXT, key TEXT, item TEXT, receipt TEXT, PRIMARY KEY (owner, key))"


class OrderBook(OrderBookTarget):
    """The orders of one customer, in a file that all instances of the service share."""

    def __init__(self, owner: str, data: Path) -> None:
        self._owner = owner
        self._data = data

    @in_thread
    def orders(self) -> list[Order]:
        with closing(sqlite3.connect(self._data)) as database:
            rows = database.execute(
                "SELECT key, item, receipt FROM placed WHERE owner = ? ORDER BY rowid", (self._owner,)
            )
            return [Order(key=key, item=item, receipt=receipt) for key, item, receipt in rows]

    async def place(self, key: str, item: str, wallet: WalletStub) -> Order:
        receipt = await wallet.pay(key, PRICE)
        return await asyncio.to_thread(self._keep, Order(key=key, item=item, receipt=receipt))

    def _keep(self, order: Order) -> Order:
        """Keeps an order, unless that has been done; and gives the one that is kept."""
        with closing(sqlite3.connect(self._data)) as database, database:
            database.execute(
                "INSERT OR IGNORE INTO placed VALUES (?, ?, ?, ?)", (self._owner, order.key, order.item, order.receipt)
            )
            ((item, receipt),) = database.execute(
                "SELECT item, receipt FROM placed WHERE owner = ? AND key = ?", (self._owner, order.key)
            )
        return Order(key=order.key, item=item, receipt=receipt)


class Orders(OrdersTarget):
    """Opens order books."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def book(self, owner: str) -> OrderBook:
        return OrderBook(owner, self._data)


def created(data: Path) -> Path:
    """The file, with a table in it."""
    with closing(sqlite3.connect(data)) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(TABLE)
    return data


if __name__ == "__main__":
    parser = services.options("orders", __doc__)
    parser.add_argument("--data", type=Path, required=True, help="file of SQLite")
    told = parser.parse_args()
    asyncio.run(services.run("orders", lambda: Orders(created(told.data)), told))
