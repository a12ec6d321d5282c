"""Rooms, as workers own them, and the object that clients of a worker are served."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

from capnweb_runtime import CallbackStub, WritableTarget, time_left
from capnweb_runtime.scale import Cluster, Ownership
from tests.placed.generated.rooms import FrontTarget, RoomStub, RoomTarget, SeatTarget
from tests.placed.schema.rooms import Full, Line

SEATS = 2


class Seat(SeatTarget):
    def __init__(self, room: Room, name: str) -> None:
        self._room = room
        self._name = name
        room.seats.add(name)

    async def say(self, text: str) -> Line:
        return Line(number=await self._room.add(f"{self._name}: {text}"), text=text)

    def dispose(self) -> None:
        self._room.seats.discard(self._name)


class Record(WritableTarget[str]):
    def __init__(self, room: Room) -> None:
        self._room = room

    async def write(self, chunk: str) -> None:
        await self._room.add(chunk)


class Room(RoomTarget):
    """Keeps its lines on the backplane, as their owner."""

    def __init__(self, owned: Ownership, worker: str) -> None:
        self._owned = owned
        self._worker = worker
        self._store = owned.store()
        self._texts: list[str] = []
        self._watchers: list[CallbackStub[[str], int]] = []
        self.seats: set[str] = set()
        self.waiting: dict[str, asyncio.Event] = {}
        self.entered = asyncio.Event()
        self.cancelled = False
        self.disposed = False

    async def load(self) -> Room:
        kept = await self._store.load(f"rooms/{self._owned.name}")
        self._texts = [] if kept is None else json.loads(kept)
        return self

    @property
    def fence(self) -> int:
        return self._owned.fence

    def worker(self) -> str:
        return self._worker

    async def add(self, text: str) -> int:
        self._texts.append(text)
        await self._store.save(f"rooms/{self._owned.name}", json.dumps(self._texts).encode())
        for watcher in self._watchers:
            await watcher(text)
        return len(self._texts)

    async def add_when(self, go: CallbackStub[[], bool], text: str) -> int:
        await go()
        return await self.add(text)

    def lines(self) -> list[Line]:
        return [Line(number=number, text=text) for number, text in enumerate(self._texts, 1)]

    def sit(self, name: str) -> SeatTarget:
        if len(self.seats) >= SEATS:
            raise Full(SEATS)
        return Seat(self, name)

    async def watch(self, on_line: CallbackStub[[str], int]) -> int:
        self._watchers.append(on_line.dup())
        return sum([await on_line(text) for text in self._texts])

    async def history(self) -> AsyncIterator[Line]:
        for line in self.lines():
            yield line

    def record(self) -> WritableTarget[str]:
        return Record(self)

    def time_left(self) -> float | None:
        return time_left()

    async def wait(self, token: str) -> str:
        self.entered.set()
        await self.waiting.setdefault(token, asyncio.Event()).wait()
        return token

    async def nap(self) -> None:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    def dispose(self) -> None:
        for watcher in self._watchers:
            watcher.dispose()
        self.disposed = True


class Front(FrontTarget):
    def __init__(self, cluster: Cluster, worker: str) -> None:
        self._cluster = cluster
        self._worker = worker

    async def room(self, name: str) -> RoomStub:
        return await self._cluster.get(RoomStub, name)

    def worker(self) -> str:
        return self._worker


def rooms(made: list[Room], worker: str) -> Callable[[Ownership], Awaitable[Room]]:
    """A factory that keeps what it has made."""

    async def make(owned: Ownership) -> Room:
        room = await Room(owned, worker).load()
        made.append(room)
        return room

    return make
