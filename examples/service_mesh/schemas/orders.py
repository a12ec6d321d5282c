"""The service orders: what customers have ordered."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import cancellable, idempotent, raises
from examples.service_mesh.schemas.users import Wallet


class Unavailable(Exception):
    """The service cannot be reached. `retry_after` says when to try again, in seconds; 0 is at once."""

    retry_after: float

    def __init__(self, retry_after: float) -> None:
        super().__init__("orders are not available at the moment")
        self.retry_after = retry_after


class Order(BaseModel):
    """An order that is paid."""

    key: str
    item: str
    receipt: str


class OrderBook(Protocol):
    """The orders of one customer."""

    @idempotent
    @raises(Unavailable)
    async def orders(self) -> list[Order]: ...

    @idempotent
    @cancellable
    @raises(Unavailable)
    async def place(self, key: str, item: str, wallet: Wallet) -> Order:
        """Order something, and pay for it with a wallet: once for each key, however often that is said."""
        ...


class Orders(Protocol):
    """What the gateway may ask."""

    @idempotent
    async def book(self, owner: str) -> OrderBook: ...
