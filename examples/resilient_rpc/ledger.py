"""What the shop remembers, in a file of SQLite: it outlives sessions, and the process."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from examples.resilient_rpc.schemas.resilient_rpc import Change

PRODUCTS = {"lamp": 1990, "rug": 4990, "vase": 990}

_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, product TEXT NOT NULL, asked INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS draws (number INTEGER PRIMARY KEY, customer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS prices (version INTEGER PRIMARY KEY, product TEXT NOT NULL, cents INTEGER NOT NULL);
"""
_ORDER = """
INSERT INTO orders (key, product) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET asked = asked + 1 RETURNING number
"""


class Ledger:
    """Orders, draws and prices.

    Parameters:
        path: the file; it is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)  # each statement is a transaction
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_TABLES)
        if not self.changes(0):
            for product, cents in PRODUCTS.items():
                self.set_price(product, cents)

    def close(self) -> None:
        self._database.close()

    def order(self, key: str, product: str) -> int:
        """Carries out an order, unless that has been done, and gives its number."""
        return int(self._database.execute(_ORDER, (key, product)).fetchone()[0])

    def draw(self, customer: str) -> int:
        """Draws a ticket."""
        row = self._database.execute("INSERT INTO draws (customer) VALUES (?) RETURNING number", (customer,)).fetchone()
        return int(row[0])

    def set_price(self, product: str, cents: int) -> int:
        """Notes a price, and gives the version of prices that begins with it."""
        changed = "INSERT INTO prices (product, cents) VALUES (?, ?) RETURNING version"
        return int(self._database.execute(changed, (product, cents)).fetchone()[0])

    def price(self, product: str) -> int | None:
        """The price of a product; None if there is no such product."""
        newest = "SELECT cents FROM prices WHERE product = ? ORDER BY version DESC LIMIT 1"
        row = self._database.execute(newest, (product,)).fetchone()
        return None if row is None else int(row[0])

    def changes(self, since: int) -> list[Change]:
        """The changes of prices after a version."""
        rows = self._database.execute("SELECT version, product, cents FROM prices WHERE version > ?", (since,))
        return [Change(version=version, product=product, cents=cents) for version, product, cents in rows]

    def orders(self) -> dict[str, int]:
        """How often each order was asked for, by key."""
        return dict(self._database.execute("SELECT key, asked FROM orders").fetchall())

    def draws(self) -> dict[str, int]:
        """How many tickets were drawn for each customer."""
        return dict(self._database.execute("SELECT customer, count(*) FROM draws GROUP BY customer").fetchall())
