"""The orders: `python -m examples.data_pipeline.server --port 8080 --malformed 1`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
from collections.abc import Sequence

from pydantic import ValidationError

from capnweb_runtime import batched, serve
from examples.data_pipeline.generated.data_pipeline import OrdersTarget
from examples.data_pipeline.schemas.data_pipeline import (
    Batch,
    Customer,
    Invoice,
    Item,
    Line,
    MalformedRow,
    Order,
    Outcome,
    Progress,
    Refusal,
    Row,
    Sifted,
)

BATCHES, ROWS = 3, 100
CUSTOMERS = 20
PRODUCTS = {"A1": ("anvil", 4_900), "B2": ("bolt", 25), "C3": ("clamp", 1_150)}


class Orders(OrdersTarget):
    """The steps over rows that only the server has."""

    def __init__(self, deliveries: list[Batch]) -> None:
        self._deliveries = deliveries
        self._database = customers()
        self._queries = 0

    def dispose(self) -> None:
        self._database.close()

    def batches(self) -> list[Batch]:
        return self._deliveries

    def validate(self, row: Row) -> Order:
        try:
            return Order.model_validate_json(row.text, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            refusal = Refusal(batch=row.batch, index=row.index, path=list(first["loc"]), why=first["msg"])
            raise MalformedRow(refusal) from None

    def sift(self, rows: list[Row]) -> Sifted:
        sifted = Sifted(orders=[], refused=[])
        for row in rows:
            try:
                sifted.orders.append(self.validate(row))
            except MalformedRow as malformed:
                sifted.refused.append(malformed.refusal)
        return sifted

    @batched(OrdersTarget.customer)
    async def customer(self, numbers: list[int]) -> Sequence[Customer | Exception]:
        self._queries += 1
        wanted = json.dumps(numbers)
        rows = self._database.execute(
            "SELECT number, name, country FROM customers WHERE number IN (SELECT value FROM json_each(?))", (wanted,)
        )
        found = {number: Customer(name=name, country=country) for number, name, country in rows}
        return [found.get(number) or LookupError(f"there is no customer {number}") for number in numbers]

    def price(self, item: Item) -> Line:
        title, cents = PRODUCTS[item.sku]
        return Line(title=title, quantity=item.quantity, cents=item.quantity * cents)

    def join(self, order: Order, customer: Customer, lines: list[Line]) -> Invoice:
        return Invoice(number=order.number, customer=customer, lines=lines, cents=sum(line.cents for line in lines))

    def outcome(self, batch: str, invoices: list[Invoice], refused: list[Refusal]) -> Outcome:
        return Outcome(batch=batch, invoices=invoices, refused=refused)

    def begin(self) -> Progress:
        return Progress(batch=0, more=bool(self._deliveries), invoices=0, cents=0, held_back=[])

    def batch(self, number: int) -> Batch:
        return self._deliveries[number]

    def book(self, progress: Progress, invoices: list[Invoice]) -> Progress:
        cents = progress.cents + sum(invoice.cents for invoice in invoices)
        return self._next(progress, invoices=progress.invoices + len(invoices), cents=cents)

    def hold_back(self, progress: Progress) -> Progress:
        return self._next(progress, held_back=[*progress.held_back, self.batch(progress.batch).name])

    def _next(self, progress: Progress, **changed: object) -> Progress:
        number = progress.batch + 1
        return progress.model_copy(update={"batch": number, "more": number < len(self._deliveries), **changed})

    def queries(self) -> int:
        queries, self._queries = self._queries, 0
        return queries


def customers() -> sqlite3.Connection:
    """The database of those who order."""
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE customers (number INTEGER PRIMARY KEY, name TEXT, country TEXT)")
    rows = [(number, f"Customer {number}", ["AT", "CH", "DE"][number % 3]) for number in range(CUSTOMERS)]
    database.executemany("INSERT INTO customers VALUES (?, ?, ?)", rows)
    return database


def deliveries(malformed: int = 0) -> list[Batch]:
    """What has come in: always the same.

    Parameters:
        malformed: how many rows of the second batch have the quantity of their last item as a word.
    """
    batches = [delivery(number) for number in range(BATCHES)]
    for row in batches[1].rows[17 : 17 + malformed]:
        order = json.loads(row.text)
        order["items"][-1]["quantity"] = "two"
        row.text = json.dumps(order)
    return batches


def delivery(number: int) -> Batch:
    """A batch whose rows have one to three items each."""
    batch = Batch(name=f"batch {number}", rows=[])
    for index in range(ROWS):
        order = number * ROWS + index
        items = [{"sku": sku, "quantity": 1 + order % 4} for sku in list(PRODUCTS)[: 1 + index % 3]]
        text = json.dumps({"number": order, "customer": order % CUSTOMERS, "items": items})
        batch.rows.append(Row(batch=batch.name, index=index, text=text))
    return batch


async def main(port: int, malformed: int) -> None:
    """Serve until a signal."""
    orders = deliveries(malformed)
    async with serve(lambda peer: Orders(orders), "127.0.0.1", port, plans=True) as server:
        print("serving", server.url, flush=True)
        await server.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.data_pipeline.server", description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--malformed", type=int, default=0, help="rows that are malformed (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.port, options.malformed))
