"""What a load balancer is told, with each dependency gone, as the server says it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from capnweb_runtime import Server, serve
from capnweb_runtime.testing import Faults, PairFixture
from examples.backend.testing.doubles import DictLedger
from examples.backend.testing.generated.billing import PaymentsStub
from examples.backend.testing.generated.billing_fakes import PaymentsFake
from examples.backend.testing.service import Billing, health


async def ready(server: Server) -> tuple[int, Any]:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{server.port}/readyz") as answer:
        return answer.status, (await answer.json())["status"]


@pytest.mark.parametrize(
    ("ledger_up", "payments_up", "expected"),
    [(True, True, (200, "ready")), (True, False, (200, "degraded")), (False, True, (503, "not ready"))],
    ids=["all there", "no payments", "no ledger"],
)
async def test_readiness_depends_on_what_is_required(
    capnweb_pair: PairFixture, ledger_up: bool, payments_up: bool, expected: tuple[int, str]
) -> None:
    fake, ledger = PaymentsFake(), DictLedger(up=ledger_up)
    fake.ping.returns(payments_up)
    async with capnweb_pair(fake, PaymentsStub) as payments:
        billing = Billing(ledger, payments, "ada")
        async with serve(lambda peer: billing, "127.0.0.1", 0, health=health(ledger, payments)) as server:
            assert await ready(server) == expected


async def test_a_dependency_that_is_cut_off_is_degraded_and_not_an_error(capnweb_pair: PairFixture) -> None:
    ledger, faults = DictLedger(), Faults()
    async with capnweb_pair(PaymentsFake(), PaymentsStub, faults=faults) as payments:
        faults.cut()
        billing = Billing(ledger, payments, "ada")
        async with serve(lambda peer: billing, "127.0.0.1", 0, health=health(ledger, payments)) as server:
            assert await ready(server) == (200, "degraded")
