"""Revocations, in memory and in a file: kept for as long as a token could be used, and then forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from capnweb_runtime.sturdy import MemoryRevocations, Revocations, SqliteRevocations
from capnweb_runtime.sturdy.revocations import GRACE
from tests.project.sources import ROOT
from tests.runtime.sturdy.service import NOON, Clock

Make = Callable[[Clock], Revocations]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revoked.sqlite"


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, path: Path) -> Make:
    if request.param == "memory":
        return lambda clock: MemoryRevocations(clock=clock)
    return lambda clock: SqliteRevocations(path, clock=clock)


def rows(path: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT id, expires FROM capnweb_revoked ORDER BY id").fetchall()


async def test_what_was_revoked_is_known(make: Make) -> None:
    revocations = make(Clock())
    assert not await revocations.is_revoked("a")
    await revocations.revoke("a", NOON + 60)
    await revocations.revoke("a", NOON + 60)
    assert await revocations.is_revoked("a")
    assert not await revocations.is_revoked("b")


async def test_it_is_forgotten_some_time_after_the_token_would_have_expired(make: Make) -> None:
    clock = Clock()
    revocations = make(clock)
    for id, expires in (("late", NOON + 7200), ("soon", NOON + 60), ("later", NOON + 9999)):
        await revocations.revoke(id, expires)
    clock.now = NOON + 60 + GRACE
    await revocations.revoke("x", NOON + 10_000)
    assert await revocations.is_revoked("soon")
    clock.now += 1
    await revocations.revoke("y", NOON + 10_000)
    assert not await revocations.is_revoked("soon")
    assert [await revocations.is_revoked(id) for id in ("late", "later", "x", "y")] == [True] * 4


class TestMemory:
    async def test_more_than_may_be_kept_are_refused_and_none_is_forgotten(self) -> None:
        clock = Clock()
        revocations = MemoryRevocations(2, clock=clock)
        await revocations.revoke("a", NOON)
        await revocations.revoke("b", NOON + 60)
        with pytest.raises(RuntimeError, match="2 tokens are revoked already; keep them in SqliteRevocations"):
            await revocations.revoke("c", NOON + 60)
        await revocations.revoke("a", NOON)
        assert await revocations.is_revoked("a")
        clock.now += GRACE + 1
        await revocations.revoke("c", NOON + 60)
        assert not await revocations.is_revoked("a")


class TestSqlite:
    async def test_they_outlive_the_process(self, path: Path) -> None:
        await SqliteRevocations(path, clock=Clock()).revoke("a", NOON + 60)
        again = SqliteRevocations(str(path), clock=Clock())
        assert await again.is_revoked("a")
        assert rows(path) == [("a", NOON + 60)]

    async def test_they_are_deleted_from_the_file(self, path: Path) -> None:
        clock = Clock()
        revocations = SqliteRevocations(path, clock=clock)
        await revocations.revoke("a", NOON)
        clock.now += GRACE + 1
        await revocations.revoke("b", NOON + 9999)
        assert [id for id, _ in rows(path)] == ["b"]

    async def test_processes_share_them(self, path: Path) -> None:
        revocations = SqliteRevocations(path)
        program = (
            "import asyncio, sys; from capnweb_runtime.sturdy import SqliteRevocations\n"
            "asyncio.run(SqliteRevocations(sys.argv[1]).revoke('theirs', 2**40))"
        )
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, path, cwd=ROOT, stderr=PIPE)
        _, said = await asyncio.wait_for(process.communicate(), 60)
        assert (process.returncode, said) == (0, b"")
        assert await revocations.is_revoked("theirs")

    async def test_many_at_once_are_all_kept(self, path: Path) -> None:
        revocations = SqliteRevocations(path)
        async with asyncio.timeout(60):
            await asyncio.gather(*(revocations.revoke(str(number), 2**40) for number in range(30)))
        assert len(rows(path)) == 30

    async def test_the_loop_does_not_wait_for_the_disk(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """While another process writes, and this one has to wait for it, other tasks run."""
        revocations = SqliteRevocations(path)
        loop, waiting, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
        connect = sqlite3.connect

        def slow(*arguments: object, **options: object) -> sqlite3.Connection:
            loop.call_soon_threadsafe(waiting.set)
            assert go_on.wait(30)
            return connect(*arguments, **options)  # type: ignore[call-overload, no-any-return]  # passed on as it came

        monkeypatch.setattr(sqlite3, "connect", slow)
        asked = asyncio.ensure_future(revocations.is_revoked("a"))
        await asyncio.wait_for(waiting.wait(), 30)
        assert not asked.done()
        go_on.set()
        assert not await asyncio.wait_for(asked, 30)

    @pytest.mark.parametrize("name", [":memory:", ""])
    def test_a_database_without_a_file_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="is no file; for revocations in memory there is MemoryRevocations"):
            SqliteRevocations(name)

    def test_what_cannot_be_opened_is_told_at_once(self, tmp_path: Path, path: Path) -> None:
        with pytest.raises(sqlite3.Error):
            SqliteRevocations(tmp_path / "no such folder" / "revoked.sqlite")
        path.write_text("this is no database, however long it is\n" * 100)
        with pytest.raises(sqlite3.Error):
            SqliteRevocations(path)

    async def test_text_of_strangers_is_no_sql(self, path: Path) -> None:
        revocations = SqliteRevocations(path, clock=Clock())
        await revocations.revoke("'); DROP TABLE capnweb_revoked; --", NOON)
        assert await revocations.is_revoked("'); DROP TABLE capnweb_revoked; --")
