# Read from tests/gen/typescript_cases/anonymous/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/anonymous/schema.ts declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NotRequired, Protocol

from pydantic import BaseModel
from typing_extensions import TypedDict


class Shop(Protocol):
    async def order(self, input: OrderInput) -> OrderResult: ...
    async def status(self, number: float) -> OrderResult | None: ...
    async def ship(self, input: ShipInput) -> ShipResult: ...
    async def session(self) -> SessionResult: ...


class OrderInput(TypedDict):
    items: list[OrderInputItems]
    note: NotRequired[str]


class OrderInputItems(BaseModel):
    name: str
    count: float


class OrderResult(BaseModel):
    number: float
    total: float


class ShipInput(BaseModel):
    number: float


class ShipResult(BaseModel):
    by: Literal["air", "sea"]


class SessionResult(Protocol):
    async def send(self, text: str) -> None: ...


class Depot(Protocol):
    async def ship(self, input: DepotShipInput) -> None: ...
    async def each(self, visit: Callable[[OrderInputItems], None]) -> None: ...


class DepotShipInput(BaseModel):
    crate: str


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=42ab0d98e1 Shop=bb59f3e874 OrderInput=1eae84b256 OrderInputItems=e2aad343b7 OrderResult=ce97fb3cc7
# capnweb-gen: ShipInput=b504ff9145 ShipResult=2efbe6b176 SessionResult=3c15e15d6a Depot=a5d1825005
# capnweb-gen: DepotShipInput=3a93aa5aab
