"""Customers in PostgreSQL, over a pool of connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Self
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg_pool import AsyncConnectionPool

from examples.backend.repositories.ids import as_uuid, canonical
from examples.backend.repositories.schemas.customers import AlreadyThere, Customer, NoSuchCustomer

CONNECTIONS = 4
PAGE = 100
_TABLE = "CREATE TABLE IF NOT EXISTS customers (id uuid PRIMARY KEY, name text NOT NULL, city text NOT NULL)"
_Pool = AsyncConnectionPool[AsyncConnection[tuple[object, ...]]]


class PostgresCustomers:
    """A database of PostgreSQL; made by `open`."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect. Raises psycopg.OperationalError if there is no database."""
        pool: _Pool = AsyncConnectionPool(url, min_size=1, max_size=CONNECTIONS, open=False)
        await pool.open(wait=True, timeout=10)
        async with pool.connection() as connection:
            await connection.execute(_TABLE)
        return cls(pool)

    async def add(self, customer: Customer) -> None:
        """Keep one."""
        values = (as_uuid(customer.id), customer.name, customer.city)
        try:
            async with self._pool.connection() as connection:
                await connection.execute("INSERT INTO customers VALUES (%s, %s, %s)", values)
        except UniqueViolation:
            raise AlreadyThere(customer.id) from None

    async def find(self, id: str) -> Customer:
        """One by its id."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT * FROM customers WHERE id = %s", (as_uuid(id),))
            row = await cursor.fetchone()
        if row is None:
            raise NoSuchCustomer(id)
        return _customer(row)

    async def in_city(self, city: str, most: int) -> list[Customer]:
        """Those of a city."""
        async with self._pool.connection() as connection:
            asked = "SELECT * FROM customers WHERE city = %s ORDER BY id LIMIT %s"
            cursor = await connection.execute(asked, (city, most))
            return [_customer(row) for row in await cursor.fetchall()]

    async def every(self) -> AsyncIterator[Customer]:
        """All of them, a page at a time. No connection is held while the reader thinks."""
        last: UUID | None = None
        asked = "SELECT * FROM customers WHERE %(last)s::uuid IS NULL OR id > %(last)s ORDER BY id LIMIT %(page)s"
        while True:
            async with self._pool.connection() as connection:
                rows = await (await connection.execute(asked, {"last": last, "page": PAGE})).fetchall()
            for row in rows:
                yield _customer(row)
            if not rows:
                return
            last = UUID(str(rows[-1][0]))

    async def collections(self) -> list[str]:
        """Tables that this user may read: the information schema shows no others."""
        asked = (
            "SELECT DISTINCT table_name FROM information_schema.table_privileges "
            "WHERE privilege_type = 'SELECT' AND table_schema = current_schema() ORDER BY 1"
        )
        async with self._pool.connection() as connection:
            return [str(name) for (name,) in await (await connection.execute(asked)).fetchall()]

    async def close(self) -> None:
        """Close the pool."""
        await self._pool.close()


def _customer(row: tuple[object, ...]) -> Customer:
    id, name, city = row
    return Customer(id=canonical(str(id)), name=str(name), city=str(city))
