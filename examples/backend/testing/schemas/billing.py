"""Invoices, and those who collect the money."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import idempotent, raises


class Invoice(BaseModel):
    """What somebody owes, in cents, and the receipt, once it is paid."""

    number: int
    cents: int
    receipt: str | None = None


class Declined(Exception):
    """The payment was declined."""

    reason: str

    def __init__(self, reason: str) -> None:
        super().__init__(f"declined: {reason}")
        self.reason = reason


class Payments(Protocol):
    """Somebody else's service."""

    @raises(Declined)
    async def collect(self, account: str, cents: int) -> str:
        """Collect money, and give a receipt."""
        ...

    @idempotent
    async def ping(self) -> bool: ...


class Billing(Protocol):
    """Ours."""

    @raises(Declined)
    async def pay(self, number: int) -> Invoice: ...

    @idempotent
    async def invoice(self, number: int) -> Invoice: ...
