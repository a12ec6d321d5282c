"""A database whose transactions are objects, and whose cursors are streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from annotated_types import Gt
from pydantic import BaseModel

from capnweb_runtime.schema import cancellable, raises

Value = None | bool | int | float | str | bytes
"""What a parameter or a column may be."""
Row = list[Value]


class PoolState(BaseModel):
    """The connections to the database, and how many rows they have read in all."""

    size: int
    in_use: int
    rows_read: int


class NotAllowed(Exception):
    """The statement is none that clients may run. Nothing of it has been run."""


class PoolExhausted(Exception):
    """All connections were in use for as long as somebody may wait: `waited` seconds."""

    waited: float

    def __init__(self, waited: float) -> None:
        super().__init__(f"all connections have been in use for {waited} s: try again later")
        self.waited = waited


class TransactionOver(Exception):
    """It has been committed or rolled back; the message says why."""


class UniqueViolation(Exception):
    """There is such a row already. `table` is where."""

    table: str

    def __init__(self, table: str) -> None:
        super().__init__(f"there is such a row in {table} already")
        self.table = table


class WrongValue(Exception):
    """A parameter is not of the type that the column has."""


class StatementFailed(Exception):
    """The database refuses the statement, for the reason in the message."""


class Transaction(Protocol):
    """Statements that take effect together or not at all. Dropping it, also by losing the session, rolls it back."""

    @raises(NotAllowed, TransactionOver, UniqueViolation, WrongValue, StatementFailed)
    async def execute(self, sql: str, *parameters: Value) -> int:
        """Run a statement with parameters $1, $2, ... Gives how many rows it has changed. One that fails dooms the
        transaction.
        """
        ...

    @raises(NotAllowed, TransactionOver, WrongValue, StatementFailed)
    async def query(self, sql: str, *parameters: Value) -> AsyncIterator[list[Row]]:
        """The rows of a statement, a few at a time."""
        ...

    @raises(TransactionOver)
    async def commit(self) -> None:
        """Make it last. Fails if a statement of it has failed: it has been rolled back then."""
        ...

    async def rollback(self) -> None: ...

    @cancellable
    async def over(self) -> str:
        """Waits until it is over, and says how it ended."""
        ...


class Database(Protocol):
    """A database with a bounded number of connections."""

    @raises(PoolExhausted)
    async def transaction(self, seconds: Annotated[float, Gt(0)] = 5.0) -> Transaction:
        """Begin one. It is rolled back if it is held for longer than that, or than the server allows."""
        ...

    @raises(PoolExhausted, NotAllowed, WrongValue, StatementFailed)
    async def query(self, sql: str, *parameters: Value) -> AsyncIterator[list[Row]]:
        """The rows of a statement that only reads, a few at a time: as many as the reader keeps up with."""
        ...

    @cancellable
    async def idle(self) -> PoolState:
        """The state of the pool as soon as no connection is in use."""
        ...

    async def state(self) -> PoolState: ...
