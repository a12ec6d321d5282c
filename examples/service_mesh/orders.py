"""The service orders: `python -m examples.service_mesh.orders --backplane URL`.

It knows no users and no bank. What it needs of them comes with the call: a wallet, which it can spend from.
"""

from __future__ import annotations

from pydantic import TypeAdapter

from capnweb_runtime.scale import Backplane
from examples.form import shared
from examples.service_mesh import services
from examples.service_mesh.generated.orders import OrderBookTarget, OrdersTarget
from examples.service_mesh.generated.users import WalletStub
from examples.service_mesh.schemas.orders import Order

PRICE = 350
"""Cents, whatever it is."""
PLACED = TypeAdapter(list[Order])


class OrderBook(OrderBookTarget):
    """The orders of one customer: a value of the backplane, which all instances of the service share."""

    def __init__(self, owner: str, backplane: Backplane) -> None:
        self._key = f"orders/{owner}"
        self._backplane = backplane

    async def orders(self) -> list[Order]:
        return (await self._read())[0]

    async def place(self, key: str, item: str, wallet: WalletStub) -> Order:
        placed = Order(key=key, item=item, receipt=await wallet.pay(key, PRICE))
        while True:
            orders, revision = await self._read()
            for order in orders:
                if order.key == key:
                    return order
            if await self._backplane.put(self._key, PLACED.dump_json([*orders, placed]), expect=revision):
                return placed

    async def _read(self) -> tuple[list[Order], int]:
        value = await self._backplane.get(self._key)
        return ([], 0) if value is None else (PLACED.validate_json(value.data), value.revision)


class Orders(OrdersTarget):
    """Opens order books."""

    def __init__(self, backplane: Backplane) -> None:
        self._backplane = backplane

    def book(self, owner: str) -> OrderBook:
        return OrderBook(owner, self._backplane)


PARSER = shared.options("examples.service_mesh.orders", __doc__)
serving = services.service("orders", Orders)

if __name__ == "__main__":
    shared.main(PARSER, serving)
