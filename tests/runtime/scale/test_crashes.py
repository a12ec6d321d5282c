"""Engines that are killed, that forget, and that answer nobody for a while. The oracle is a number in each event:
whoever sees a number that does not follow on the last one has been told of a `Gap` before.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale import Backplane, Cursor, Event, Gap, Subscription, nats_streams
from tests.needs import needs_nats, needs_redis
from tests.runtime.scale.conftest import SERVED
from tests.runtime.scale.engines import SERVERS, Memory, Served, served
from tests.runtime.scale.servers import NatsServer, RedisServer

TOPIC = "numbers"


@pytest.fixture(params=SERVED)
def engine(request: pytest.FixtureRequest) -> Iterator[Served]:
    """Of a server that this test alone has."""
    server = SERVERS[request.param]()
    yield served(server)
    server.close()


class Reader:
    """One that reads all, and fails where a number is missing without a word."""

    def __init__(self) -> None:
        self.last: int | None = None
        self.gaps: list[Gap] = []
        self.cursor: Cursor | None = None

    def see(self, item: Event | Gap) -> None:
        self.cursor = item.cursor
        if isinstance(item, Gap):
            self.gaps.append(item)
            self.last = None
            return
        number = int(item.data)
        assert self.last is None or number == self.last + 1, f"{number} after {self.last}, and no gap"
        self.last = number

    async def until(self, subscription: Subscription, number: int, at: Cursor | None = None) -> None:
        """Read until a number, or until a gap that says that its place is passed."""
        async with asyncio.timeout(60):
            while self.last != number and (at is None or self.cursor != at):
                self.see(await anext(subscription))


async def surely(backplane: Backplane, number: int) -> Cursor:
    """Publishes, again and again until it is known to be done, under one id."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await backplane.publish(TOPIC, b"%d" % number, id=f"number {number}")
            except BackplaneUnavailable:
                await asyncio.sleep(0)


async def test_a_killed_engine_is_a_gap_or_nothing_at_all(engine: Served) -> None:
    reader = Reader()
    async with engine.open() as here, engine.open() as there, there.subscribe(TOPIC) as subscription:
        for number in range(20):
            await surely(here, number)
        await reader.until(subscription, 9)
        engine.server.kill()
        engine.server.start()
        last = [await surely(here, number) for number in range(20, 40)][-1]
        await reader.until(subscription, 39, last)
    assert all(gap.reason == "epoch" for gap in reader.gaps)


async def test_a_cursor_from_before_the_crash_is_a_gap_or_goes_on(engine: Served) -> None:
    reader = Reader()
    async with engine.open() as here:
        cursor = [await surely(here, number) for number in range(20)][-1]
        reader.last = 19
        engine.server.kill()
        engine.server.start()
        for number in range(20, 25):
            await surely(here, number)
        async with engine.open() as there, there.subscribe(TOPIC, cursor) as subscription:
            await surely(here, 25)
            await reader.until(subscription, 25)


async def test_an_engine_that_forgot_everything_is_a_gap(engine: Served) -> None:
    """Also for cursors that it could take for its own: as many have been published before as after."""
    reader = Reader()
    async with engine.open() as here, here.subscribe(TOPIC) as subscription:
        cursor = [await surely(here, number) for number in range(5)][-1]
        await reader.until(subscription, 4)
        fence = await here.acquire("room/7", b"", 60)
        engine.server.kill()
        engine.server.lose()
        engine.server.start()
        last = [await surely(here, number) for number in range(100, 110)][-1]
        await reader.until(subscription, 109, last)
        assert [gap.reason for gap in reader.gaps] == ["epoch"]
        async with here.subscribe(TOPIC, cursor) as resumed, asyncio.timeout(30):
            item = await anext(resumed)
            assert isinstance(item, Gap)
            assert item.reason == "epoch"
        after = await here.acquire("room/7", b"", 60)
        assert fence
        assert after
        assert after.fence > fence.fence, "whoever has the lost one is refused"


