"""What an actor remembers of its messages. Rule: a message is answered only once it is written, so that whatever was
answered is there after a crash; what was not answered may be there, too.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol


class Journal(Protocol):
    """Messages with what they have changed, in order."""

    def read(self) -> list[tuple[str, int]]:
        """All that was written."""
        ...

    async def write(self, message: str, change: int) -> None:
        """Write one down; when this returns, it stays."""
        ...


class NoJournal:
    """Remembers nothing: an actor with it begins with nothing again."""

    def read(self) -> list[tuple[str, int]]:
        return []

    async def write(self, message: str, change: int) -> None:
        await asyncio.sleep(0)  # where others would take their turn, if there were no mailbox


class FileJournal:
    """Remembers in a file of SQLite.

    Parameters:
        path: of the file, which is made if there is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, change INTEGER)")

    def read(self) -> list[tuple[str, int]]:
        with closing(sqlite3.connect(self._path)) as database:
            return list(database.execute("SELECT id, change FROM messages ORDER BY rowid"))

    async def write(self, message: str, change: int) -> None:
        await asyncio.to_thread(self._write, message, change)

    def _write(self, message: str, change: int) -> None:
        with closing(sqlite3.connect(self._path)) as database, database:
            database.execute("INSERT INTO messages VALUES (?, ?)", (message, change))
