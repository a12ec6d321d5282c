"""SQLite: each connection has a thread of its own, so that a statement that takes long stops nobody else."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from examples.database_proxy.engines import PIECE
from examples.database_proxy.schemas.database_proxy import (
    NotAllowed,
    Row,
    StatementFailed,
    UniqueViolation,
    Value,
    WrongValue,
)

T = TypeVar("T")
READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
WRITES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
UNIQUE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
WRONG_TYPE = {sqlite3.SQLITE_CONSTRAINT | 12 << 8, sqlite3.SQLITE_MISMATCH}  # the first has no name in Python


class SqliteConnection:
    """A connection, used by its own thread alone."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._thread = thread
        self._read_only = True
        connection.set_authorizer(self._authorize)

    async def begin(self, *, read_only: bool) -> None:
        self._read_only = read_only
        await self._run(self._execute, "BEGIN", ())

    async def execute(self, sql: str, parameters: Sequence[Value]) -> int:
        cursor = await self._run(self._execute, sql, parameters)
        await self._run(cursor.close)
        return max(cursor.rowcount, 0)

    async def rows(self, sql: str, parameters: Sequence[Value]) -> AsyncGenerator[list[Row], None]:
        cursor = await self._run(self._execute, sql, parameters)
        try:
            while rows := await self._run(cursor.fetchmany, PIECE):
                yield [list(row) for row in rows]
        finally:
            await self._run(cursor.close)

    async def commit(self) -> None:
        await self._run(self._connection.commit)

    async def rollback(self) -> None:
        await self._run(self._connection.rollback)

    async def interrupt(self) -> None:
        self._connection.interrupt()

    async def close(self) -> None:
        await self._run(self._connection.close)
        self._thread.shutdown(wait=False)

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        try:
            with _told():
                return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        except asyncio.CancelledError:
            self._connection.interrupt()  # nobody waits for what the thread is doing
            raise

    def _execute(self, sql: str, parameters: Sequence[Value]) -> sqlite3.Cursor:
        return self._connection.execute(sql, {str(number): value for number, value in enumerate(parameters, 1)})

    def _authorize(self, action: int, table: str | None, *_: object) -> int:
        """Asked by SQLite about everything that a statement does, when it is compiled."""
        allowed = READS if self._read_only else READS | WRITES
        own = table is not None and table.startswith("sqlite_") and action != sqlite3.SQLITE_FUNCTION
        if action == sqlite3.SQLITE_TRANSACTION or (action in allowed and not own):
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY


class Sqlite:
    """A database in a file.

    Parameters:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    async def prepare(self, statements: Sequence[str]) -> None:
        with sqlite3.connect(self._path) as connection:
            for statement in ("PRAGMA journal_mode = WAL", *statements):
                connection.execute(statement + " STRICT" if statement.startswith("CREATE TABLE") else statement)
        connection.close()

    async def connect(self) -> SqliteConnection:
        thread = ThreadPoolExecutor(1, "sqlite")
        connect = asyncio.get_running_loop().run_in_executor(thread, self._open)
        return SqliteConnection(await connect, thread)

    def _open(self) -> sqlite3.Connection:
        # No statement is kept compiled: it would not be asked again whether it is allowed.
        return sqlite3.connect(self._path, isolation_level=None, cached_statements=0, check_same_thread=False)


@contextmanager
def _told() -> Generator[None]:
    """Errors of SQLite become those that the interface declares."""
    try:
        yield
    except sqlite3.Error as error:
        raise _meaning(error) from error


def _meaning(error: sqlite3.Error) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    if code in UNIQUE:
        return UniqueViolation(str(error).rpartition(": ")[2].partition(".")[0])
    if code in WRONG_TYPE:
        return WrongValue(str(error))
    if code == sqlite3.SQLITE_AUTH:
        return NotAllowed(f"the database says: {error}")
    return StatementFailed(str(error))
