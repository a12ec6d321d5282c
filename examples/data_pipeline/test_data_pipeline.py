"""The pipeline does what its README claims."""

from __future__ import annotations

import asyncio

import pytest

from capnweb_runtime import AnyStub, Limits, RpcError
from capnweb_runtime.testing import PairFixture, Record
from examples.data_pipeline.client import (
    all_at_once,
    booked_at_once,
    booked_batch_by_batch,
    row_by_row,
    step_by_step,
    with_refusals,
)
from examples.data_pipeline.generated.data_pipeline import OrdersStub, OrdersTarget
from examples.data_pipeline.schemas.data_pipeline import MalformedRow, Row
from examples.data_pipeline.server import BATCHES, ROWS, Orders, deliveries
from examples.form.testing import as_documented


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("data_pipeline")
    assert ran.number("recorded once with map(), round trips") == 1
    assert ran.number("recorded once with map(), messages") <= 100
    assert ran.number("recorded once with map(), queries for 300 customers") <= 100
    assert ran.number("a chain of calls for each row, queries for 300 customers") == BATCHES * ROWS
    assert ran.number("a chain of calls for each row, round trips") == 1 + BATCHES * ROWS
    assert ran.number("a call for each step of each row, round trips") == 1_498
    assert ran.number("a call for each step of each row, messages") == 5_992
    assert ran.number("decided in a plan, round trips") == 1
    assert ran.number("decided in a plan, queries for 200 customers") <= 100
    assert ran.number("decided with while and if, round trips") == 1 + 2 * BATCHES


@pytest.mark.capnweb(no_leaks=True)
async def test_whichever_way_the_invoices_are_made_they_are_the_same(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    async with capnweb_pair(Orders(deliveries()), OrdersStub) as orders:
        mapped = await all_at_once(orders)
        assert capnweb_calls.round_trips == 1
        assert len(capnweb_calls.of(OrdersTarget.join)) == BATCHES * ROWS
        assert mapped == await row_by_row(orders) == await step_by_step(orders)
    assert [[invoice.number for invoice in batch] for batch in mapped] == [
        [*range(start, start + ROWS)] for start in range(0, BATCHES * ROWS, ROWS)
    ]


@pytest.mark.capnweb(no_leaks=True)
async def test_one_malformed_row_fails_a_map_and_the_steps_of_the_others_have_run(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    async with capnweb_pair(Orders(deliveries(malformed=1)), OrdersStub) as orders:
        with pytest.raises(MalformedRow, match=r"batch 1, row 17, items\.2\.quantity") as caught:
            await all_at_once(orders)
        assert caught.value.refusal.path == ["items", 2, "quantity"]
        assert await orders.customer(0).name == "Customer 0"  # the session goes on
    validated = capnweb_calls.of(OrdersTarget.validate)
    assert len(validated) == BATCHES * ROWS
    assert [call.arguments[0].index for call in validated if call.error] == [17]
    assert len(capnweb_calls.of(OrdersTarget.join)) == BATCHES * ROWS - 1


@pytest.mark.capnweb(no_leaks=True)
async def test_refusals_apart_every_row_has_an_invoice_or_a_refusal(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    async with capnweb_pair(Orders(deliveries(malformed=30)), OrdersStub) as orders:
        outcomes = await with_refusals(orders)
        assert capnweb_calls.round_trips == 1
    assert [(len(outcome.invoices), len(outcome.refused)) for outcome in outcomes] == [(100, 0), (70, 30), (100, 0)]
    assert [refusal.index for refusal in outcomes[1].refused] == [*range(17, 47)]


@pytest.mark.parametrize(("takes_plans", "round_trips"), [(True, 1), (False, 2 + 2 * BATCHES)])
@pytest.mark.capnweb(no_leaks=True)
async def test_a_plan_decides_on_the_server_or_with_one_that_takes_none_from_here(
    capnweb_pair: PairFixture, capnweb_calls: Record, *, takes_plans: bool, round_trips: int
) -> None:
    async with capnweb_pair(Orders(deliveries(malformed=30)), OrdersStub, plans=takes_plans) as orders:
        booked = await booked_at_once(orders)
        assert (booked.invoices, booked.held_back, booked.more) == (200, ["batch 1"], False)
        assert capnweb_calls.round_trips == round_trips
        assert await booked_batch_by_batch(orders) == booked
    made = [len(capnweb_calls.of(method)) for method in (OrdersTarget.book, OrdersTarget.hold_back)]
    assert made == [2 * (BATCHES - 1), 2]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("{}", ["number"]),
        ("not JSON", []),
        ('{"number": 1, "customer": 1, "items": [{"sku": "A1", "quantity": 0}]}', ["items", 0, "quantity"]),
        ('{"number": 1, "customer": 1, "items": [{"quantity": 1}]}', ["items", 0, "sku"]),
    ],
)
async def test_a_malformed_row_is_told_with_its_place(
    capnweb_pair: PairFixture, text: str, path: list[str | int]
) -> None:
    async with capnweb_pair(Orders([]), OrdersStub) as orders:
        with pytest.raises(MalformedRow) as caught:
            await orders.validate(Row(batch="batch 9", index=4, text=text))
        assert (caught.value.refusal.batch, caught.value.refusal.index) == ("batch 9", 4)
        assert caught.value.refusal.path == path


async def test_what_is_no_row_is_refused_before_it_is_validated(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    async with capnweb_pair(Orders([]), AnyStub) as untyped:
        with pytest.raises(TypeError, match=r"argument 'row.index': expected int, got str '17'"):
            await untyped.call("validate", {"batch": "batch 1", "index": "17", "text": "{}"})
    assert capnweb_calls.of(OrdersTarget.validate) == []


async def test_the_customers_of_one_turn_are_one_query_and_one_that_does_not_exist_fails_alone(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    async with capnweb_pair(Orders([]), OrdersStub) as orders:
        customers = [orders.customer(number).name for number in (3, 999, 3)]
        first, missing, again = await asyncio.gather(*customers, return_exceptions=True)
        assert first == again == "Customer 3"
        assert isinstance(missing, LookupError)
        assert str(missing) == "there is no customer 999"
        assert await orders.queries() == 1
    assert len(capnweb_calls.of(OrdersTarget.customer)) == 3


async def test_a_map_beyond_the_bound_is_refused_as_a_whole_and_smaller_ones_are_not(
    capnweb_pair: PairFixture, capnweb_calls: Record
) -> None:
    async with capnweb_pair(Orders(deliveries()), OrdersStub, limits=Limits(map_steps=1_000)) as orders:
        with pytest.raises(RpcError, match="expands to more than 1000 steps"):
            await all_at_once(orders)
        assert len(capnweb_calls.of(OrdersTarget.join)) < BATCHES * ROWS
        assert len(await row_by_row(orders)) == BATCHES
