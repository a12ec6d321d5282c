"""Pipelines over the orders: `python -m examples.data_pipeline.client ws://127.0.0.1:8080/`.

Each comes to the same invoices. They differ in how often they wait for the server.
"""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import RpcPromise, connect
from capnweb_runtime.plans import gt, plan, repeat, size, when
from examples.data_pipeline.generated.data_pipeline import (
    BatchPromise,
    OrderPromise,
    OrdersStub,
    ProgressPromise,
    RowPromise,
)
from examples.data_pipeline.schemas.data_pipeline import Invoice, Outcome, Progress, Row

MANY = 10
"""Rows of a batch that may be malformed before somebody has to look at it."""


def invoice_of(orders: OrdersStub, row: Row | RowPromise) -> RpcPromise[Invoice]:
    """The steps for one row: each takes what the ones before it will give, and nothing is awaited."""
    return priced(orders, orders.validate(row))


def priced(orders: OrdersStub, order: OrderPromise) -> RpcPromise[Invoice]:
    """An order joined with its customer and with a line for each of its items."""
    customer = orders.customer(order.customer)
    lines = order.items.map(orders.price)
    return orders.join(order, customer, lines)


async def all_at_once(orders: OrdersStub) -> list[list[Invoice]]:
    """Everything in one round trip. The functions run once, here; what they do is repeated there, for every row."""
    return await orders.batches().map(lambda batch: batch.rows.map(lambda row: invoice_of(orders, row)))


async def row_by_row(orders: OrdersStub) -> list[list[Invoice]]:
    """A round trip for the batches, and one for each row."""
    return [[await invoice_of(orders, row) for row in batch.rows] for batch in await orders.batches()]


async def step_by_step(orders: OrdersStub) -> list[list[Invoice]]:
    """A round trip for each step of each row, as where a result has to arrive before it can be used."""
    made: list[list[Invoice]] = []
    for batch in await orders.batches():
        made.append([])
        for row in batch.rows:
            order = await orders.validate(row)
            customer = await orders.customer(order.customer)
            lines = [await orders.price(item) for item in order.items]
            made[-1].append(await orders.join(order, customer, lines))
    return made


async def with_refusals(orders: OrdersStub) -> list[Outcome]:
    """Everything in one round trip; a row that is malformed is told of, and the others go on."""

    def outcome(batch: BatchPromise) -> RpcPromise[Outcome]:
        sifted = orders.sift(batch.rows)
        invoices = sifted.orders.map(lambda order: priced(orders, order))
        return orders.outcome(batch.name, invoices, sifted.refused)

    return await orders.batches().map(outcome)


async def booked_at_once(orders: OrdersStub) -> Progress:
    """Batch after batch, and for each a decision: a plan, in one round trip."""

    def one(p: OrdersStub, progress: ProgressPromise) -> RpcPromise[Progress]:
        sifted = p.sift(p.batch(progress.batch).rows)
        return when(
            gt(size(sifted.refused), MANY),
            lambda: p.hold_back(progress),
            lambda: p.book(progress, sifted.orders.map(lambda order: priced(p, order))),
        )

    return await plan(
        orders,
        lambda p: repeat(
            p.begin(), while_=lambda progress: progress.more, do=lambda progress: one(p, progress), at_most=99
        ),
    )


async def booked_batch_by_batch(orders: OrdersStub) -> Progress:
    """The same with Python's own `while` and `if`, which wait for what they decide on."""
    progress = await orders.begin()
    while progress.more:
        sifted = orders.sift(orders.batch(progress.batch).rows)
        if len(await sifted.refused) > MANY:
            progress = await orders.hold_back(progress)
        else:
            progress = await orders.book(progress, sifted.orders.map(lambda order: priced(orders, order)))
    return progress


async def main(url: str) -> None:
    """Run the pipeline, and print what became of each batch."""
    async with connect(url, OrdersStub) as orders:
        for outcome in await with_refusals(orders):
            print(f"{outcome.batch}: {len(outcome.invoices)} invoices, {len(outcome.refused)} rows refused")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