@needs_redis
async def test_redis_that_lost_its_last_events_is_a_gap(tmp_path: Path) -> None:
    """Other events have the offsets of those that were lost: a cursor alone would fit."""
    server = RedisServer()
    engine = served(server)
    reader = Reader()
    try:
        async with engine.open() as here, here.subscribe(TOPIC) as subscription:
            for number in range(3):
                await surely(here, number)
            server.kill()
            shutil.copytree(server.data, tmp_path / "before")
            server.start()
            cursor = [await surely(here, number) for number in range(3, 8)][-1]
            server.kill()
            shutil.rmtree(server.data)
            shutil.copytree(tmp_path / "before", server.data)
            server.start()
            last = [await surely(here, number) for number in range(100, 120)][-1]
            await reader.until(subscription, 119, last)
            async with here.subscribe(TOPIC, cursor) as resumed, asyncio.timeout(30):
                item = await anext(resumed)
                assert isinstance(item, Gap)
                assert item.reason == "epoch"
    finally:
        server.close()


async def test_subscribers_who_hear_nothing_learn_of_a_loss(engine: Served) -> None:
    """Nothing is published after it, and still nobody waits for what will not come."""
    async with engine.open() as here, here.subscribe(TOPIC) as subscription:
        await surely(here, 1)
        async with asyncio.timeout(60):
            await anext(subscription)
            engine.server.kill()
            engine.server.lose()
            engine.server.start()
            item = await anext(subscription)
    assert isinstance(item, Gap)
    assert item.reason == "epoch"


async def test_what_is_published_while_the_engine_is_away_is_refused(engine: Served) -> None:
    async with engine.open() as here:
        engine.server.kill()
        with pytest.raises(BackplaneUnavailable, match="did not answer"):
            await asyncio.wait_for(here.publish(TOPIC, b""), 60)


@needs_nats
async def test_nobody_waits_for_an_answer_of_a_connection_to_nats_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """However patient they are: neither those who had asked, nor those who ask while there is none."""
    monkeypatch.setattr(nats_streams, "_PATIENCE", 1_000.0)
    server = NatsServer()
    try:
        async with served(server).open() as here, asyncio.timeout(60):
            await surely(here, 0)
            server.pause()
            asking = [asyncio.create_task(here.publish(TOPIC, b"", id=str(number))) for number in range(3)]
            await asyncio.sleep(0)
            server.kill()
            for asked in asking:
                with pytest.raises(BackplaneUnavailable, match="did not answer"):
                    await asked
            with pytest.raises(BackplaneUnavailable, match="did not answer"):
                await here.publish(TOPIC, b"")
            server.start()
            await surely(here, 1)
    finally:
        server.close()


async def test_nobody_connects_where_no_engine_is(engine: Served) -> None:
    engine.server.kill()
    with pytest.raises(BackplaneUnavailable, match="did not answer"):
        await engine.open().__aenter__()


async def test_an_engine_that_stops_for_a_while_loses_nothing(engine: Served) -> None:
    reader = Reader()
    async with engine.open() as here, engine.open() as there, there.subscribe(TOPIC) as subscription:
        await surely(here, 0)
        engine.server.pause()
        publishing = asyncio.create_task(surely(here, 1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(publishing), 0.2)
        engine.server.go_on()
        await publishing
        await surely(here, 2)
        await reader.until(subscription, 2)
        assert not reader.gaps


async def test_a_store_in_memory_loses_as_an_engine_does() -> None:
    engine = Memory()
    reader = Reader()
    async with engine.open() as here, here.subscribe(TOPIC) as subscription:
        cursor = await here.publish(TOPIC, b"1")
        await reader.until(subscription, 1)
        await here.put("k", b"")
        engine.store.lose()
        assert await here.get("k") is None
        await here.publish(TOPIC, b"7")
        await reader.until(subscription, 7)
        assert [gap.reason for gap in reader.gaps] == ["epoch"]
        async with here.subscribe(TOPIC, cursor) as resumed:
            item = await anext(resumed)
            assert isinstance(item, Gap)
