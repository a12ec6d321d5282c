"""A client that follows a topic: nothing twice, nothing lost unseen, wherever its sessions are."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from capnweb_runtime import Connected, Reconnect, Server, SessionClosed, StaleCapability, connect, serve
from capnweb_runtime.scale import (
    Backplane,
    BackplaneUnavailable,
    Bounds,
    Cursor,
    Following,
    MemoryBackplane,
    TopicGap,
    follow,
)
from capnweb_runtime.scale.hub import Page
from capnweb_runtime.testing import PairFixture
from tests.chaos.proxy import Proxy
from tests.runtime.scale.engines import Engine
from tests.runtime.scale.generated.rooms import HouseStub
from tests.runtime.scale.rooms import House
from tests.runtime.scale.schema.rooms import Said
from tests.runtime.scale.test_topic_target import ended

LIMIT = 60


async def at_once(seconds: float) -> None:
    """In place of waiting before another attempt."""
    await asyncio.sleep(0)


QUICK = Reconnect(first=0.001, longest=0.01)


async def take(events: Following[Said], number: int) -> list[int | str]:
    """The numbers of events, and the reasons of gaps."""
    items = [await anext(events) for _ in range(number)]
    return [item.reason if isinstance(item, TopicGap) else item.data.number for item in items]


@asynccontextmanager
async def worker(backplane: Backplane, port: int = 0) -> AsyncGenerator[Server]:
    async with serve(lambda peer: House(backplane), "127.0.0.1", port) as server:
        yield server


@pytest.mark.capnweb(no_leaks=True)
async def test_what_is_followed_is_all_that_happens_and_what_is_left_is_nothing(capnweb_pair: PairFixture) -> None:
    backplane = MemoryBackplane()
    async with (
        asyncio.timeout(LIMIT),
        capnweb_pair(House(backplane), HouseStub) as house,
        await house.room("7") as room,
        await room.events() as topic,
    ):
        async with follow(topic) as events:
            begun = events.cursor
            cursors = [await room.say(number) for number in range(200)]
            assert await take(events, 200) == [*range(200)]
            assert events.cursor == cursors[-1]
        async with follow(topic, cursors[100]) as events:
            assert events.cursor == cursors[100]
            assert await take(events, 99) == [*range(101, 200)]
        async with follow(topic, begun) as events:
            assert await take(events, 1) == [0]
            assert events.cursor == cursors[0]
        await ended(backplane)


async def test_a_wait_that_was_given_up_loses_nothing(capnweb_pair: PairFixture) -> None:
    async with (
        asyncio.timeout(LIMIT),
        capnweb_pair(House(MemoryBackplane()), HouseStub) as house,
        await house.room("7") as room,
        follow(room.events()) as events,
    ):
        for number in range(20):
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            saying = asyncio.ensure_future(room.say(number))
            for _ in range(number):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            if waiting.cancelled():
                assert await take(events, 1) == [number]
            await saying


async def test_nothing_is_missed_and_nothing_comes_twice_however_often_the_connection_is_cut() -> None:
    chance = random.Random(7)
    backplane = MemoryBackplane()
    async with (
        asyncio.timeout(LIMIT),
        worker(backplane) as server,
        Proxy(server.port) as proxy,
        connect(server.url, HouseStub) as publisher,
        await publisher.room("7") as room,
        connect(proxy.url, HouseStub, reconnect=QUICK) as house,
        follow(house.room("7").events(), sleep=at_once) as events,
    ):

        async def publish() -> None:
            for number in range(500):
                await room.say(number)
                if chance.random() < 0.05:
                    proxy.cut()

        publishing = asyncio.create_task(publish())
        assert await take(events, 500) == [*range(500)]
        await publishing
        assert proxy.connections > 5
    await ended(backplane)


@pytest.mark.parametrize("says_so", [True, False])
async def test_it_goes_on_at_whichever_worker_its_next_session_is(engine: Engine, says_so: bool) -> None:
    """A worker may close its backplane before its sessions: whoever follows is told, and asks until it is elsewhere."""
    async with AsyncExitStack() as staying, asyncio.timeout(LIMIT):
        other = await staying.enter_async_context(engine.open())
        second = await staying.enter_async_context(worker(other))
        async with engine.open() as one, worker(one) as first:
            client = connect([first.url, second.url], HouseStub, reconnect=QUICK)
            house = await staying.enter_async_context(client)
            events = await staying.enter_async_context(follow(house.room("7").events(), sleep=at_once))
            await house.room("7").say(1)
            assert await take(events, 1) == [1]
            if says_so:
                await one.close()
        room = await staying.enter_async_context(await house.room("7"))
        for number in range(2, 50):
            await room.say(number)
        assert await take(events, 48) == [*range(2, 50)]


async def test_who_was_away_for_too_long_is_told_of_a_gap_and_goes_on() -> None:
    backplane = MemoryBackplane(bounds=Bounds(history_events=10, recent_events=1))
    back = asyncio.Event()

    async def wait(_: Any, info: Connected) -> None:
        if info.lost:
            await back.wait()

    async with (
        asyncio.timeout(LIMIT),
        worker(backplane) as server,
        Proxy(server.port) as proxy,
        connect(server.url, HouseStub) as publisher,
        await publisher.room("7") as room,
        connect(proxy.url, HouseStub, reconnect=Reconnect(first=0.001, on_connect=wait)) as house,
        follow(house.room("7").events(), sleep=at_once) as events,
    ):
        proxy.cut()
        await ended(backplane)
        for number in range(20):
            await room.say(number)
        back.set()
        assert await take(events, 1) == ["trimmed"]
        await room.say(20)
        assert await take(events, 1) == [20]


async def test_an_engine_that_is_away_is_waited_for() -> None:
    class Away(MemoryBackplane):
        failures = 3

        async def page(self, topic: str, after: Cursor | None, count: int) -> Page:
            if self.failures:
                self.failures -= 1
                raise BackplaneUnavailable("it does not answer")
            return await super().page(topic, after, count)

    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with (
        asyncio.timeout(LIMIT),
        worker(Away()) as server,
        connect(server.url, HouseStub) as house,
        follow(house.room("7").events(), sleep=sleep, chance=lambda: 1.0) as events,
    ):
        await house.room("7").say(1)
        assert await take(events, 1) == [1]
    assert waits == [0.05, 0.1, 0.2]


async def test_without_reconnect_the_end_of_the_session_is_the_end() -> None:
    async with (
        asyncio.timeout(LIMIT),
        worker(MemoryBackplane()) as server,
        Proxy(server.port) as proxy,
        connect(proxy.url, HouseStub) as house,
        follow(house.room("7").events(), sleep=at_once) as events,
    ):
        await house.room("7").say(1)
        assert await take(events, 1) == [1]
        proxy.cut()
        with pytest.raises(SessionClosed):
            await take(events, 1)


async def test_what_cannot_be_got_again_says_so() -> None:
    async with (
        asyncio.timeout(LIMIT),
        worker(MemoryBackplane()) as server,
        Proxy(server.port) as proxy,
        connect(proxy.url, HouseStub, reconnect=QUICK) as house,
        follow(await house.forgotten("7"), sleep=at_once) as events,
    ):
        proxy.cut()
        with pytest.raises(StaleCapability):
            await take(events, 1)


async def test_a_cursor_that_is_none_is_refused_on_entering() -> None:
    async with asyncio.timeout(LIMIT), worker(MemoryBackplane()) as server, connect(server.url, HouseStub) as house:
        with pytest.raises(ValueError, match="is no cursor"):
            async with follow(house.room("7").events(), "yesterday"):
                pass


async def test_who_reads_slowly_holds_up_nobody_and_is_told_of_the_gap() -> None:
    backplane = MemoryBackplane(bounds=Bounds(queue_events=10))
    async with (
        asyncio.timeout(LIMIT),
        worker(backplane) as server,
        connect(server.url, HouseStub) as house,
        follow(house.room("7").events()) as events,
    ):
        for number in range(100):
            await house.room("7").say(number)
        seen: list[int | str] = []
        while 99 not in seen:
            seen += await take(events, 1)
        before, after = seen[: seen.index("slow")], seen[len(seen) - seen[::-1].index("slow") :]
        assert before == [*range(len(before))]
        assert after == [*range(100 - len(after), 100)]
