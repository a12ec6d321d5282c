"""The proxy: `python -m examples.database_proxy.server --database sqlite:///bank.db --port 8080`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from capnweb_runtime import serve
from examples.database_proxy.engines import READING, Engine, check
from examples.database_proxy.generated.database_proxy import DatabaseTarget
from examples.database_proxy.pool import Pool
from examples.database_proxy.schemas.database_proxy import PoolState, Row, Value
from examples.database_proxy.sqlite import Sqlite
from examples.database_proxy.transaction import Transaction

LONGEST = 10.0
"""Seconds for which a transaction may be held."""
TABLES = (
    "DROP TABLE IF EXISTS example_accounts",
    "CREATE TABLE example_accounts (owner TEXT PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0))",
    "INSERT INTO example_accounts VALUES ('Ada', 10000), ('Grace', 5000)",
)
"""What the example has in its database; made anew whenever the server starts."""


class Database(DatabaseTarget):
    """What a client gets first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def transaction(self, seconds: float = 5.0) -> Transaction:
        connection = await self._pool.take(read_only=False)
        return Transaction(self._pool, connection, min(seconds, LONGEST))

    async def query(self, sql: str, *parameters: Value) -> AsyncIterator[list[Row]]:
        check(sql, READING)
        connection = await self._pool.take(read_only=True)
        try:
            async with aclosing(connection.rows(sql, parameters)) as pieces:
                async for rows in pieces:
                    self._pool.rows_read += len(rows)
                    yield rows  # and no more is read until the reader has room for it
        finally:
            self._pool.give_back(connection)

    async def idle(self) -> PoolState:
        await self._pool.idle()
        return self.state()

    def state(self) -> PoolState:
        return PoolState(size=self._pool.size, in_use=self._pool.in_use, rows_read=self._pool.rows_read)


def engine_of(url: str) -> Engine:
    """The database at a URL: `sqlite:///FILE` or `postgresql://...`."""
    if url.startswith("sqlite:///"):
        return Sqlite(url.removeprefix("sqlite:///"))
    # Of no use to those who have SQLite, and maybe not installed there.
    from examples.database_proxy.postgresql import Postgresql  # noqa: PLC0415

    return Postgresql(url)


async def main(database: str, port: int, size: int, patience: float) -> None:
    """Serve until a signal."""
    engine = engine_of(database)
    await engine.prepare(TABLES)
    pool = Pool(engine, size, patience)
    async with serve(lambda peer: Database(pool), "127.0.0.1", port) as server:
        print("serving", server.url, flush=True)
        await server.run()
    await pool.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.database_proxy.server", description=__doc__)
    parser.add_argument("--database", required=True, help="sqlite:///FILE or postgresql://...")
    parser.add_argument("--port", type=int, default=8080, help="0 is any that is free (default: %(default)s)")
    parser.add_argument("--pool", type=int, default=3, help="connections (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=0.5, help="seconds to wait for one (default: %(default)s)")
    options = parser.parse_args()
    asyncio.run(main(options.database, options.port, options.pool, options.patience))
