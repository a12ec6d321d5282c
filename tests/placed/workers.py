"""Workers in one process, that share an engine in memory and talk over sockets, each with clients of its own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from capnweb_runtime import Server, connect, serve
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.scale import Cluster, MemoryBackplane, MemoryStore
from tests.placed.generated.rooms import FrontStub, RoomStub
from tests.placed.service import Front, Room, rooms

SECRET = "a secret of the workers"


async def until(is_so: Callable[[], bool]) -> None:
    """Waits until something is so, and not for ever."""
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110  (of what there is no event for)
            await asyncio.sleep(0)


class Worker:
    """One worker, the rooms that it has made, and what it serves to clients."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.made: list[Room] = []
        self.server: Server | None = None
        cluster.register(RoomStub, rooms(self.made, name))

    @property
    def connections(self) -> list[Connection]:
        """Of all of its sessions, with workers and with clients."""
        links = [link.client._connection() for link in self.cluster._links._links.values()]
        servers = [server for server in (self.cluster._server, self.server) if server is not None]
        return [*links, *(one for server in servers for one in server._admission.connections)]

    def crash(self) -> None:
        """All of a sudden it says nothing more, and keeps nothing: as a process that was killed, but for its memory."""
        for connection in self.connections:
            socket: Any = connection._bare_wire
            socket._transport.abort()
        for server in (self.cluster._server, self.server):
            if server is not None:
                server._stop_listening()
        for kept in list(self.cluster._renewals._kept.values()):
            self.cluster._renewals.remove(kept.lease)


class Workers:
    """Workers that share an engine. They end with the stack."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.store = MemoryStore()
        self.all: list[Worker] = []
        self._stack = stack

    async def one(self, name: str, **settings: Any) -> Worker:
        more: dict[str, Any] = {"listen": "127.0.0.1:0", "secret": SECRET, **settings}
        worker = Worker(Cluster(MemoryBackplane(self.store), **more), name)
        await self._stack.enter_async_context(worker.cluster)
        self.all.append(worker)
        return worker

    async def client(self, worker: Worker, **settings: Any) -> FrontStub:
        """A client of what a worker serves."""
        if worker.server is None:
            serving = serve(lambda peer: Front(worker.cluster, worker.name), "127.0.0.1", 0)
            worker.server = await self._stack.enter_async_context(serving)
        front: FrontStub = await self._stack.enter_async_context(connect(worker.server.url, FrontStub, **settings))
        return front

    def let_go(self) -> None:
        """Calls of `Room.wait` return, which leaving would wait for."""
        for worker in self.all:
            for room in worker.made:
                for event in room.waiting.values():
                    event.set()

    async def all_is_given_back(self) -> None:
        """No session of any worker holds anything."""

        def is_empty() -> bool:
            held = [one.stats() for worker in self.all for one in worker.connections if not one.session.closed]
            return all((stats.imports, stats.exports, stats.calls) == (1, 1, 0) for stats in held)

        gc.collect()
        await until(is_empty)
