"""The service as its clients see it: what travels, what it costs, what is left, and a line that is cut."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import ConnectionLost
from capnweb_runtime.testing import Faults, PairFixture, Record, ServerFixture, pair
from examples.backend.testing.doubles import DictLedger
from examples.backend.testing.generated.billing import BillingStub, PaymentsStub
from examples.backend.testing.generated.billing_fakes import BillingFake, PaymentsFake
from examples.backend.testing.schemas.billing import Invoice
from examples.backend.testing.service import Billing


@pytest.mark.capnweb(no_leaks=True)
async def test_two_invoices_are_read_in_one_round_trip(capnweb_pair: PairFixture, capnweb_calls: Record) -> None:
    fake = BillingFake()
    fake.invoice.does(lambda number: Invoice(number=number, cents=number))
    async with capnweb_pair(fake, BillingStub) as billing:
        seven, eight = await asyncio.gather(billing.invoice(7), billing.invoice(8))
    assert (seven.cents, eight.cents) == (7, 8)
    assert capnweb_calls.round_trips == 1


async def test_an_invoice_that_is_not_there_is_a_lookup_error_over_a_socket_too(capnweb_server: ServerFixture) -> None:
    async with pair(PaymentsFake(), PaymentsStub) as payments:
        service = Billing(DictLedger(), payments, "ada")
        async with capnweb_server(lambda peer: service, BillingStub) as billing:
            with pytest.raises(LookupError, match="there is no invoice 9"):
                await billing.invoice(9)


async def test_a_cut_in_the_middle_of_a_payment_leaves_the_invoice_unpaid(capnweb_pair: PairFixture) -> None:
    faults, ledger, fake = Faults(), DictLedger(), PaymentsFake()
    fake.collect.returns("receipt 1")
    async with capnweb_pair(fake, PaymentsStub, faults=faults) as payments:
        faults.to_client.cut_after(10)  # bytes of the answer: the money may have been collected
        with pytest.raises(ConnectionLost):
            await Billing(ledger, payments, "ada").pay(7)
    assert ledger.settled == [], "it can be paid again, and the receipt asked for"
