"""Tasks in a file of SQLite, which all servers of the queue have. Rule: each change of a task's state is one statement,
which says what state it changes, and whose: the fence of a lease that is over changes nothing.

The file is asked on the event loop: a statement takes some 50 µs, less than handing it to a thread would. What has been
committed survives a process that is killed; for a machine that loses power, use `PRAGMA synchronous=FULL`.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from examples.task_queue.schemas.task_queue import Finished

STATES = ("queued", "running", "done", "dead")

_TABLE = """
CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    result REAL,
    error TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS tasks_by_state ON tasks (state, due, id);
"""
_ADD = "INSERT INTO tasks (key, job) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET key = key RETURNING id"
_DUE = """
SELECT id FROM tasks WHERE state IN ('queued', 'running') AND due <= ? ORDER BY state = 'running', due, id LIMIT 100
"""
_BEGIN = """
UPDATE tasks SET state = 'running', attempts = attempts + 1, fence = ?
WHERE id = ? AND state IN ('queued', 'running') AND fence < ?
RETURNING attempts, job
"""
_FINISH = "UPDATE tasks SET state = ?, result = ?, error = ? WHERE id = ? AND state = 'running' AND fence = ?"
_QUEUE_AGAIN = "UPDATE tasks SET state = 'queued', due = ? WHERE id = ? AND state = 'running' AND fence = ?"
_FINISHED = "SELECT id AS task, state, attempts, result, error FROM tasks WHERE state IN ('done', 'dead')"


@dataclass(frozen=True)
class Attempt:
    """A task that somebody is at.

    Attributes:
        task: which.
        number: 1 for the first attempt at it.
        job: what is to be done, as it was added.
        fence: of the lease under which it is made.
    """

    task: int
    number: int
    job: str
    fence: int


class Store:
    """The tasks.

    Parameters:
        path: the file; it is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)  # each statement is a transaction
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_TABLE)

    def close(self) -> None:
        self._database.close()

    def find(self, key: str) -> int | None:
        """The number of the task with a key; None if there is none."""
        row = self._database.execute("SELECT id FROM tasks WHERE key = ?", (key,)).fetchone()
        return None if row is None else int(row["id"])

    def add(self, key: str, job: str) -> int:
        """Adds a task, unless one has that key, and gives its number."""
        return int(self._database.execute(_ADD, (key, job)).fetchone()["id"])

    def due(self, now: float) -> list[int]:
        """Tasks that may be begun, the one that has been due for the longest first; at the end those that somebody is
        at, whose lease may have ended.
        """
        return [row["id"] for row in self._database.execute(_DUE, (now,))]

    def begin(self, task: int, fence: int) -> Attempt | None:
        """Begins an attempt; None if the task has ended, or a later lease has it."""
        row = self._database.execute(_BEGIN, (fence, task, fence)).fetchone()
        return None if row is None else Attempt(task, row["attempts"], row["job"], fence)

    def finish(
        self, attempt: Attempt, state: Literal["done", "dead"], *, result: float | None = None, error: str | None = None
    ) -> bool:
        """Ends a task, if this is the attempt that is being made."""
        return self._one(_FINISH, state, result, error, attempt.task, attempt.fence)

    def queue_again(self, attempt: Attempt, due: float) -> bool:
        """Queues a task for another attempt, not before it is due, if this is the one that is being made."""
        return self._one(_QUEUE_AGAIN, due, attempt.task, attempt.fence)

    def exists(self, task: int) -> bool:
        return self._database.execute("SELECT 1 FROM tasks WHERE id = ?", (task,)).fetchone() is not None

    def finished(self, task: int) -> Finished | None:
        """What became of a task; None as long as it has not ended."""
        row = self._database.execute(f"{_FINISHED} AND id = ?", (task,)).fetchone()
        return None if row is None else Finished(**row)

    def dead(self) -> list[Finished]:
        rows = self._database.execute(f"{_FINISHED} AND state = 'dead' ORDER BY id").fetchall()
        return [Finished(**row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many tasks there are, by state."""
        rows = self._database.execute("SELECT state, count(*) AS number FROM tasks GROUP BY state").fetchall()
        return dict.fromkeys(STATES, 0) | {row["state"]: row["number"] for row in rows}

    def _one(self, statement: str, *parameters: float | str | None) -> bool:
        return self._database.execute(statement, parameters).rowcount == 1
