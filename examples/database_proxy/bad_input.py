"""What clients get that ask for what they must not, or hold more than there is."""

from __future__ import annotations

from capnweb_runtime import AnyStub, connect
from examples.database_proxy.client import balances
from examples.database_proxy.generated.database_proxy import DatabaseStub
from examples.database_proxy.schemas.database_proxy import (
    NotAllowed,
    PoolExhausted,
    TransactionOver,
    UniqueViolation,
    WrongValue,
)
from examples.form.report import Report

INSERT = "INSERT INTO example_accounts VALUES ($1, $2)"


async def bad_input(report: Report, url: str) -> None:
    """Each is told, and the others go on."""
    report.section("What bad input gets")
    async with connect(url, DatabaseStub) as database:
        await not_allowed(report, database)
        await wrong_values(report, database, url)
    report.section("Who holds too much")
    async with connect(url, DatabaseStub) as database:
        await all_taken(report, database)
        await too_long(report, database)
        report.check("accounts", await balances(database), [["Ada", 9_900], ["Grace", 5_100]])


async def not_allowed(report: Report, database: DatabaseStub) -> None:
    """Statements that no client may run."""
    async with await database.transaction() as transaction:
        drop = transaction.execute("DROP TABLE example_accounts")
        refused = await report.refused("DROP TABLE", drop, NotAllowed)
        report.say(str(refused).splitlines()[0])
        over = await report.refused("a commit after that", transaction.commit(), TransactionOver)
        report.say(str(over).splitlines()[0])
    for what, sql in (
        ("two statements in one", "SELECT 1; DELETE FROM example_accounts"),
        ("a change in a query that only reads", "DELETE FROM example_accounts"),
    ):
        await report.refused(what, anext(await database.query(sql)), NotAllowed)


async def wrong_values(report: Report, database: DatabaseStub, url: str) -> None:
    """Parameters that are nothing a column can hold, or not what this one holds."""
    async with connect(url, AnyStub) as untyped:  # a client that knows no schema
        listed = untyped.call("transaction").call("execute", INSERT, ["Bob"], 1)
        wrong = await report.refused("a list as a parameter, of a client without a schema", listed, TypeError)
        report.say(str(wrong).splitlines()[0])
    async with await database.transaction() as transaction:
        await report.refused("a text for a number", transaction.execute(INSERT, "Bob", "many"), WrongValue)
    async with await database.transaction() as transaction:
        twice = await report.refused("a second Ada", transaction.execute(INSERT, "Ada", 1), UniqueViolation)
        report.check("the table of the exception", twice.table, "example_accounts")


async def all_taken(report: Report, database: DatabaseStub) -> None:
    """More transactions than there are connections."""
    await database.idle()
    held = [await database.transaction() for _ in range((await database.state()).size)]
    error = await report.refused("a fourth transaction, of a pool of three", database.transaction(), PoolExhausted)
    report.check("seconds that it has waited", error.waited, 0.5)
    held[0].dispose()
    async with await database.transaction() as transaction:
        await transaction.rollback()
        report.check("once one is given back, the next", await transaction.over(), "rolled back: as was asked for")
    for transaction in held[1:]:
        transaction.dispose()


async def too_long(report: Report, database: DatabaseStub) -> None:
    """A transaction that keeps others from their work."""
    async with await database.transaction(seconds=0.5) as transaction:
        await transaction.execute(INSERT, "Bob", 1)
        report.check("one that is held", await transaction.over(), "rolled back: held for longer than 0.5 s")
        await report.refused("its commit", transaction.commit(), TransactionOver)
