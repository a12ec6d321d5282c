"""Objects with one owner, in workers that are in one process and talk over sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, assert_type

import pytest
import pytest_asyncio

from capnweb_runtime.scale import Cluster, MemoryBackplane, MemoryStore
from tests.placed.generated.rooms import RoomStub
from tests.placed.service import Room, rooms

SECRET = "a secret of the workers"


class Worker:
    """One worker, and the rooms that it has made."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.made: list[Room] = []
        cluster.register(RoomStub, rooms(self.made, name))


class Workers:
    """Workers that share an engine."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.store = MemoryStore()
        self._stack = stack

    async def one(self, name: str, **settings: Any) -> Worker:
        backplane = MemoryBackplane(self.store)
        more: dict[str, Any] = {"listen": "127.0.0.1:0", "secret": SECRET, **settings}
        worker = Worker(Cluster(backplane, **more), name)
        await self._stack.enter_async_context(worker.cluster)
        return worker


@pytest_asyncio.fixture
async def workers() -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        yield Workers(stack)


async def test_who_is_asked_first_owns_it_and_all_others_reach_it(workers: Workers) -> None:
    a, b = await workers.one("a"), await workers.one("b")
    here = await a.cluster.get(RoomStub, "7")
    assert_type(here, RoomStub)
    there = await b.cluster.get(RoomStub, "7")
    assert await here.worker() == "a"
    assert await there.worker() == "a"
    assert await there.add("one") == 1
    assert await here.add("two") == 2
    assert [line.text for line in await there.lines()] == ["one", "two"]
    assert (len(a.made), len(b.made)) == (1, 0)
    here.dispose()
    there.dispose()
