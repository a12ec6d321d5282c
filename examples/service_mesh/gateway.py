"""The gateway: `python -m examples.service_mesh.gateway --users URL --orders URL URL`.

Rule: what is traced, bounded and guarded here is an object of the gateway's with the interface of what it asks. A stub
that is handed on as it is would be relayed by the runtime, with nothing of the gateway's around its calls.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager

from capnweb_runtime import Reconnect, Server, connect, serve
from capnweb_runtime.scale import Backplane
from examples.form import shared
from examples.service_mesh import services
from examples.service_mesh.breaker import Breaker
from examples.service_mesh.generated.gateway import AccountTarget, ShopTarget
from examples.service_mesh.generated.orders import OrderBookStub, OrderBookTarget, OrdersStub
from examples.service_mesh.generated.users import UsersStub, WalletStub, WalletTarget
from examples.service_mesh.schemas.gateway import Overview, Status
from examples.service_mesh.schemas.orders import Order, Unavailable
from examples.service_mesh.traces import traced

PARSER = shared.options("examples.service_mesh.gateway", "The gateway of the mesh.")
PARSER.add_argument("--users", required=True, help="URL of the service users")
PARSER.add_argument("--orders", required=True, nargs="+", help="URLs of the instances of the service orders")
PARSER.add_argument("--patience", type=float, default=2.0, help="seconds that a call waits for a service")
PARSER.add_argument("--rest", type=float, default=5.0, help="seconds that the breaker stays open")


class WalletRelay(WalletTarget):
    """A wallet that lives in the service users, for the client and for the service orders."""

    def __init__(self, wallet: WalletStub) -> None:
        self._wallet = wallet

    def owner(self) -> Awaitable[str]:
        return self._wallet.owner()

    def pay(self, key: str, cents: int) -> Awaitable[str]:
        return self._wallet.pay(key, cents)

    def dispose(self) -> None:
        self._wallet.dispose()


class BookRelay(OrderBookTarget):
    """An order book that lives in the service orders."""

    def __init__(self, book: OrderBookStub) -> None:
        self._book = book

    def orders(self) -> Awaitable[list[Order]]:
        return self._book.orders()

    def place(self, key: str, item: str, wallet: WalletStub) -> Awaitable[Order]:
        return self._book.place(key, item, wallet)

    def dispose(self) -> None:
        self._book.dispose()


class Account(AccountTarget):
    """What one customer may do."""

    def __init__(self, owner: str, wallet: WalletStub, book: OrderBookStub, breaker: Breaker) -> None:
        self._owner, self._wallet, self._book, self._breaker = owner, wallet, book, breaker
        self._known: list[Order] = []  # what the service orders has said last

    def wallet(self) -> WalletRelay:
        return WalletRelay(self._wallet.dup())

    def book(self) -> BookRelay:
        return BookRelay(self._book.dup())

    async def overview(self) -> Overview:
        try:
            self._known = await self._breaker.guard(self._book.orders)
        except (Unavailable, TimeoutError):
            return Overview(owner=self._owner, orders=self._known, fresh=False)
        return Overview(owner=self._owner, orders=self._known, fresh=True)

    def dispose(self) -> None:
        self._wallet.dispose()
        self._book.dispose()


class Shop(ShopTarget):
    """What anybody may ask."""

    def __init__(self, users: UsersStub, orders: OrdersStub, breaker: Breaker) -> None:
        self._users, self._orders, self._breaker = users, orders, breaker

    async def sign_in(self, token: str) -> Account:
        wallet = await self._users.wallet(token)
        owner = await wallet.owner()
        return Account(owner, wallet, await self._orders.book(owner), self._breaker)

    def status(self) -> Status:
        return Status(breaker=self._breaker.state, refused=self._breaker.refused)


@asynccontextmanager
async def serving(told: argparse.Namespace, backplane: Backplane) -> AsyncGenerator[Server]:
    """The gateway."""
    breaker = Breaker({"OrderBook"}, failures=3, rest=told.rest)
    again = Reconnect(first=0.02, longest=0.2, wait_time=told.patience)
    key = services.credentials()
    async with (
        traced("gateway", backplane) as (telemetry, _),
        connect(told.users, UsersStub, headers=key, interceptors=[telemetry], reconnect=again) as users,
        connect(told.orders, OrdersStub, headers=key, interceptors=[telemetry], reconnect=again) as orders,
        serve(
            lambda peer: Shop(users, orders, breaker), "127.0.0.1", told.port, interceptors=[telemetry, breaker]
        ) as server,
    ):
        yield server


if __name__ == "__main__":
    shared.main(PARSER, serving)
