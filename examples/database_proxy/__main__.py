"""`python -m examples.database_proxy [--database postgresql://...]`: transactions, cursors, and what goes wrong.

SQLite in a temporary file unless --database names another one, whose table example_accounts is made anew.
"""

from __future__ import annotations

import argparse
import socket
from functools import partial
from tempfile import TemporaryDirectory

from capnweb_runtime import connect
from examples.database_proxy.bad_input import bad_input
from examples.database_proxy.client import TAKE, balances, transfer
from examples.database_proxy.generated.database_proxy import DatabaseStub
from examples.database_proxy.schemas.database_proxy import StatementFailed
from examples.form.processes import Program, started
from examples.form.report import Report
from examples.form.running import run

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT i, 'row ' || i FROM n"
AHEAD = 100_000
"""Rows that may have been read when the reader has stopped: what the window of a stream holds, and not a million."""


async def database_proxy(database: str | None, report: Report) -> None:
    """Everything that the README claims."""
    with TemporaryDirectory() as folder:
        url = database or f"sqlite:///{folder}/bank.db"
        async with started("examples.database_proxy.server", "--database", url, "--port", "0") as server:
            await committed(report, server.url)
            await rolled_back(report, server)
            await cursors(report, server.url)
            await bad_input(report, server.url)


async def committed(report: Report, url: str) -> None:
    """A transaction from its beginning to its end, without waiting in between."""
    report.section("A transaction of two statements")
    session = connect(url, DatabaseStub)
    async with session as database:
        await transfer(database, 100, "Ada", "Grace")
        report.check("round trips to begin, change two accounts and commit", session.stats().round_trips, 1)
        report.check("accounts", await balances(database), [["Ada", 9_900], ["Grace", 5_100]])


async def rolled_back(report: Report, server: Program) -> None:
    """Whatever happens to whoever holds a transaction."""
    report.section("What is not committed is rolled back")
    async with connect(server.url, DatabaseStub) as database:
        async with await database.transaction() as transaction:
            report.check("changed, and then dropped", await transaction.execute(TAKE, 100, "Ada"), 1)
        await database.idle()
        report.check("accounts after that", await balances(database), [["Ada", 9_900], ["Grace", 5_100]])
        await cut_off(report, server)
        state = await database.idle()
        report.check("connections in use once the server has noticed", state.in_use, 0)
        report.check("accounts after the cut", await balances(database), [["Ada", 9_900], ["Grace", 5_100]])
        too_much = transfer(database, 1_000_000, "Ada", "Grace")
        await report.refused("more than Ada has, committed in the same breath", too_much, StatementFailed)
        await database.idle()
        report.check("accounts after the failure", await balances(database), [["Ada", 9_900], ["Grace", 5_100]])


async def cut_off(report: Report, server: Program) -> None:
    """A client whose connection breaks in the midst of a transaction."""
    line = socket.create_connection(("127.0.0.1", server.port))
    async with connect(server.url, DatabaseStub, sock=line) as database:
        transaction = await database.transaction()
        report.check("changed, and then cut off", await transaction.execute(TAKE, 100, "Ada"), 1)
        line.shutdown(socket.SHUT_RDWR)


async def cursors(report: Report, url: str) -> None:
    """As much is read as somebody wants to have."""
    report.section("Cursors")
    async with connect(url, DatabaseStub) as database:
        read = [row async for rows in database.query(NUMBERS, 20_000) for row in rows]
        report.check("rows of a cursor that is read to its end", len(read), 20_000)
        report.check("the last of them", read[-1], [20_000, "row 20000"])
        before = (await database.idle()).rows_read
        async with await database.query(NUMBERS, 1_000_000) as rows:
            first = [*await anext(rows), *await anext(rows), *await anext(rows)]
        report.check("rows taken of a million", len(first), 300)
        state = await database.idle()  # the connection is given back, since nobody reads any more
        report.at_most("rows that the server had read by then", state.rows_read - before, AHEAD)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.database_proxy", description=__doc__)
    parser.add_argument("--database", help="postgresql://USER:PASSWORD@HOST/NAME (default: SQLite in a temporary file)")
    run("database_proxy", partial(database_proxy, parser.parse_args().database))
