"""Everything that takes part in a run of `make chaos`: an engine, workers, subscribers, publishers, owners. Rule: what
is promised is checked while it runs, and when everything has healed nobody waits for what will not come.

- kill worker: kill -9, and another one in its place.
- stop worker: SIGSTOP for longer than a lease lasts, then SIGCONT.
- stop owner: the same, of the worker that acts as the owner.
- kill engine: kill -9, and started again with what it has on the disk.
- engine forgets: the same, with nothing.
- pause engine: SIGSTOP for a while; connections stay.
- crowd: many clients at once, each with a cursor of some seconds ago, as after the loss of a worker.
- slow subscriber: one of them reads nothing for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

from capnweb_runtime import connect
from capnweb_runtime.scale import Bounds
from tests.runtime.scale.engines import SERVERS, Served, served
from tests.scale.generated.relay import RelayStub
from tests.scale.ledger import Ledger
from tests.scale.schedule import WORKERS, Schedule, Step
from tests.scale.subscriber import LOST, Broken, Record, follow, publish
from tests.scale.workers import Worker, start

BOUNDS = Bounds(history_events=400, replay_events=300, queue_events=100, recent_events=64)
CROWDED = ("news", "prices")
"""What crowds are of."""
SLOW = "films"
"""What is large; one of its subscribers is slow at times."""
TOPICS = {"news": 300, "prices": 300, SLOW: 100_000}
"""How many characters an event has, of each topic."""
SUBSCRIBERS = 3
"""Of each topic."""
PAUSE = 0.02
"""Seconds between two events of a topic."""
PATIENCE = 0.7
"""Seconds for an answer: less than workers and engines are stopped for, so that much is published twice."""
UNREAD = 120
"""Events that a slow subscriber leaves unread: more than its line and its queue hold."""
TTL = 1.0
"""Seconds of the owners' lease."""
GROWTH = 200 << 20
"""Bytes by which the memory of a worker may grow."""
HEALED = 120
"""Seconds in which everybody has to have everything, once nothing more happens."""


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        schedule: what was done.
        published: events.
        told: events that subscribers were told.
        gaps: how many there were, by reason.
        acts: of owners.
        refused: acts with a fence that was over.
        owners: how often somebody became it.
        grown: bytes by which the memory of a worker has grown at most.
        broken: what was not as promised.
    """

    schedule: Schedule
    published: int = 0
    told: int = 0
    gaps: Counter[str] = field(default_factory=Counter)
    acts: int = 0
    refused: int = 0
    owners: int = 0
    grown: int = 0
    broken: list[str] = field(default_factory=list)


class World:
    """One run: `async with World(schedule, crowd) as world: outcome = await world.run()`.

    Parameters:
        schedule: what happens.
        crowd: how many clients are a crowd.
    """

    def __init__(self, schedule: Schedule, crowd: int) -> None:
        self.outcome = Outcome(schedule)
        self.crowd = crowd
        self.engine: Served = served(SERVERS[schedule.engine]())
        self.workers: list[Worker | None] = [None] * WORKERS
        self.written = dict.fromkeys(TOPICS, 0)
        self.ledger = Ledger()
        self.records: dict[str, list[Record]] = {topic: [] for topic in TOPICS}
        self.past = {topic: deque[Record](maxlen=3) for topic in CROWDED}
        self.reading = asyncio.Event()  # whether slow subscribers read
        self.reading.set()
        self._publishing = True
        self._engine_lock = asyncio.Lock()
        self._worker_locks = [asyncio.Lock() for _ in range(WORKERS)]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await asyncio.gather(*(self.start(slot) for slot in range(WORKERS)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in self.workers:
            if worker is not None:
                worker.kill()
        self.engine.server.close()

    async def run(self) -> Outcome:
        """All of it. What is not as promised is in the outcome."""
        for topic in TOPICS:
            for number in range(SUBSCRIBERS):
                record = Record(partial(self.written.__getitem__, topic), f"subscriber {number} of {topic}")
                self.records[topic].append(record)
                self.begin(self.subscribe(record, topic, number, slow=topic == SLOW and number > 0))
        everybody = [record for records in self.records.values() for record in records]
        async with asyncio.timeout(HEALED):
            await asyncio.gather(*(record.begun() for record in everybody))
        publishing = [asyncio.create_task(self.publish(topic)) for topic in TOPICS]
        self.begin(self.remember())
        for slot in range(WORKERS):
            self.begin(self.own(slot))
            self.begin(self.watch(slot))
        await self.happen()
        self._publishing = False
        try:
            async with asyncio.timeout(0 if self.outcome.broken else HEALED):
                await asyncio.gather(*publishing)
                await asyncio.gather(*(r.until(self.written[t]) for t in TOPICS for r in self.records[t]))
        except TimeoutError:
            self.outcome.broken += [f"{r.who} was at {r.last} in the end" for r in everybody if not self.has_all(r)]
        for task in publishing:
            task.cancel()
        return self.summed_up(everybody)

    def has_all(self, record: Record) -> bool:
        return any(record in self.records[topic] and record.last == self.written[topic] for topic in TOPICS)

    def summed_up(self, records: list[Record]) -> Outcome:
        outcome, ledger = self.outcome, self.ledger
        outcome.published = sum(self.written.values())
        outcome.told += sum(record.events for record in records)
        for record in records:
            outcome.gaps.update(record.gaps)
        outcome.acts, outcome.refused, outcome.owners = ledger.acts, ledger.refused, ledger.holders
        outcome.broken += ledger.broken[:5]
        return outcome

    # ---- who takes part

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done until the end; what it finds broken is noted."""

        async def noted() -> None:
            try:
                await work
            except Broken as error:
                self.outcome.broken.append(str(error))

        self._tasks.append(asyncio.create_task(noted()))

    def urls(self, first: int = 0) -> list[str]:
        """Of the workers that there are, beginning with one."""
        found = [self.workers[(first + place) % WORKERS] for place in range(WORKERS)]
        return [worker.url for worker in found if worker is not None]

    async def subscribe(self, record: Record, topic: str, number: int, *, slow: bool) -> None:
        await follow(record, lambda: self.urls(number), topic, self.reading if slow else None)

    async def publish(self, topic: str) -> None:
        """Numbers, each written to the database first, and published until that is known to be done."""

        def write(number: int) -> None:
            self.written[topic] = number

        numbers = itertools.takewhile(lambda _: self._publishing, itertools.count(1))
        await publish(self.urls, topic, numbers, write, pause=PAUSE, padding=TOPICS[topic], patience=PATIENCE)

    async def remember(self) -> None:
        """What somebody has seen who is away for some seconds."""
        while True:
            for topic in CROWDED:
                self.past[topic].append(self.records[topic][0].twin("a client"))
            await asyncio.sleep(0.5)

    async def own(self, slot: int) -> None:
        """The worker of a slot wants to be the owner, and acts when it is."""
        while True:
            worker = self.workers[slot]
            if worker is not None:
                with contextlib.suppress(*LOST):
                    async with connect(worker.url, RelayStub, keepalive=None, close_timeout=0.5) as api:
                        await api.own("owner", TTL, partial(self.ledger.act, f"worker {worker.pid}"))
            await asyncio.sleep(0.05)

    async def watch(self, slot: int) -> None:
        """The memory of the worker of a slot is bounded."""
        first: dict[int, int] = {}
        while True:
            worker = self.workers[slot]
            if worker is not None:
                with contextlib.suppress(*LOST):
                    async with connect(worker.url, RelayStub, keepalive=None, close_timeout=0.5) as api:
                        load = await api.load()
                        grown = load.resident - first.setdefault(worker.pid, load.resident)
                        self.outcome.grown = max(self.outcome.grown, grown)
                        if grown > GROWTH:
                            raise Broken(f"worker {worker.pid} has grown by {grown >> 20} MiB")
                        if load.waiting > BOUNDS.queue_events + BOUNDS.replay_events:
                            raise Broken(f"{load.waiting} events wait for a subscriber of worker {worker.pid}")
            await asyncio.sleep(0.5)

    # ---- what happens

    async def happen(self) -> None:
        """Every step at its time; those that last go on beside each other."""
        begun = time.monotonic()
        running = []
        for step in self.outcome.schedule.steps:
            await asyncio.sleep(begun + step.at - time.monotonic())
            running.append(asyncio.create_task(self.do(step)))
        await asyncio.sleep(max(begun + self.outcome.schedule.seconds - time.monotonic(), 0))
        for done in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(done, BaseException):
                self.outcome.broken.append(f"{type(done).__name__}: {done}")

    async def do(self, step: Step) -> None:
        match step.what:
            case "kill worker":
                await self.kill(step.worker)
            case "stop worker":
                await self.stop(step.worker, step.seconds)
            case "stop owner":
                await self.stop(self.owner_slot(step.worker), step.seconds)
            case "crowd":
                await self.come(step.worker)
            case "slow subscriber":
                await self.slow(step.seconds)
            case _:
                await self.harm_engine(step)

    async def start(self, slot: int) -> None:
        self.workers[slot] = await start(self.engine.server.url, self.engine.name, BOUNDS)

    async def kill(self, slot: int) -> None:
        async with self._worker_locks[slot]:
            worker, self.workers[slot] = self.workers[slot], None
            if worker is not None:
                worker.kill()
            async with self._engine_lock:  # a worker does not start where no engine is
                await self.start(slot)

    def owner_slot(self, otherwise: int) -> int:
        """Where the owner runs."""
        names = ["" if worker is None else f"worker {worker.pid}" for worker in self.workers]
        return names.index(self.ledger.owner) if self.ledger.owner in names else otherwise

    async def stop(self, slot: int, seconds: float) -> None:
        async with self._worker_locks[slot]:
            worker = self.workers[slot]
            if worker is not None:
                worker.pause()
                await asyncio.sleep(seconds)
                worker.go_on()

    async def slow(self, seconds: float) -> None:
        """The slow subscribers read nothing until much is unread, or three times so many seconds have gone."""
        unread = self.written[SLOW] + UNREAD
        self.reading.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3 * seconds):
                await self.records[SLOW][0].until(unread)
        self.reading.set()

    async def harm_engine(self, step: Step) -> None:
        server = self.engine.server
        async with self._engine_lock:
            if step.what == "pause engine":
                server.pause()
                await asyncio.sleep(step.seconds)
                server.go_on()
                return
            server.kill()
            if step.what == "engine forgets":
                server.lose()
            await asyncio.to_thread(server.start)
            self.ledger.excuse(time.monotonic() + TTL)

    async def come(self, slot: int) -> None:
        """Many clients at once, each until it has what there was then."""
        await asyncio.gather(*(self.come_back(number, slot) for number in range(self.crowd)))

    async def come_back(self, number: int, slot: int) -> None:
        topic = CROWDED[number % len(CROWDED)]
        record = self.past[topic][0].twin(f"client {number} of a crowd")
        following = asyncio.create_task(follow(record, lambda: self.urls(slot + number), topic))
        goal = self.written[topic]
        until = asyncio.create_task(record.until(goal))
        try:
            async with asyncio.timeout(HEALED):
                await asyncio.wait({following, until}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        except TimeoutError:
            raise Broken(f"{record.who} was at {record.last}, {record.cursor}, of {goal} after {HEALED} s") from None
        finally:
            following.cancel()
            until.cancel()
            await asyncio.gather(following, until, return_exceptions=True)
        self.outcome.told += record.events
        self.outcome.gaps.update(record.gaps)
