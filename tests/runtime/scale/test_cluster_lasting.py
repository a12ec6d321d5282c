"""Stubs that outlast owners: each use finds the object where it is."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import assert_type

import pytest
import pytest_asyncio

from capnweb_runtime import Disconnected, DisposedError, GoingAway, Serving, connect, deadline, serve
from capnweb_runtime.scale import Cluster, MemoryBackplane
from tests.placed.generated.rooms import FrontStub, RoomStub
from tests.placed.service import Front
from tests.placed.workers import Worker, Workers, until


@pytest_asyncio.fixture
async def workers() -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        workers = Workers(stack)
        yield workers
        workers.let_go()


class LastingFront(Front):
    """Gives rooms by their names."""

    async def room(self, name: str) -> RoomStub:
        return self._cluster.lasting(RoomStub, name)


def serving(worker: Worker) -> Serving:
    return serve(lambda peer: LastingFront(worker.cluster, worker.name), "127.0.0.1", 0)


async def two(workers: Workers, ttl: float = 60.0) -> tuple[Worker, Worker]:
    """The first owns room 7."""
    a, b = await workers.one("a", ttl=ttl), await workers.one("b", ttl=ttl)
    (await a.cluster.get(RoomStub, "7")).dispose()
    return a, b


async def test_it_goes_on_with_the_next_owner(workers: Workers) -> None:
    a, b = await two(workers, ttl=2.0)
    room = b.cluster.lasting(RoomStub, "7")
    assert_type(room, RoomStub)
    assert await room.add("one") == 1
    pending = asyncio.ensure_future(asyncio.wait_for(room.wait("for ever"), 60))
    await a.made[0].entered.wait()
    a.crash()
    with pytest.raises(Disconnected, match="may have been carried out"):
        await pending
    async with asyncio.timeout(30):
        assert await room.worker() == "b"
    assert [line.text for line in await room.lines()] == ["one"]
    await b.cluster.drain()
    with pytest.raises(GoingAway, match="shutting down"):
        await room.worker()
    room.dispose()


async def test_calls_that_wait_keep_their_order(workers: Workers) -> None:
    _, b = await two(workers)
    room = b.cluster.lasting(RoomStub, "7")
    found = [room.add(str(number)) for number in range(5)]
    assert [await one for one in found] == [1, 2, 3, 4, 5]
    assert await room.lines().map(lambda line: line.text) == ["0", "1", "2", "3", "4"]
    with room.sit("Ada") as seat:
        assert (await seat.say("hi")).number == 6
    room.dispose()
    await workers.all_is_given_back()


async def test_it_is_looked_for_once_until_its_owner_is_gone(workers: Workers) -> None:
    _, b = await two(workers)
    asked: list[str] = []
    holder = b.cluster._backplane.holder

    async def counted(name: str) -> object:
        asked.append(name)
        return await holder(name)

    b.cluster._backplane.holder = counted  # type: ignore[method-assign, assignment]  # to count
    with b.cluster.lasting(RoomStub, "7") as room, room.dup() as other:
        assert not asked, "nobody has used it"
        assert await room.worker() == "a"
        assert await other.worker() == "a"
    assert asked == ["own/Room/7"]
    await workers.all_is_given_back()


async def test_what_cannot_be_found_is_the_error_of_the_call_and_is_looked_for_again(workers: Workers) -> None:
    async with Cluster(MemoryBackplane(workers.store)) as cluster:
        room = cluster.lasting(RoomStub, "7")
        with pytest.raises(LookupError, match="nobody has Room/7"):
            await room.worker()
        Worker(cluster, "late")
        assert await room.worker() == "late"
        room.dispose()


async def test_a_client_that_holds_it_need_not_know(workers: Workers) -> None:
    a, b = await two(workers, ttl=2.0)
    async with (
        serving(b) as server,
        connect(server.url, FrontStub) as front,
        connect(server.url, FrontStub) as another,
    ):
        room = await front.room("7")
        seen: list[str] = []

        def on_line(text: str) -> int:
            seen.append(text)
            return 1

        assert await room.add("one") == 1
        assert await room.watch(on_line) == 1
        assert await another.room("7").add("two") == 2
        assert seen == ["one", "two"]
        a.crash()
        await until(lambda: b.cluster.stats().links == 0)  # what is called before that may be lost
        async with asyncio.timeout(30):
            assert await room.worker() == "b"
        assert await room.fence > 0
        assert [line.text async for line in room.history()] == ["one", "two"]
        room.dispose()


async def test_deadlines_go_through_it_before_and_after_it_is_found(workers: Workers) -> None:
    a, b = await two(workers)
    for worker in (a, b):
        async with (
            serving(worker) as server,
            connect(server.url, FrontStub) as front,
        ):
            with await front.room("7") as room:
                for _ in range(2):
                    with deadline(30):
                        left = await room.time_left()
                    assert left is not None
                    assert 0 < left <= 30
                assert await room.time_left() is None
        with worker.cluster.lasting(RoomStub, "7") as mine:
            for _ in range(2):
                with deadline(30):
                    assert await mine.time_left() is not None
        await workers.all_is_given_back()


async def test_what_is_passed_home_is_the_object(workers: Workers) -> None:
    a, b = await two(workers)
    room = b.cluster.lasting(RoomStub, "7")
    assert await room.worker() == "a"
    (link,) = b.cluster._links._links.values()
    session = link.client._connection().session
    assert session.import_id(room._hook) is not None, "its owner knows it by its id"
    room.dispose()
    assert a.made


async def test_who_gives_it_up_gives_the_object_back(workers: Workers) -> None:
    a, b = await two(workers)
    room = b.cluster.lasting(RoomStub, "7")
    added = room.add("called before")
    room.dispose()
    assert await added == 1
    with pytest.raises(DisposedError):
        await room.add("too late")
    await workers.all_is_given_back()
    dropped = b.cluster.lasting(RoomStub, "7")
    assert await dropped.worker() == "a"
    del dropped
    gc.collect()
    await workers.all_is_given_back()
    (owned,) = a.cluster._placement.objects.values()
    await until(lambda: not owned.is_used)


async def test_it_belongs_to_its_loop_and_to_a_cluster_that_was_entered(workers: Workers) -> None:
    with pytest.raises(RuntimeError, match="has not been entered"):
        Cluster(MemoryBackplane()).lasting(RoomStub, "7")
    _, b = await two(workers)
    room = b.cluster.lasting(RoomStub, "7")
    raised: list[BaseException] = []

    def elsewhere() -> None:
        try:
            room.add("from a thread").dispose()
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(raised) == 1
    room.dispose()
