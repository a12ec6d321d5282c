"""What survives: settings, notes and logins, in SQLite.

Rule: when a method returns, what it wrote is on the disk. Methods block, and are called in threads.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock

from examples.production_patterns.schemas.production import NoRoom, Settings

NOTES = 3
"""How many notes a user may have."""
_TABLES = """
CREATE TABLE IF NOT EXISTS settings (user TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notes (user TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS logins (id TEXT PRIMARY KEY, user TEXT NOT NULL, turn INTEGER NOT NULL);
"""


class Store:
    """A file of SQLite.

    Parameters:
        path: the file; it is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # WAL lets readers go on; FULL waits for the disk at every commit, which is what "saved" means here.
        self._database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + _TABLES)

    def settings(self, user: str) -> Settings:
        """What a user has set; the defaults, if nothing."""
        row = self._one("SELECT json FROM settings WHERE user = ?", user)
        return Settings.model_validate_json(row[0]) if row else Settings()

    def save(self, user: str, settings: Settings) -> None:
        """Keep what a user has set."""
        self._write("INSERT OR REPLACE INTO settings VALUES (?, ?)", user, settings.model_dump_json())

    def add_note(self, user: str, text: str) -> int:
        """Add a note, and return how many there are.

        Raises:
            NoRoom: there are as many as there may be.
        """
        there = "SELECT count(*) FROM notes WHERE user = ?1"
        added = self._write(f"INSERT INTO notes SELECT ?1, ?2 WHERE ({there}) < ?3", user, text, NOTES)
        if not added:
            raise NoRoom(NOTES)
        return int(self._one(there, user)[0])

    def begin_login(self, login: str, user: str) -> None:
        """Note that a user has logged in."""
        self._write("INSERT INTO logins VALUES (?, ?, 0)", login, user)

    def is_logged_in(self, login: str) -> bool:
        """Whether a login has not ended."""
        return bool(self._one("SELECT 1 FROM logins WHERE id = ?", login))

    def take_turn(self, login: str, turn: int) -> bool:
        """Use the right to the next grant of a login. Of several that try at the same time, one succeeds."""
        return self._write("UPDATE logins SET turn = turn + 1 WHERE id = ? AND turn = ?", login, turn) == 1

    def end_login(self, login: str) -> None:
        """End a login, and with it every grant that it has given."""
        self._write("DELETE FROM logins WHERE id = ?", login)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _write(self, statement: str, *values: object) -> int:
        with self._lock:
            return self._database.execute(statement, values).rowcount

    def _one(self, statement: str, *values: object) -> tuple[str, ...]:
        with self._lock:
            row: tuple[str, ...] | None = self._database.execute(statement, values).fetchone()
        return row or ()
