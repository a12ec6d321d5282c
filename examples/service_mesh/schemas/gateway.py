"""The gateway: what the world sees of the services."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises
from examples.service_mesh.schemas.orders import Order, OrderBook
from examples.service_mesh.schemas.users import Wallet, WrongToken


class Overview(BaseModel):
    """What a start page shows.

    Attributes:
        owner: whose it is.
        orders: what was ordered.
        fresh: whether the service orders has just said so; otherwise it is what it said last.
    """

    owner: str
    orders: list[Order]
    fresh: bool


class Status(BaseModel):
    """How the gateway's breaker stands.

    Attributes:
        breaker: its state.
        refused: calls that it has refused by now.
    """

    breaker: Literal["closed", "open", "half-open"]
    refused: int


class Account(Protocol):
    """What a customer may do. Wallet and order book live in services that a customer cannot reach."""

    @idempotent
    async def wallet(self) -> Wallet: ...

    @idempotent
    async def book(self) -> OrderBook: ...

    @idempotent
    async def overview(self) -> Overview: ...


class Shop(Protocol):
    """What anybody may ask."""

    @idempotent
    @raises(WrongToken)
    async def sign_in(self, token: str) -> Account: ...

    @idempotent
    async def status(self) -> Status: ...
