"""The service that is tested. It asks for what it needs by Protocols, and gets the rest as arguments."""

from __future__ import annotations

from typing import Protocol

from capnweb_runtime.health import Check, Health
from examples.backend.testing.generated.billing import BillingTarget, PaymentsStub
from examples.backend.testing.schemas.billing import Invoice


class Ledger(Protocol):
    """Where invoices are kept."""

    def find(self, number: int) -> Invoice:
        """An invoice. Raises LookupError."""
        ...

    def settle(self, number: int, receipt: str) -> Invoice:
        """Note that an invoice was paid."""
        ...

    def ping(self) -> bool:
        """Whether it can be reached."""
        ...


class Billing(BillingTarget):
    """Collects what is owed, once.

    Parameters:
        ledger: where invoices are kept.
        payments: who collects.
        account: from whom.
    """

    def __init__(self, ledger: Ledger, payments: PaymentsStub, account: str) -> None:
        self._ledger = ledger
        self._payments = payments
        self._account = account

    async def pay(self, number: int) -> Invoice:
        invoice = self._ledger.find(number)
        if invoice.receipt is not None:
            return invoice  # it was paid before
        receipt = await self._payments.collect(self._account, invoice.cents)
        return self._ledger.settle(number, receipt)

    async def invoice(self, number: int) -> Invoice:
        return self._ledger.find(number)


def health(ledger: Ledger, payments: PaymentsStub) -> Health:
    """The ledger is required; without payments, invoices can still be read."""

    async def payments_answer() -> bool:
        return await payments.ping()

    checks = [Check("ledger", ledger.ping), Check("payments", payments_answer, required=False)]
    return Health(ready="/readyz", checks=checks, max_age=0)
