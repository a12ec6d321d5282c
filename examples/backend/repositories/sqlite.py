"""Customers in SQLite, whose driver blocks: each question is asked in a thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Lock

from examples.backend.repositories.schemas.customers import AlreadyThere, Customer, NoSuchCustomer

PAGE = 100
"""Rows that are read at a time."""
_TABLE = "CREATE TABLE IF NOT EXISTS customers (id TEXT PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL)"
_Row = tuple[str, str, str]


class SqliteCustomers:
    """A file of SQLite.

    Parameters:
        path: the file; it is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        self._database.execute(_TABLE)

    async def add(self, customer: Customer) -> None:
        """Keep one."""
        values = (customer.id, customer.name, customer.city)
        try:
            await asyncio.to_thread(self._ask, "INSERT INTO customers VALUES (?, ?, ?)", values)
        except sqlite3.IntegrityError:
            raise AlreadyThere(customer.id) from None

    async def find(self, id: str) -> Customer:
        """One by its id."""
        rows = await asyncio.to_thread(self._ask, "SELECT * FROM customers WHERE id = ?", (id,))
        if not rows:
            raise NoSuchCustomer(id)
        return _customer(rows[0])

    async def in_city(self, city: str, most: int) -> list[Customer]:
        """Those of a city."""
        asked = "SELECT * FROM customers WHERE city = ? ORDER BY id LIMIT ?"
        return [_customer(row) for row in await asyncio.to_thread(self._ask, asked, (city, most))]

    async def every(self) -> AsyncIterator[Customer]:
        """All of them, a page at a time. Each begins after the last id, so that nobody is read twice."""
        last = ""
        asked = "SELECT * FROM customers WHERE id > ? ORDER BY id LIMIT ?"
        while rows := await asyncio.to_thread(self._ask, asked, (last, PAGE)):
            for row in rows:
                yield _customer(row)
            last = rows[-1][0]

    async def collections(self) -> list[str]:
        """Tables."""
        with self._lock:
            asked = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            return [str(name) for (name,) in self._database.execute(asked)]

    async def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _ask(self, asked: str, values: tuple[object, ...]) -> list[_Row]:
        with self._lock:
            return self._database.execute(asked, values).fetchall()


def _customer(row: _Row) -> Customer:
    id, name, city = row
    return Customer(id=id, name=name, city=city)
