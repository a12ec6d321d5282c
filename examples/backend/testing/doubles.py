"""A double for the ledger: it has what the Protocol asks for, and inherits from nothing.

Rule: it is written out, so that a type checker compares it with the Protocol wherever it is passed; a mock that accepts
everything would go on to pass after the Protocol has changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from examples.backend.testing.schemas.billing import Invoice


@dataclass
class DictLedger:
    """Invoices in memory.

    Attributes:
        invoices: what is kept, by number.
        settled: what was noted as paid, in order.
        up: whether it can be reached.
    """

    invoices: dict[int, Invoice] = field(default_factory=lambda: {7: Invoice(number=7, cents=1250)})
    settled: list[int] = field(default_factory=list[int])
    up: bool = True

    def find(self, number: int) -> Invoice:
        """An invoice."""
        if number not in self.invoices:
            raise LookupError(f"there is no invoice {number}")
        return self.invoices[number]

    def settle(self, number: int, receipt: str) -> Invoice:
        """Note that an invoice was paid."""
        self.settled.append(number)
        self.invoices[number] = self.invoices[number].model_copy(update={"receipt": receipt})
        return self.invoices[number]

    def ping(self) -> bool:
        """Whether it can be reached."""
        return self.up
