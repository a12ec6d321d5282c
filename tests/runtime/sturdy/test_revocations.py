"""Revocations, in memory, in a file and in a backplane: kept for as long as a token could be used, then forgotten."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale import Backplane
from capnweb_runtime.sturdy import (
    BackplaneRevocations,
    MemoryRevocations,
    Revocations,
    SqliteRevocations,
    backplane_revocations,
)
from capnweb_runtime.sturdy.backplane_revocations import DAY, KEPT
from capnweb_runtime.sturdy.revocations import GRACE
from tests.needs import needs_redis
from tests.project.sources import ROOT
from tests.runtime.scale.engines import Engine, Memory, served
from tests.runtime.scale.servers import RedisServer
from tests.runtime.sturdy.service import NOON, Clock, RoomKey, Service

Make = Callable[[Clock], Revocations]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revoked.sqlite"


@pytest.fixture(params=["memory", "sqlite"])
def alone(request: pytest.FixtureRequest, path: Path) -> Make:
    if request.param == "memory":
        return lambda clock: MemoryRevocations(clock=clock)
    return lambda clock: SqliteRevocations(path, clock=clock)


@pytest.fixture
async def backplane(engine: Engine) -> AsyncIterator[Backplane]:
    async with engine.open() as opened:
        yield opened


@pytest.fixture
def shared(backplane: Backplane) -> Make:
    return lambda clock: BackplaneRevocations(backplane, clock=clock)


class Kept:
    """What all of them do."""

    async def test_what_was_revoked_is_known(self, make: Make) -> None:
        revocations = make(Clock())
        assert not await revocations.is_revoked("a")
        await revocations.revoke("a", NOON + 60)
        await revocations.revoke("a", NOON + 60)
        assert await revocations.is_revoked("a")
        assert not await revocations.is_revoked("b")

    async def test_it_is_forgotten_some_time_after_the_token_would_have_expired(self, make: Make) -> None:
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


class TestAlone(Kept):
    @pytest.fixture
    def make(self, alone: Make) -> Make:
        return alone


class TestShared(Kept):
    @pytest.fixture
    def make(self, shared: Make) -> Make:
        return shared

    async def test_what_one_process_notes_all_know_as_soon_as_it_is_noted(self, engine: Engine) -> None:
        async with engine.open() as here, engine.open() as there:
            ours, theirs = BackplaneRevocations(here, clock=Clock()), BackplaneRevocations(there, clock=Clock())
            for number in range(20):
                assert not await theirs.is_revoked(f"{number}")
                await ours.revoke(f"{number}", NOON + 60)
                assert await theirs.is_revoked(f"{number}")

    async def test_many_at_once_are_all_kept(self, engine: Engine) -> None:
        async with engine.open() as here, engine.open() as there, asyncio.timeout(60):
            revocations = [BackplaneRevocations(one, clock=Clock()) for one in (here, there)]
            await asyncio.gather(*(revocations[n % 2].revoke(str(n), NOON + 60) for n in range(20)))
            assert all([await revocations[0].is_revoked(str(n)) for n in range(20)])
            listed = await here.get(f"revoked-until/{(NOON + 60 + GRACE) // DAY}/0")
            assert listed is not None
            assert sorted(listed.data.decode().split("\n")) == sorted(str(n) for n in range(20))

    async def test_they_are_deleted_some_days_after_the_token_would_have_expired(
        self, backplane: Backplane, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(backplane_revocations, "PART", 2)
        clock = Clock()
        await BackplaneRevocations(backplane, clock=clock).revoke("x", NOON + 60)
        for id in ("a", "b", "c", "d"):
            await BackplaneRevocations(backplane, clock=clock).revoke(id, NOON + 60)
        await BackplaneRevocations(backplane, clock=clock).revoke("later", NOON + 3 * DAY)
        expires = (NOON + 60 + GRACE) // DAY
        clock.now = (expires + KEPT) * DAY
        revocations = BackplaneRevocations(backplane, clock=clock)
        await revocations.revoke("y", NOON + 99 * DAY)
        assert [await backplane.get(f"revoked/{id}") for id in ("x", "a", "b", "c", "d")] == [None] * 5
        assert [await backplane.get(f"revoked-until/{expires}/{part}") for part in range(4)] == [None] * 4
        assert await backplane.get("revoked/later") is not None

    async def test_the_wrong_clock_of_one_takes_nothing_from_others(self, backplane: Backplane) -> None:
        right = BackplaneRevocations(backplane, clock=Clock())
        wrong = BackplaneRevocations(backplane, clock=lambda: NOON + 6 * DAY)
        await right.revoke("a", NOON + 60)
        await wrong.revoke("b", NOON + 9 * DAY)
        assert not await wrong.is_revoked("a")
        assert await right.is_revoked("a")

    async def test_a_process_that_had_asked_before_sees_that_they_are_lost(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = Memory()
        async with engine.open() as backplane:
            old = BackplaneRevocations(backplane, clock=Clock())
            await old.revoke("a", NOON + 60)
            engine.store.lose()
            for _ in range(2):
                with pytest.raises(BackplaneUnavailable, match="the engine has lost the revocations that it kept"):
                    await old.is_revoked("a")
                with pytest.raises(BackplaneUnavailable, match="have its data back, or start the processes again"):
                    await old.revoke("a", NOON + 60)
            caplog.clear()
            new = BackplaneRevocations(backplane, clock=Clock())
            assert not await new.is_revoked("a")
            assert "this backplane keeps no revocations yet; if it did before, they are lost" in caplog.text
            with pytest.raises(BackplaneUnavailable):
                await old.is_revoked("a")

    @needs_redis
    async def test_nothing_is_restored_while_the_engine_does_not_answer(self) -> None:
        server = RedisServer()
        try:
            async with served(server).open() as backplane:
                service = Service(revocations=BackplaneRevocations(backplane, clock=Clock()))
                ref = service.refs.mint(service.rooms, RoomKey(7), principal="ada")
                assert (await service.refs.restore(ref, service.rooms, principal="ada")).number == 7
                server.kill()
                with pytest.raises(RuntimeError, match="asking for revocations failed") as caught:
                    await service.refs.restore(ref, service.rooms, principal="ada")
                assert isinstance(caught.value.__cause__, BackplaneUnavailable)
                with pytest.raises(RuntimeError, match="revoking failed"):
                    await service.refs.revoke(ref, principal="ada")
        finally:
            server.close()


def rows(path: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT id, expires FROM capnweb_revoked ORDER BY id").fetchall()


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
            assert go_on.wait(60)
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
