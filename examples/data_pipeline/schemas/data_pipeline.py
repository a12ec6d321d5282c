"""Batches of orders as they came, and the steps that make invoices of them."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, Field

from capnweb_runtime.schema import raises

Path = list[str | int]
"""Where in a row: `["items", 1, "quantity"]`."""


class Row(BaseModel):
    """A row as it came. `index` counts within its batch, from 0."""

    batch: str
    index: int
    text: str


class Batch(BaseModel):
    """What came in one delivery."""

    name: str
    rows: list[Row]


class Item(BaseModel):
    """So many of one product."""

    sku: str
    quantity: int = Field(ge=1)


class Order(BaseModel):
    """A row that is valid."""

    number: int
    customer: int
    items: list[Item]


class Customer(BaseModel):
    """Whom an order is joined with."""

    name: str
    country: str


class Line(BaseModel):
    """An item, and what it costs."""

    title: str
    quantity: int
    cents: int


class Invoice(BaseModel):
    """What the pipeline makes of an order."""

    number: int
    customer: Customer
    lines: list[Line]
    cents: int


class Refusal(BaseModel):
    """A row that is malformed: which, where in it, and why."""

    batch: str
    index: int
    path: Path
    why: str


class Sifted(BaseModel):
    """The rows of a batch: those that are valid, and what is wrong with the others."""

    orders: list[Order]
    refused: list[Refusal]


class Outcome(BaseModel):
    """What became of a batch: an invoice or a refusal for each row."""

    batch: str
    invoices: list[Invoice]
    refused: list[Refusal]


class Progress(BaseModel):
    """How far somebody has come who works through the batches."""

    batch: int
    more: bool
    invoices: int
    cents: int
    held_back: list[str]


class MalformedRow(Exception):
    """A row is not an order. `refusal` says which, where in it, and why."""

    refusal: Refusal

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.batch}, row {refusal.index}, {'.'.join(map(str, refusal.path))}: {refusal.why}")
        self.refusal = refusal


class Orders(Protocol):
    """The steps. Which of them are done, and in which order, is for the client to say."""

    async def batches(self) -> list[Batch]: ...

    @raises(MalformedRow)
    async def validate(self, row: Row) -> Order:
        """The order that a row is. Fails if it is none."""
        ...

    async def sift(self, rows: list[Row]) -> Sifted:
        """The orders among rows, and what is wrong with the other rows. Never fails for a row."""
        ...

    async def customer(self, number: int) -> Customer: ...

    async def price(self, item: Item) -> Line: ...

    async def join(self, order: Order, customer: Customer, lines: list[Line]) -> Invoice: ...

    async def outcome(self, batch: str, invoices: list[Invoice], refused: list[Refusal]) -> Outcome:
        """The results of a batch, as one value."""
        ...

    async def begin(self) -> Progress: ...

    async def batch(self, number: int) -> Batch: ...

    async def book(self, progress: Progress, invoices: list[Invoice]) -> Progress:
        """What there is once the batch has been booked with these invoices."""
        ...

    async def hold_back(self, progress: Progress) -> Progress:
        """What there is once the batch has been put aside for somebody to look at."""
        ...

    async def queries(self) -> int:
        """How often the database of customers has been asked since somebody last wanted to know."""
        ...
