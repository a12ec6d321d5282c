"""What a database has to be able to do for the proxy, and which statements clients may run.

Rule: a statement passes here first, whatever the database. What stands in it is checked again by the database itself:
by SQLite's authorizer, by PostgreSQL's read-only transactions and the rights of its role.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from examples.database_proxy.schemas.database_proxy import NotAllowed, Row, Value

PIECE = 100
"""Rows that are read, and sent, at a time."""
READING = frozenset({"select", "values", "with"})
CHANGING = frozenset({"insert", "update", "delete", "with"})
_VERB = re.compile(r"\s*([a-z]+)\b", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


class Connection(Protocol):
    """A connection to a database, which does one thing at a time."""

    async def begin(self, *, read_only: bool) -> None: ...

    async def execute(self, sql: str, parameters: Sequence[Value]) -> int:
        """Run a statement. Gives how many rows it has changed."""
        ...

    def rows(self, sql: str, parameters: Sequence[Value]) -> AsyncGenerator[list[Row], None]:
        """The rows of a statement, so many at a time as `PIECE` says; read as they are asked for."""
        ...

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...

    async def interrupt(self) -> None:
        """End the statement that is running: it fails."""
        ...

    async def close(self) -> None: ...


class Engine(Protocol):
    """A database."""

    async def prepare(self, statements: Sequence[str]) -> None:
        """Run statements that no client may run, before there are any."""
        ...

    async def connect(self) -> Connection: ...


def check(sql: str, verbs: frozenset[str]) -> None:
    """Raises NotAllowed unless it is one statement, and begins with one of the verbs."""
    verb = _VERB.match(sql)
    if verb is None or verb[1].lower() not in verbs:
        raise NotAllowed(f"a statement here begins with {', '.join(sorted(verbs))}")
    if ";" in _QUOTED.sub("", sql).rstrip().removesuffix(";"):
        raise NotAllowed("one statement at a time")
