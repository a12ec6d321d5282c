"""Workers that are killed, and workers that stand still: real processes, with real engines."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from capnweb_runtime import Disconnected, RpcError, SessionClosed, connect, deadline
from capnweb_runtime.errors import BackplaneUnavailable
from capnweb_runtime.scale import Cluster
from capnweb_runtime.scale.on_redis import RedisBackplane
from tests.needs import needs_redis
from tests.placed.generated.rooms import FrontStub, RoomStub
from tests.placed.processes import Process
from tests.placed.service import Room, rooms
from tests.runtime.scale.conftest import SERVED
from tests.runtime.scale.engines import Engine, Served
from tests.runtime.scale.servers import RedisServer

TTL = 3.0
"""Seconds; far longer than a busy machine keeps a process waiting."""


@pytest.fixture
def served(engine: Engine) -> Served:
    assert isinstance(engine, Served)
    return engine


def worker(served: Served, name: str) -> Process:
    return Process(served.server.url, served.name, name, TTL)


async def texts(room: RoomStub) -> list[str]:
    return [line.text for line in await room.lines()]


@pytest.mark.parametrize("engine", SERVED, indirect=True)
async def test_when_an_owner_is_killed_another_worker_takes_over(served: Served) -> None:
    async with (
        worker(served, "a") as a,
        worker(served, "b") as b,
        connect(a.url, FrontStub) as front_of_a,
        connect(b.url, FrontStub) as front_of_b,
    ):
        assert await front_of_a.room("7").add("one") == 1
        room = await front_of_b.room("7")
        assert await room.worker() == "a", "it was asked first"
        with room.sit("Ada") as seat:
            assert (await seat.say("two")).number == 2
        never = asyncio.Event()

        async def go() -> bool:
            entered.set()
            return await never.wait()

        entered = asyncio.Event()
        pending = asyncio.ensure_future(room.add_when(go, "three"))
        await entered.wait()
        a.kill()
        with pytest.raises(RpcError, match="the call may have been carried out"):
            await pending
        with pytest.raises(RpcError, match="has not been sent, and has not run"):
            await room.add("four")
        room.dispose()
        async with asyncio.timeout(2 * TTL):
            room = await front_of_b.room("7")
        assert await room.worker() == "b"
        assert await texts(room) == ["one", "Ada: two"]
        room.dispose()


@pytest.mark.parametrize("engine", SERVED[:1], indirect=True)
async def test_pipelines_callbacks_and_streams_go_through_two_processes(served: Served) -> None:
    async with (
        worker(served, "a") as a,
        worker(served, "b") as b,
        connect(a.url, FrontStub) as front_of_a,
        connect(b.url, FrontStub) as front_of_b,
    ):
        assert await front_of_a.room("7").worker() == "a"
        client = front_of_b
        seen: list[str] = []

        def on_line(text: str) -> int:
            seen.append(text)
            return len(text)

        with client.room("7") as pipelined, pipelined.sit("Ada") as seat:
            assert (await seat.say("one")).text == "one"
        with await client.room("7") as room:
            assert await room.watch(on_line) == len("Ada: one")
            async with await room.record() as record:
                for number in range(20):
                    await record.write(str(number))
            assert [line.text async for line in room.history()] == ["Ada: one", *map(str, range(20))]
            assert seen == ["Ada: one", *map(str, range(20))]
            assert await room.worker() == "a"


@pytest.mark.parametrize("engine", SERVED, indirect=True)
async def test_an_owner_that_stood_still_for_too_long_does_nothing_more(served: Served) -> None:
    async with (
        worker(served, "a") as a,
        worker(served, "b") as b,
        connect(a.url, FrontStub, keepalive=None) as front_of_a,
        connect(b.url, FrontStub) as front_of_b,
    ):
        stale = await front_of_a.room("7")
        fence = await stale.fence
        assert await stale.add("one") == 1
        entered, going = asyncio.Event(), asyncio.Event()

        async def go() -> bool:
            entered.set()
            return await going.wait()

        running = asyncio.ensure_future(stale.add_when(go, "begun before"))
        await entered.wait()
        a.pause()
        sent = asyncio.ensure_future(stale.add("sent meanwhile"))
        async with asyncio.timeout(2 * TTL):
            room = await front_of_b.room("7")
        assert await room.worker() == "b"
        assert await room.fence > fence
        assert await room.add("two") == 2
        a.go_on()
        going.set()
        with pytest.raises(RpcError, match="its lease is lost"):
            await sent
        with pytest.raises(RpcError, match="belongs to a later owner"):
            await running
        assert await room.add("three") == 3
        assert await texts(room) == ["one", "two", "three"], "nobody else has written"
        with await front_of_a.room("7") as again:
            assert await again.worker() == "b"
            assert await again.add("four") == 4
        stale.dispose()
        room.dispose()


@pytest.mark.parametrize("engine", SERVED[:1], indirect=True)
async def test_a_worker_that_ends_hands_its_objects_over_at_once(served: Served) -> None:
    async with worker(served, "a") as a, worker(served, "b") as b, connect(b.url, FrontStub) as front:
        async with connect(a.url, FrontStub) as front_of_a:
            assert await front_of_a.room("7").add("one") == 1
        assert await front.room("7").worker() == "a"
        await a.leave()
        async with asyncio.timeout(TTL):
            assert await front.room("7").worker() == "b"
        with await front.room("7") as room:
            assert await texts(room) == ["one"]


class Adding:
    """Clients that go on adding lines to rooms, at whichever worker there is; and what they know."""

    def __init__(self, seed: int, workers: dict[str, Process]) -> None:
        self.chance = random.Random(seed)
        self.acknowledged: list[tuple[str, str]] = []
        self.ended = False
        self._workers = workers

    async def run(self, client: int) -> None:
        number = 0
        while not self.ended:
            url = self._workers[self.chance.choice(sorted(self._workers))].url
            try:
                async with asyncio.timeout(30), connect(url, FrontStub, keepalive=TTL) as front:
                    while not self.ended:
                        name, number = self.chance.choice("xyz"), number + 1
                        with deadline(2 * TTL), await front.room(name) as room:
                            await room.add(f"{client}-{number}")
                        self.acknowledged.append((name, f"{client}-{number}"))
            except (SessionClosed, RpcError, TimeoutError):  # of which it is not known whether they were added
                await asyncio.sleep(0)

    async def more(self, lines: int) -> None:
        """Waits until so many more have been added."""
        until_then = len(self.acknowledged) + lines
        async with asyncio.timeout(60):
            while len(self.acknowledged) < until_then:  # noqa: ASYNC110  (of what there is no event for)
                await asyncio.sleep(0.001)


@pytest.mark.parametrize("engine", SERVED, indirect=True)
async def test_whatever_becomes_of_workers_nothing_is_lost_and_nothing_doubled(served: Served) -> None:
    async with AsyncExitStack() as stack:
        workers = {name: await stack.enter_async_context(worker(served, name)) for name in "abc"}
        adding = Adding(7, workers)
        clients = [asyncio.create_task(adding.run(client)) for client in range(4)]
        for what, name in (("kill", "a"), ("leave", "b"), ("pause", "c"), ("kill", "b")):
            await adding.more(50)
            if what == "pause":
                workers[name].pause()
                await adding.more(50)  # where it was not the owner; and where it was, since another has taken over
                workers[name].go_on()
                continue
            if what == "kill":
                workers[name].kill()
            else:
                await workers[name].leave()
            workers[name] = await stack.enter_async_context(worker(served, name))
        await adding.more(50)
        adding.ended = True
        await asyncio.gather(*clients)
        async with connect(workers["a"].url, FrontStub) as front:
            for name in "xyz":
                with await front.room(name) as room:
                    kept = await texts(room)
                assert len(kept) == len(set(kept))
                assert {text for at, text in adding.acknowledged if at == name} <= set(kept)


@needs_redis
async def test_an_engine_that_is_gone_for_too_long_ends_what_was_owned() -> None:
    """Somebody else may have been told that it is theirs. Once it is back, everything is to be had again."""
    server = RedisServer()
    try:
        async with RedisBackplane(server.url) as backplane, Cluster(backplane, ttl=2.0) as cluster:
            made: list[Room] = []
            cluster.register(RoomStub, rooms(made, "alone"))
            room = await cluster.get(RoomStub, "7")
            assert await room.add("one") == 1
            ended = asyncio.Event()
            room.on_broken(lambda error: ended.set())
            server.pause()
            async with asyncio.timeout(30):
                await ended.wait()
            with pytest.raises(Disconnected):
                await room.add("two")
            room.dispose()
            server.go_on()
            async with asyncio.timeout(30):
                room = await surely_got(cluster)
            assert await texts(room) == ["one"]
            assert len(made) == 2
            room.dispose()
    finally:
        server.close()


async def surely_got(cluster: Cluster) -> RoomStub:
    while True:
        try:
            return await cluster.get(RoomStub, "7")
        except BackplaneUnavailable:
            await asyncio.sleep(0)
