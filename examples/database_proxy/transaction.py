"""A transaction that a client holds. Rule: it ends exactly once, by whoever comes first: the client, the end of its
session, or the clock; and then its connection goes back to the pool.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from examples.database_proxy.engines import CHANGING, READING, Connection, check
from examples.database_proxy.generated.database_proxy import TransactionTarget
from examples.database_proxy.pool import Pool
from examples.database_proxy.schemas.database_proxy import Row, StatementFailed, TransactionOver, Value


class Transaction(TransactionTarget):
    """A transaction.

    Parameters:
        pool: whose the connection is.
        connection: on which it has begun.
        seconds: after which it is rolled back.
    """

    def __init__(self, pool: Pool, connection: Connection, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._pool = pool
        self._connection = connection
        self._turn = asyncio.Lock()  # statements of one transaction run one after the other, in order
        self._failed = False
        self._why = ""  # it is over, or about to be
        self._over: asyncio.Future[str] = loop.create_future()
        self._late = loop.call_later(seconds, self._expire, f"rolled back: held for longer than {seconds} s")
        self._expiring: asyncio.Task[None] | None = None

    async def execute(self, sql: str, *parameters: Value) -> int:
        async with self._statement():
            check(sql, CHANGING)
            return await self._connection.execute(sql, parameters)

    async def query(self, sql: str, *parameters: Value) -> AsyncIterator[list[Row]]:
        async with aclosing(self._connection.rows(sql, parameters)) as pieces:
            while True:
                async with self._statement():
                    check(sql, READING)
                    rows = await anext(pieces, None)
                if rows is None:
                    return
                self._pool.rows_read += len(rows)
                yield rows

    async def commit(self) -> None:
        async with self._turn:
            self._check()
            if self._failed:
                self._end("rolled back: a statement failed")
                self._check()
            await self._connection.commit()
            self._end("committed")

    async def rollback(self) -> None:
        await self._give_up("rolled back: as was asked for")

    async def over(self) -> str:
        return await asyncio.shield(self._over)

    async def dispose(self) -> None:
        """Nobody holds it any more, or the session has ended."""
        await self._give_up("rolled back: dropped")

    @asynccontextmanager
    async def _statement(self) -> AsyncGenerator[None, None]:
        async with self._turn:
            self._check()
            if self._failed:  # PostgreSQL says so itself, and SQLite would go on
                raise StatementFailed("a statement of this transaction has failed before")
            try:
                yield
            except Exception:
                self._failed = True
                self._check()  # it may have failed since it was interrupted
                raise

    def _check(self) -> None:
        if self._why:
            raise TransactionOver(self._why)

    def _expire(self, reason: str) -> None:
        self._expiring = asyncio.create_task(self._give_up(reason))

    async def _give_up(self, reason: str) -> None:
        if self._why:
            return
        self._why = reason
        if self._turn.locked():
            await self._connection.interrupt()
        async with self._turn:
            self._end(reason)

    def _end(self, reason: str) -> None:
        if not self._over.done():
            self._why = reason
            self._late.cancel()
            self._over.set_result(reason)
            self._pool.give_back(self._connection)
