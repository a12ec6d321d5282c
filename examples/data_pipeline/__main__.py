"""`python -m examples.data_pipeline`: runs the pipeline in three ways against a server in a process of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from capnweb_runtime import AnyStub, connect
from examples.data_pipeline.client import (
    all_at_once,
    booked_at_once,
    booked_batch_by_batch,
    row_by_row,
    step_by_step,
    with_refusals,
)
from examples.data_pipeline.generated.data_pipeline import OrdersStub
from examples.data_pipeline.schemas.data_pipeline import MalformedRow
from examples.form.processes import started
from examples.form.report import Report
from examples.form.running import run

T = TypeVar("T")
CENTS = 3_973_725
"""What the invoices of all orders come to."""
FEW = 100
"""Messages, or queries, that the map may take: how many depends on how often the server lets others go first."""


async def data_pipeline(report: Report) -> None:
    """Everything that the README claims."""
    async with started("examples.data_pipeline.server", "--port", "0") as server:
        await comparison(report, server.url)
    async with started("examples.data_pipeline.server", "--port", "0", "--malformed", "1") as server:
        refusal_index = await all_or_nothing(report, server.url)
        await refusals_apart(report, server.url, refusal_index)
        await not_a_row(report, server.url)
    async with started("examples.data_pipeline.server", "--port", "0", "--malformed", "30") as server:
        await decisions(report, server.url)


async def comparison(report: Report, url: str) -> None:
    """The same invoices, for more and more waiting."""
    report.section("300 rows in 3 batches: validated, joined with their customers and with prices")
    mapped, round_trips, messages, queries = await measured(url, all_at_once)
    report.check("recorded once with map(), round trips", round_trips, 1)
    report.at_most("recorded once with map(), messages", messages, FEW)
    report.at_most("recorded once with map(), queries for 300 customers", queries, FEW)
    by_row, round_trips, messages, queries = await measured(url, row_by_row)
    report.check("a chain of calls for each row, round trips", round_trips, 301)
    report.check("a chain of calls for each row, messages", messages, 3_004)
    report.check("a chain of calls for each row, queries for 300 customers", queries, 300)
    by_step, round_trips, messages, queries = await measured(url, step_by_step)
    report.check("a call for each step of each row, round trips", round_trips, 1_498)
    report.check("a call for each step of each row, messages", messages, 5_992)
    report.check("all three came to the same 300 invoices", mapped == by_row == by_step)
    report.check("cents on all of them", sum(invoice.cents for batch in mapped for invoice in batch), CENTS)
    async with connect(url.replace("ws:", "http:"), OrdersStub) as orders:
        report.check("the map in a single HTTP request gave them, too", await all_at_once(orders) == mapped)


async def measured(url: str, pipeline: Callable[[OrdersStub], Awaitable[T]]) -> tuple[T, int, int, int]:
    """Run a pipeline in a session of its own: what it gave, and the round trips, messages and queries that it took."""
    session = connect(url, OrdersStub)
    async with session as orders:
        made = await pipeline(orders)
        stats = session.stats()
        queries = await orders.queries()
    return made, stats.round_trips, stats.messages_sent + stats.messages_received, queries


async def all_or_nothing(report: Report, url: str) -> int:
    """What a pipeline gets that needs every row. Returns the index of the row that was malformed."""
    report.section("A row of batch 1 is malformed, and every row is needed")
    async with connect(url, OrdersStub) as orders:
        error = await report.refused("no invoice comes of any batch", all_at_once(orders), MalformedRow)
        report.say(str(error))
        report.check("its batch", error.refusal.batch, "batch 1")
        report.check("its index in the batch", error.refusal.index, 17)
        report.check("the path in the row", error.refusal.path, ["items", 2, "quantity"])
        return error.refusal.index


async def refusals_apart(report: Report, url: str, malformed: int) -> None:
    """What becomes of the other rows where they do not depend on it."""
    report.section("A row of batch 1 is malformed, and the others go on")
    session = connect(url, OrdersStub)
    async with session as orders:
        outcomes = await with_refusals(orders)
        for outcome, expected in zip(outcomes, (100, 99, 100), strict=True):
            report.check(f"invoices of {outcome.batch}", len(outcome.invoices), expected)
        refused = [(refusal.batch, refusal.index) for outcome in outcomes for refusal in outcome.refused]
        report.check("refused, with batch and index", refused, [("batch 1", malformed)])
        report.check("round trips", session.stats().round_trips, 1)


async def not_a_row(report: Report, url: str) -> None:
    """What a client gets that knows no schema, and sends what is no row at all."""
    report.section("What is no row at all")
    async with connect(url, AnyStub) as untyped:
        row = {"batch": "batch 1", "index": "17", "text": "{}"}
        wrong = await report.refused("a row whose index is a text", untyped.call("validate", row), TypeError)
        report.say(str(wrong))


async def decisions(report: Report, url: str) -> None:
    """Batches that are booked one after the other, but for those with too many rows that are malformed."""
    report.section("30 rows of batch 1 are malformed, and a batch with so many is held back")
    at_once, round_trips, messages, queries = await measured(url, booked_at_once)
    report.check("decided in a plan, round trips", round_trips, 1)
    report.at_most("decided in a plan, messages", messages, FEW)
    report.at_most("decided in a plan, queries for 200 customers", queries, FEW)
    report.check("held back", at_once.held_back, ["batch 1"])
    report.check("invoices booked", at_once.invoices, 200)
    by_batch, round_trips, _, _ = await measured(url, booked_batch_by_batch)
    report.check("decided with while and if, round trips", round_trips, 7)
    report.check("both came to the same", at_once == by_batch)
    async with connect(url.replace("ws:", "http:"), OrdersStub) as orders:
        report.check("and so did the plan in a single HTTP request", await booked_at_once(orders) == at_once)


if __name__ == "__main__":
    run("data_pipeline", data_pipeline)
