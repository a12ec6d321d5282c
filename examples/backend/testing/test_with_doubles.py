"""The service with doubles for all that it depends on."""

from __future__ import annotations

from unittest.mock import create_autospec

import pytest

from capnweb_runtime.testing import PairFixture
from examples.backend.testing.doubles import DictLedger
from examples.backend.testing.generated.billing import PaymentsStub
from examples.backend.testing.generated.billing_fakes import PaymentsFake
from examples.backend.testing.schemas.billing import Declined, Invoice
from examples.backend.testing.service import Billing, Ledger


async def test_an_invoice_is_paid_and_noted(capnweb_pair: PairFixture) -> None:
    fake, ledger = PaymentsFake(), DictLedger()
    fake.collect.returns("receipt 1")
    async with capnweb_pair(fake, PaymentsStub) as payments:
        paid = await Billing(ledger, payments, "ada").pay(7)
    assert paid == Invoice(number=7, cents=1250, receipt="receipt 1")
    assert [(call.account, call.cents) for call in fake.collect.calls] == [("ada", 1250)]


async def test_what_was_paid_is_not_paid_again(capnweb_pair: PairFixture) -> None:
    fake, ledger = PaymentsFake(), DictLedger()
    fake.collect.returns("receipt 1", times=1)
    async with capnweb_pair(fake, PaymentsStub) as payments:
        billing = Billing(ledger, payments, "ada")
        assert await billing.pay(7) == await billing.pay(7)
    assert ledger.settled == [7]


async def test_what_is_declined_is_not_noted(capnweb_pair: PairFixture) -> None:
    fake, ledger = PaymentsFake(), DictLedger()
    fake.collect.raises(Declined("no funds"))
    async with capnweb_pair(fake, PaymentsStub) as payments:
        with pytest.raises(Declined) as caught:
            await Billing(ledger, payments, "ada").pay(7)
    assert caught.value.reason == "no funds"
    assert ledger.settled == []


def test_a_mock_with_a_specification_refuses_what_the_protocol_does_not_have() -> None:
    ledger = create_autospec(Ledger, instance=True)
    ledger.find.return_value = Invoice(number=7, cents=1)
    assert ledger.find(7).cents == 1
    with pytest.raises(AttributeError, match="settled"):
        ledger.settled(7)
    with pytest.raises(TypeError, match="too many positional arguments"):
        ledger.find(7, 8)
