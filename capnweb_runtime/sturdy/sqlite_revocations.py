"""Revocations in a file that survives the process, and that several processes of one machine may share. Rule: the event
loop never waits for the disk, so that every access runs in a thread, with a connection of its own.

A connection for each access costs about 0.2 ms beside a commit of some milliseconds; nothing has to be closed, and none
is used by two threads.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from capnweb_runtime.sturdy.revocations import GRACE

_PATIENCE: Final = 10.0
"""Seconds to wait for another process that writes."""
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS capnweb_revoked (id TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS capnweb_revoked_expires ON capnweb_revoked (expires);
"""


class SqliteRevocations:
    """Keeps revocations in a table of an SQLite database, which several processes of one machine may share. Revocations
    of tokens that have expired are deleted as others come.

    Parameters:
        path: file of the database, which is made if it does not exist; its folder has to exist.
        clock: function that gives seconds since 1970.

    Raises:
        ValueError: `path` is empty or ":memory:", which names no file.
        sqlite3.Error: the file cannot be opened, or is no database.
    """

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.time) -> None:
        self._path = os.fspath(path)
        self._clock = clock
        if not self._path or self._path == ":memory:":
            raise ValueError(f"{self._path!r} is no file; for revocations in memory there is MemoryRevocations")
        with self._open() as database:
            database.executescript(_TABLE)

    async def revoke(self, id: str, expires: int) -> None:
        """Notes a token as revoked; see `Revocations.revoke`. When this returns, it is on the disk.

        Raises:
            sqlite3.Error: the database cannot be written.
        """
        await asyncio.to_thread(self._revoke, id, expires)

    async def is_revoked(self, id: str) -> bool:
        """Tells whether a token was revoked; see `Revocations.is_revoked`.

        Raises:
            sqlite3.Error: the database cannot be read.
        """
        return await asyncio.to_thread(self._is_revoked, id)

    def _revoke(self, id: str, expires: int) -> None:
        with self._open() as database:
            database.execute("DELETE FROM capnweb_revoked WHERE expires < ?", [int(self._clock()) - GRACE])
            database.execute("INSERT OR IGNORE INTO capnweb_revoked VALUES (?, ?)", [id, expires])

    def _is_revoked(self, id: str) -> bool:
        with self._open() as database:
            return database.execute("SELECT 1 FROM capnweb_revoked WHERE id = ?", [id]).fetchone() is not None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection; what was done is kept if nothing was raised."""
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as database, database:
            yield database
