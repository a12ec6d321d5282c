"""An engine, and the workers that share it, of a run of `make chaos`; and what happens to them.

- kill worker: kill -9, and another one in its place.
- stop worker: SIGSTOP for longer than any lease lasts, then SIGCONT.
- kill engine: kill -9, and started again with what it has on the disk.
- engine forgets: the same, with nothing.
- pause engine: SIGSTOP for longer than most leases last; connections stay.

Rule: what is done is in `harms` before it is done.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Self

import redis

from capnweb_runtime import connect
from capnweb_runtime.connecting.connect import Connecting
from capnweb_runtime.scale import Bounds
from tests.runtime.scale.engines import SERVERS, Served, served
from tests.runtime.scale.servers import RedisServer, Server, history_reads
from tests.scale.generated.relay import RelayStub
from tests.scale.harms import ENGINE, KNOWN, Harms
from tests.scale.schedule import WORKERS, Step
from tests.scale.workers import Worker, start

BOUNDS = Bounds(history_events=400, replay_events=300, queue_events=100, recent_events=64)
PRESENCE_TTL = 2.0
"""Seconds."""
RATE = (20, 2)
"""How much is let in, in how many seconds."""
LONGER = PRESENCE_TTL
"""Seconds for which a worker is stopped beyond those of the step; an engine for half as many."""


class Fleet:
    """`async with Fleet("redis", note) as fleet`.

    Parameters:
        kind: of the engine.
        note: told what is done before it is done.

    Attributes:
        workers: those that run, by slot; None where one has just been killed.
        harms: what was done to whom.
        engine_back: when the engine was started again last; never, while it is down; 0 at first.
        forgot: when it was last started again without anything that it had known.
        steps: what can happen here.
    """

    def __init__(self, kind: str, note: Callable[[str], None]) -> None:
        self.kind = kind
        self.engine: Served = served(engine_of(kind))
        self.workers: list[Worker | None] = [None] * WORKERS
        self.harms = Harms(note)
        self.engine_back = self.forgot = 0.0
        self.engine_lock = asyncio.Lock()  # whoever has it knows that the engine runs
        self.steps: dict[str, Callable[[Step], Awaitable[None]]] = {
            "kill worker": lambda step: self.kill(step.worker),
            "stop worker": lambda step: self.stop(step.worker, step.seconds + LONGER),
            "kill engine": lambda step: self.restart_engine(forgetting=False),
            "engine forgets": lambda step: self.restart_engine(forgetting=True),
            "pause engine": lambda step: self.pause_engine(step.seconds + LONGER / 2),
        }
        self._worker_locks = [asyncio.Lock() for _ in range(WORKERS)]
        self._watching: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await asyncio.gather(*(self.start(slot) for slot in range(WORKERS)))
        self._watching.append(asyncio.create_task(self.harms.watch()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for watching in self._watching:
            watching.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for worker in self.workers:
            if worker is not None:
                worker.kill()
        self.engine.server.close()

    @property
    def counts_rates(self) -> bool:
        """Whether the engine does; NATS does not."""
        return self.kind == "redis"

    @property
    def counts_reads(self) -> bool:
        """Whether the engine tells how often it was read; NATS does not."""
        return self.kind == "redis"

    def urls(self, first: int = 0) -> list[str]:
        """Of the workers that there are, beginning with one."""
        found = [self.workers[(first + place) % WORKERS] for place in range(WORKERS)]
        return [worker.url for worker in found if worker is not None]

    def session(self, worker: Worker) -> Connecting[RelayStub]:
        """One with a worker, that is lost only with it."""
        return connect(worker.url, RelayStub, keepalive=None, open_timeout=5.0, close_timeout=0.5)

    async def history_reads(self) -> int:
        """How often topics were read in the engine since that began; 0 if it does not tell."""
        if not self.counts_reads:
            return 0
        try:
            return await asyncio.to_thread(history_reads, self.engine.server)
        except (redis.RedisError, OSError):
            return 0

    # ---- what happens

    async def start(self, slot: int) -> None:
        more = ["--presence-ttl", str(PRESENCE_TTL)]
        if self.counts_rates:
            more += ["--rate", "{} per {} seconds".format(*RATE)]
        self.workers[slot] = await start(self.engine.server.url, self.engine.name, BOUNDS, more=more)

    async def kill(self, slot: int) -> None:
        async with self._worker_locks[slot]:
            worker, self.workers[slot] = self.workers[slot], None
            if worker is not None:
                self.harms.killed(worker.name)
                worker.kill()
            async with self.engine_lock:  # a worker does not start where no engine is
                await self.start(slot)

    async def stop(self, slot: int, seconds: float) -> None:
        async with self._worker_locks[slot]:
            worker = self.workers[slot]
            if worker is not None:
                with self.harms.to(worker.name, f"stop for {seconds:.2f} s"):
                    worker.pause()
                    await asyncio.sleep(seconds)
                    worker.go_on()

    async def restart_engine(self, *, forgetting: bool) -> None:
        server = self.engine.server
        async with self.engine_lock:
            with ExitStack() as harmed:
                harmed.enter_context(self.harms.to(ENGINE, "kill"))
                if forgetting:
                    harmed.enter_context(self.harms.to(KNOWN, "lose"))
                    self.forgot = math.inf
                self.engine_back = math.inf
                server.kill()
                if forgetting:
                    server.lose()
                await asyncio.to_thread(server.start)
                self.engine_back = time.monotonic()
                if forgetting:
                    self.forgot = self.engine_back

    async def pause_engine(self, seconds: float) -> None:
        async with self.engine_lock:
            with self.harms.to(ENGINE, f"stop for {seconds:.2f} s"):
                self.engine.server.pause()
                await asyncio.sleep(seconds)
                self.engine.server.go_on()


def engine_of(kind: str) -> Server:
    """An engine that has on the disk what it has answered to, if it can: what it is killed with is the disk's."""
    return RedisServer(fsync="always") if kind == "redis" else SERVERS[kind]()
