"""Transactions end exactly once and give their connection back, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime import AnyStub
from capnweb_runtime.testing import Faults, PairFixture, Record
from examples.database_proxy.__main__ import NUMBERS
from examples.database_proxy.bad_input import INSERT
from examples.database_proxy.client import BALANCES, GIVE, TAKE, balances, transfer
from examples.database_proxy.engines import CHANGING, READING, check
from examples.database_proxy.generated.database_proxy import DatabaseStub
from examples.database_proxy.pool import Pool
from examples.database_proxy.schemas.database_proxy import (
    NotAllowed,
    PoolExhausted,
    StatementFailed,
    TransactionOver,
    UniqueViolation,
    WrongValue,
)
from examples.database_proxy.server import TABLES, Database, engine_of
from examples.form.testing import as_documented
from tests.needs import needs_postgres

SIZE = 3
UNCHANGED = [["Ada", 10_000], ["Grace", 5_000]]
IN_POSTGRES = pytest.param("postgres", marks=needs_postgres)


@pytest.fixture(params=["sqlite", IN_POSTGRES])
async def pool(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Pool]:
    """A pool over each kind of database; at the end no connection may be in use."""
    in_file = request.param == "sqlite"
    engine = engine_of(f"sqlite:///{tmp_path}/bank.db" if in_file else request.getfixturevalue("postgres"))
    await engine.prepare(TABLES)
    pool = Pool(engine, SIZE, patience=0.05)
    yield pool
    async with asyncio.timeout(10):
        await pool.idle()
        await pool.close()


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("database_proxy")
    assert ran.number("round trips to begin, change two accounts and commit") == 1
    assert ran.number("rows that the server had read by then") <= 100_000
    assert ran.claims["connections in use once the server has noticed"] == "0"


@needs_postgres
def test_it_prints_the_same_with_postgresql(postgres: str) -> None:
    as_documented("database_proxy", "--database", postgres)


@pytest.mark.capnweb(no_leaks=True)
async def test_a_transfer_is_one_round_trip_and_leaves_nothing(
    capnweb_pair: PairFixture, capnweb_calls: Record, pool: Pool
) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        await transfer(database, 2_500, "Ada", "Grace")
        assert capnweb_calls.round_trips == 1
        assert await balances(database) == [["Ada", 7_500], ["Grace", 7_500]]


async def test_a_transaction_sees_its_own_changes_and_others_do_not_until_it_commits(
    capnweb_pair: PairFixture, pool: Pool
) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database, await database.transaction() as transaction:
        await transaction.execute(TAKE, 1, "Ada")
        seen = [row async for rows in transaction.query(BALANCES) for row in rows]
        assert seen == [["Ada", 9_999], ["Grace", 5_000]]
        assert await balances(database) == UNCHANGED
        await transaction.commit()
        assert await balances(database) == seen
        assert await transaction.over() == "committed"


async def test_a_cursor_and_statements_of_a_transaction_may_alternate(capnweb_pair: PairFixture, pool: Pool) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        async with await database.transaction() as transaction:
            async for rows in transaction.query(NUMBERS, 250):
                await transaction.execute(GIVE, len(rows), "Grace")
            await transaction.commit()
        assert await balances(database) == [["Ada", 10_000], ["Grace", 5_250]]


async def test_a_transaction_that_is_dropped_is_rolled_back(capnweb_pair: PairFixture, pool: Pool) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        transaction = await database.transaction()
        await transaction.execute(TAKE, 1, "Ada")
        transaction.dispose()
        assert (await database.idle()).in_use == 0
        assert await balances(database) == UNCHANGED


@pytest.mark.parametrize("after", [0, 100, 200, 300])
async def test_wherever_the_line_is_cut_a_transfer_is_done_or_not_done(
    capnweb_pair: PairFixture, pool: Pool, after: int
) -> None:
    faults = Faults()
    async with capnweb_pair(Database(pool), DatabaseStub, faults=faults) as database:
        faults.to_server.cut_after(after)
        with pytest.raises(ConnectionError):
            await transfer(database, 1_000, "Ada", "Grace")
    await pool.idle()
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        assert await balances(database) in (UNCHANGED, [["Ada", 9_000], ["Grace", 6_000]])


async def test_a_statement_that_runs_when_the_transaction_is_dropped_is_interrupted(
    capnweb_pair: PairFixture, pool: Pool
) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database, asyncio.timeout(30):
        transaction = await database.transaction(seconds=0.2)
        endless = f"UPDATE example_accounts SET cents = (SELECT count(*) FROM ({NUMBERS}) AS n)"
        with pytest.raises(TransactionOver, match=r"held for longer than 0\.2 s"):
            await transaction.execute(endless, 1_000_000_000)
        await database.idle()
        assert await balances(database) == UNCHANGED
        transaction.dispose()


async def test_one_that_is_held_too_long_is_over_and_says_so(capnweb_pair: PairFixture, pool: Pool) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        async with await database.transaction(seconds=0.001) as transaction:
            assert await transaction.over() == "rolled back: held for longer than 0.001 s"
            for late in (transaction.execute(TAKE, 1, "Ada"), transaction.commit()):
                with pytest.raises(TransactionOver, match="held for longer"):
                    await late
            with pytest.raises(TransactionOver):
                _ = [rows async for rows in transaction.query(BALANCES)]
        with pytest.raises(TypeError, match="seconds"):
            await database.transaction(seconds=0)


async def test_a_commit_after_a_statement_that_failed_says_that_nothing_is_committed(
    capnweb_pair: PairFixture, pool: Pool
) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        async with await database.transaction() as transaction:
            await transaction.execute(GIVE, 5, "Grace")
            with pytest.raises(StatementFailed):
                await transaction.execute(TAKE, 1_000_000, "Ada")
            with pytest.raises(StatementFailed, match="has failed before"):
                await transaction.execute(GIVE, 5, "Grace")
            with pytest.raises(TransactionOver, match="a statement failed"):
                await transaction.commit()
        assert await balances(database) == UNCHANGED


async def test_who_finds_no_connection_waits_so_long_and_is_told(capnweb_pair: PairFixture, pool: Pool) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        held = [await database.transaction() for _ in range(SIZE)]
        with pytest.raises(PoolExhausted) as caught:
            await database.transaction()
        assert caught.value.waited == 0.05
        with pytest.raises(PoolExhausted):
            await anext(await database.query(BALANCES))
        pool.patience = 30
        waiting = asyncio.ensure_future(database.transaction())
        await asyncio.gather(database.state(), held[0].rollback())
        (await waiting).dispose()
        for transaction in held:
            transaction.dispose()
        assert (await database.idle()).in_use == 0


async def test_a_reader_that_stops_gives_the_connection_back_and_no_more_is_read(
    capnweb_pair: PairFixture, pool: Pool
) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        async with await database.query(NUMBERS, 1_000_000) as rows:
            assert len(await anext(rows)) == 100
            assert (await database.state()).in_use == 1
        state = await database.idle()
        assert state.in_use == 0
        assert state.rows_read < 100_000


async def test_a_slow_reader_holds_the_database_back(capnweb_pair: PairFixture, pool: Pool) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        async with await database.query(NUMBERS, 1_000_000) as rows:
            await anext(rows)
            reads = [(await database.state()).rows_read for _ in range(400)]
        assert reads[-1] < 100_000
        await database.idle()


async def test_a_unique_violation_arrives_as_itself(capnweb_pair: PairFixture, pool: Pool) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        async with await database.transaction() as transaction:
            with pytest.raises(UniqueViolation) as caught:
                await transaction.execute(INSERT, "Ada", 1)
        assert caught.value.table == "example_accounts"


async def test_values_of_wrong_types_are_refused(capnweb_pair: PairFixture, pool: Pool) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database, await database.transaction() as transaction:
        with pytest.raises(WrongValue):
            await transaction.execute(INSERT, "Bob", "many")
    for wrong in ([1], {"a": 1}):
        parameter: Any = wrong
        async with capnweb_pair(Database(pool), AnyStub) as untyped:
            with pytest.raises(TypeError, match="argument 'parameters'"):
                await untyped.call("transaction").call("execute", INSERT, parameter)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE example_accounts",
        "PRAGMA writable_schema = 1",
        "ATTACH 'x' AS x",
        "COMMIT",
        "COPY example_accounts TO '/tmp/x'",
        "SET ROLE postgres",
        "EXPLAIN SELECT 1",
        "-- SELECT\nDROP TABLE example_accounts",
        "/* */ SELECT 1",
        "SELECT 1; SELECT 2",
        "",
    ],
)
def test_what_clients_may_not_run_is_not_run(sql: str) -> None:
    for verbs in (READING, CHANGING):
        with pytest.raises(NotAllowed):
            check(sql, verbs)


@pytest.mark.parametrize("sql", ["SELECT ';'", "  select 1;  ", 'SELECT ";" FROM x', "SELECT 'it''s; fine'"])
def test_one_statement_may_have_any_text_in_it(sql: str) -> None:
    check(sql, READING)


async def test_what_hides_a_second_statement_or_a_change_is_refused_by_the_database(
    capnweb_pair: PairFixture, pool: Pool
) -> None:
    async with capnweb_pair(Database(pool), DatabaseStub) as database:
        for hidden in (
            "WITH x AS (SELECT 1) DELETE FROM example_accounts",
            "SELECT 1 WHERE 'a' = E'\\'; DELETE FROM example_accounts; SELECT '",
            "SELECT load_extension('x')",
            "SELECT name FROM sqlite_master",
        ):
            with pytest.raises((NotAllowed, StatementFailed)):
                _ = [rows async for rows in database.query(hidden)]
        assert await balances(database) == UNCHANGED
