"""A bounded number of connections. Rule: who takes one gives it back, whatever happens; who waits for one waits for so
long and no longer, and is told.
"""

from __future__ import annotations

import asyncio

from examples.database_proxy.engines import Connection, Engine
from examples.database_proxy.schemas.database_proxy import PoolExhausted


class Pool:
    """Connections that are opened as they are needed, and kept.

    Parameters:
        engine: the database.
        size: how many there may be.
        patience: seconds that somebody may wait for one.

    Attributes:
        in_use: how many are taken.
        rows_read: what has been read over all of them.
    """

    def __init__(self, engine: Engine, size: int, patience: float) -> None:
        self.size = size
        self.patience = patience
        self.in_use = 0
        self.rows_read = 0
        self._engine = engine
        self._free = asyncio.Semaphore(size)
        self._kept: list[Connection] = []
        self._returning: set[asyncio.Task[None]] = set()
        self._unused = asyncio.Event()
        self._unused.set()

    async def take(self, *, read_only: bool) -> Connection:
        """A connection on which a transaction has begun. Raises PoolExhausted if there is none in time."""
        try:
            async with asyncio.timeout(self.patience):
                await self._free.acquire()
        except TimeoutError:
            raise PoolExhausted(self.patience) from None
        self.in_use += 1
        self._unused.clear()
        try:
            connection = self._kept.pop() if self._kept else await self._engine.connect()
        except BaseException:
            self._is_free()
            raise
        try:
            await connection.begin(read_only=read_only)
        except BaseException:
            self.give_back(connection)
            raise
        return connection

    def give_back(self, connection: Connection) -> None:
        """Take a connection back, whatever state it is in. Nobody waits for it, so that nobody can cancel it."""
        task = asyncio.create_task(self._take_back(connection))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def idle(self) -> None:
        """Waits until no connection is in use."""
        await self._unused.wait()

    async def close(self) -> None:
        """Close what is not in use."""
        await asyncio.gather(*self._returning)
        while self._kept:
            await self._kept.pop().close()

    async def _take_back(self, connection: Connection) -> None:
        try:
            await connection.rollback()  # of what was committed there is nothing left to roll back
            self._kept.append(connection)
        except Exception:  # it is lost: the next one will be opened anew
            await connection.close()
        finally:
            self._is_free()

    def _is_free(self) -> None:
        self.in_use -= 1
        self._free.release()
        if not self.in_use:
            self._unused.set()
