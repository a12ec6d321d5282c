"""PostgreSQL, by psycopg 3: `pip install 'psycopg[binary]'`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager
from itertools import count

import psycopg
from psycopg import errors

from examples.database_proxy.engines import PIECE
from examples.database_proxy.schemas.database_proxy import (
    NotAllowed,
    Row,
    StatementFailed,
    UniqueViolation,
    Value,
    WrongValue,
)

_NUMBERS = count(1)


class PostgresqlConnection:
    """A connection. Whatever clients say goes by the extended protocol, which takes one statement."""

    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, *, read_only: bool) -> None:
        with _told():
            await self._connection.execute("BEGIN READ ONLY" if read_only else "BEGIN READ WRITE")

    async def execute(self, sql: str, parameters: Sequence[Value]) -> int:
        with _told():
            async with psycopg.AsyncRawCursor(self._connection) as cursor:
                await cursor.execute(sql.encode(), parameters, binary=True)  # by the extended protocol
                return max(cursor.rowcount, 0)

    async def rows(self, sql: str, parameters: Sequence[Value]) -> AsyncGenerator[list[Row], None]:
        name = f"rows_{next(_NUMBERS)}"  # the cursor ends with its transaction, and needs no closing
        cursor = psycopg.AsyncRawCursor(self._connection)
        with _told():
            declaration = f"DECLARE {name} NO SCROLL CURSOR FOR {sql}"
            await cursor.execute(declaration.encode(), parameters, binary=True)
        while True:
            with _told():
                await cursor.execute(f"FETCH FORWARD {PIECE} FROM {name}".encode())
                rows = await cursor.fetchall()
            if not rows:
                return
            yield [[_plain(value) for value in row] for row in rows]

    async def commit(self) -> None:
        with _told():
            await self._connection.execute("COMMIT")

    async def rollback(self) -> None:
        with _told():
            await self._connection.execute("ROLLBACK")

    async def interrupt(self) -> None:
        await self._connection.cancel_safe()

    async def close(self) -> None:
        await self._connection.close()


class Postgresql:
    """A database of a PostgreSQL server.

    Parameters:
        url: where it is, and as whom: a role that may do no more than clients may.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def prepare(self, statements: Sequence[str]) -> None:
        async with await psycopg.AsyncConnection.connect(self._url) as connection:
            for statement in statements:
                await connection.execute(statement.encode())

    async def connect(self) -> PostgresqlConnection:
        return PostgresqlConnection(await psycopg.AsyncConnection.connect(self._url, autocommit=True))


def _plain(value: object) -> Value:
    """A value of a column as it travels: numerics and dates as text."""
    return value if value is None or isinstance(value, (bool, int, float, str, bytes)) else str(value)


@contextmanager
def _told() -> Generator[None]:
    """Errors of PostgreSQL become those that the interface declares."""
    try:
        yield
    except psycopg.Error as error:
        raise _meaning(error) from error


def _meaning(error: psycopg.Error) -> Exception:
    text = error.diag.message_primary or str(error)
    if isinstance(error, errors.UniqueViolation):
        return UniqueViolation(error.diag.table_name or "")
    if isinstance(error, (psycopg.DataError, errors.DatatypeMismatch)):
        return WrongValue(text)
    if isinstance(error, (errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege)):
        return NotAllowed(f"the database says: {text}")
    return StatementFailed(text)
