"""What `@batched` saves a map that joins rows with those of a database: `python -m tests.bench.batched`. Rule: what is
compared are rounds that take turns, so that what else the machine does cancels out.

A map over rows calls a method of the server for each, in one process, over memory. The database is a file of SQLite. It
is asked row by row or in batches, on the event loop, where a query costs least, or in a thread, where it holds nobody.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from capnweb_runtime import batched, in_thread
from capnweb_runtime.transports.memory import pair
from generated.accounts import AuthedApiStub, AuthedApiTarget, SubscriptionTarget
from schemas.accounts import Profile

USERS = 100_000


class OneByOne(AuthedApiTarget):
    """A query for each call.

    Attributes:
        queries: how many there were.
    """

    def __init__(self, database: sqlite3.Connection, rows: int) -> None:
        self.database = database
        self.rows = rows
        self.queries = 0

    @property
    def user_name(self) -> str:
        return "ada"

    def me(self) -> int:
        return 1

    def friends(self) -> list[int]:
        return [number * 997 % USERS for number in range(self.rows)]

    def one(self, user_id: int) -> Profile:
        """One user, by one query."""
        self.queries += 1
        row = self.database.execute("SELECT number, name FROM users WHERE number = ?", (user_id,)).fetchone()
        return Profile(id=row[0], name=row[1])

    def get_profile(self, user_id: int) -> Profile | Awaitable[Profile]:
        return self.one(user_id)

    def watch(self, on_change: object) -> SubscriptionTarget:
        raise NotImplementedError

    def download(self, name: str) -> Iterator[bytes]:  # type: ignore[override]  # nobody calls it here
        raise NotImplementedError


class OneByOneInThread(OneByOne):
    """A query for each call, in a thread."""

    @in_thread
    def get_profile(self, user_id: int) -> Profile:
        return self.one(user_id)


class Together(OneByOne):
    """A query for the calls of each turn."""

    @batched(AuthedApiTarget.get_profile)
    async def get_profile(self, user_ids: list[int]) -> list[Profile]:
        return self.several(user_ids)

    def several(self, user_ids: list[int]) -> list[Profile]:
        """Several users, by one query."""
        self.queries += 1
        rows = self.database.execute(
            "SELECT number, name FROM users WHERE number IN (SELECT value FROM json_each(?))", (json.dumps(user_ids),)
        )
        found = {number: Profile(id=number, name=name) for number, name in rows}
        return [found[user_id] for user_id in user_ids]


class TogetherInThread(Together):
    """A query for the calls of each turn, in a thread."""

    @batched(AuthedApiTarget.get_profile)
    @in_thread
    def get_profile(self, user_ids: list[int]) -> list[Profile]:
        return self.several(user_ids)


@contextmanager
def users() -> Iterator[sqlite3.Connection]:
    """A database with all of them, in a file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(sqlite3.connect(Path(folder) / "users.sqlite", check_same_thread=False)) as database,
    ):
        database.execute("CREATE TABLE users (number INTEGER PRIMARY KEY, name TEXT)")
        rows = ((number, f"user {number}") for number in range(USERS))
        database.executemany("INSERT INTO users VALUES (?, ?)", rows)
        database.commit()
        yield database


KINDS = OneByOne, Together, OneByOneInThread, TogetherInThread


async def seconds_of(stub: AuthedApiStub, maps: int) -> float:
    """What so many maps take, one after the other."""
    began = time.perf_counter()
    for _ in range(maps):
        await stub.friends().map(lambda number: stub.get_profile(number).name)
    return time.perf_counter() - began


async def measure(rows: int, maps: int, rounds: int) -> list[dict[str, Any]]:
    """Queries and milliseconds of a map for each kind, and, for those that ask row by row, how many times as long they
    take, with the quartiles.
    """
    with users() as database:
        targets = [kind(database, rows) for kind in KINDS]
        sessions = [pair(None, target) for target in targets]
        stubs = [client.main(AuthedApiStub) for client, _ in sessions]
        taken: list[list[float]] = [[] for _ in targets]
        for _ in range(rounds):
            for stub, seconds in zip(stubs, taken, strict=True):
                seconds.append(await seconds_of(stub, maps))
    found: list[dict[str, Any]] = [
        {
            "kind": type(target).__name__,
            "queries": target.queries / rounds / maps,
            "ms": statistics.median(seconds) / maps * 1e3,
        }
        for target, seconds in zip(targets, taken, strict=True)
    ]
    for one, together in ((0, 1), (2, 3)):
        ratios = [one_by_one / batch for one_by_one, batch in zip(taken[one], taken[together], strict=True)]
        found[one]["times"] = statistics.quantiles(ratios, n=4)
    return found


def show(found: list[dict[str, Any]]) -> None:
    """Prints them."""
    for kind in found:
        print(f"{kind['kind']:17}{kind['queries']:6.1f} queries a map {kind['ms']:7.2f} ms")
        if "times" in kind:
            least, median, most = kind["times"]
            print(f"  which is {median:.2f} times as long as together ({least:.2f} to {most:.2f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.batched", description=__doc__)
    parser.add_argument("--rows", type=int, default=100, help="of one map (default: %(default)s)")
    parser.add_argument("--maps", type=int, default=20, help="of one round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=21, help="of each kind (default: %(default)s)")
    options = parser.parse_args()
    show(asyncio.run(measure(options.rows, options.maps, options.rounds)))
