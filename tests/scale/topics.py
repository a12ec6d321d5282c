"""Topics under `make chaos`: numbers are published in their order, and subscribers at all workers follow them.

- crowd: many clients at once, each with a cursor of some seconds ago, as after the loss of a worker.
- slow subscriber: one of them reads nothing for a while.
- odd cursors: one of the future, one of another life, and one from the beginning of the run.

Rule: nobody misses a number, or is told one twice, without having been told of a gap before.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from functools import partial

from capnweb_runtime.scale import Cursor
from tests.scale.fleet import BOUNDS, Fleet
from tests.scale.harms import ENGINE
from tests.scale.schedule import WORKERS, Step
from tests.scale.subject import Subject
from tests.scale.subscriber import LOST, Broken, Record, follow, publish

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
GROWTH = 200 << 20
"""Bytes by which the memory of a worker may grow."""
READS = 4 * len(CROWDED) * WORKERS
"""How often the history of topics is read for a crowd at most, whose clients come over some time. It would be once for
each topic and worker if they came in one moment.
"""
BEFORE = 2.0
"""Seconds before a crowd in which nothing is done to anybody, for what it costs to be that of the crowd alone."""
HARMED = 10.0
"""Seconds for which gaps may come of what was done to the engine before somebody came."""
COMING = 120
"""Seconds that a client of a crowd may take."""


class Topics(Subject):
    """See above.

    Parameters:
        fleet: what it uses.
        crowd: how many clients are a crowd.
    """

    def __init__(self, fleet: Fleet, crowd: int) -> None:
        super().__init__(fleet)
        self.crowd = crowd
        self.written = dict.fromkeys(TOPICS, 0)
        self.records: dict[str, list[Record]] = {topic: [] for topic in TOPICS}
        self.past = {topic: deque[Record](maxlen=3) for topic in CROWDED}
        self.first: dict[str, Record] = {}
        self.reading = asyncio.Event()  # whether slow subscribers read
        self.reading.set()
        self.grown = 0
        self.steps = {
            "crowd": lambda step: self.come(step.worker),
            "slow subscriber": lambda step: self.slow(step.seconds),
            "odd cursors": self.come_with_odd_cursors,
        }
        self._publishing = True
        self._publishers: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        for topic in TOPICS:
            for number in range(SUBSCRIBERS):
                record = Record(partial(self.written.__getitem__, topic), f"subscriber {number} of {topic}")
                self.records[topic].append(record)
                self.goes_on(self.subscribe(record, topic, number, slow=topic == SLOW and number > 0))
        await asyncio.gather(*(record.begun() for record in self.everybody))
        self.first = {topic: self.records[topic][0].twin(f"one who left {topic} at the beginning") for topic in CROWDED}
        self._publishers = [asyncio.create_task(self.publish(topic)) for topic in TOPICS]
        self.goes_on(self.remember())
        for slot in range(WORKERS):
            self.goes_on(self.watch(slot))

    async def heal(self) -> None:
        self._publishing = False
        await asyncio.gather(*self._publishers)
        await asyncio.gather(*(r.until(self.written[t]) for t in TOPICS for r in self.records[t]))

    def left(self) -> list[str]:
        return [
            f"{record.who} was at {record.last} of {self.written[topic]} in the end"
            for topic in TOPICS
            for record in self.records[topic]
            if record.last < self.written[topic]
        ]

    def judge(self) -> None:
        self.counts["events published"] = sum(self.written.values())
        for record in self.everybody:
            self.sum_up(record)

    async def close(self) -> None:
        for task in self._publishers:
            task.cancel()
        await asyncio.gather(*self._publishers, return_exceptions=True)
        await super().close()

    @property
    def everybody(self) -> list[Record]:
        return [record for records in self.records.values() for record in records]

    def sum_up(self, record: Record) -> None:
        self.counts["events told"] += record.events
        self.counts.update(f"gaps {reason}" for reason in record.gaps)

    # ---- who takes part

    async def subscribe(self, record: Record, topic: str, number: int, *, slow: bool) -> None:
        await follow(record, lambda: self.fleet.urls(number), topic, self.reading if slow else None)

    async def publish(self, topic: str) -> None:
        """Numbers, each written to the database first, and published until that is known to be done."""

        def write(number: int) -> None:
            self.written[topic] = number

        numbers = itertools.takewhile(lambda _: self._publishing, itertools.count(1))
        await publish(self.fleet.urls, topic, numbers, write, pause=PAUSE, padding=TOPICS[topic], patience=PATIENCE)

    async def remember(self) -> None:
        """What somebody has seen who is away for some seconds."""
        while True:
            for topic in CROWDED:
                self.past[topic].append(self.records[topic][0].twin("a client"))
            await asyncio.sleep(0.5)

    async def watch(self, slot: int) -> None:
        """The memory of the worker of a slot is bounded."""
        first: dict[int, int] = {}
        while True:
            worker = self.fleet.workers[slot]
            if worker is not None:
                with contextlib.suppress(*LOST):
                    async with self.fleet.session(worker) as api:
                        load = await api.load()
                        grown = load.resident - first.setdefault(worker.pid, load.resident)
                        self.grown = max(self.grown, grown)
                        if grown > GROWTH:
                            raise Broken(f"worker {worker.pid} has grown by {grown >> 20} MiB")
                        if load.waiting > BOUNDS.queue_events + BOUNDS.replay_events:
                            raise Broken(f"{load.waiting} events wait for a subscriber of worker {worker.pid}")
            await asyncio.sleep(0.5)

    # ---- what happens

    async def slow(self, seconds: float) -> None:
        """The slow subscribers read nothing until much is unread, or three times so many seconds have gone."""
        self.harms.note(f"slow subscribers of {SLOW} stop reading")
        unread = self.written[SLOW] + UNREAD
        self.reading.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3 * seconds):
                await self.records[SLOW][0].until(unread)
        self.reading.set()

    async def come(self, slot: int) -> None:
        """Many clients at once, each until it has what there was then. The engine is not read for each of them."""
        self.harms.note(f"{self.crowd} clients come at once")
        workers = [worker.name for worker in self.fleet.workers if worker is not None]
        begin, reads = time.monotonic(), await self.fleet.history_reads()
        await asyncio.gather(
            *(
                self.come_back(self.past[topic][0].twin(f"client {number} of a crowd"), topic, slot + number)
                for number in range(self.crowd)
                for topic in [CROWDED[number % len(CROWDED)]]
            )
        )
        more = await self.fleet.history_reads() - reads
        if self.fleet.counts_reads and all(harm.end < begin - BEFORE for harm in self.harms.of(ENGINE, *workers)):
            self.counts["crowds in peace"] += 1
            self.counts["most reads for a crowd"] = max(self.counts["most reads for a crowd"], more)
            if more > READS:
                raise Broken(f"the engine's history was read {more} times for {self.crowd} clients who came at once")

    async def come_with_odd_cursors(self, step: Step) -> None:
        """Each is told of a gap with its reason, or that the engine has been restarted, and goes on."""
        topic = CROWDED[step.worker % len(CROWDED)]
        now = self.records[topic][0].twin("")
        cursor = Cursor.parse(now.cursor)
        self.harms.note(f"clients come to {topic} with cursors of the future, of another life, and of the beginning")
        ahead, elsewhere = now.twin("one with a cursor of the future"), now.twin("one with a cursor of another life")
        ahead.cursor = str(Cursor(cursor.epoch, cursor.offset + 100_000))
        elsewhere.cursor = f"0:{cursor.offset}"
        ahead.last = elsewhere.last = 0  # what they have seen is not what is here
        began = self.first[topic].twin(self.first[topic].who)
        await asyncio.gather(*(self.come_back(one, topic, step.worker) for one in (ahead, elsewhere, began)))
        for record, reasons in ((ahead, {"ahead", "epoch"}), (elsewhere, {"epoch"})):
            if not record.gaps or record.gaps[0] not in reasons:
                raise Broken(f"{record.who} was told of the gaps {record.gaps}, and {' or '.join(reasons)} is first")
            if len(record.gaps) > 1 and not self.harms.hit(record.since - HARMED, record.until_then, ENGINE):
                raise Broken(f"{record.who} was told of the gaps {record.gaps}, and one is due")

    async def come_back(self, record: Record, topic: str, place: int) -> None:
        """One client, until it has what there was when it came."""
        following = asyncio.create_task(follow(record, lambda: self.fleet.urls(place), topic))
        goal = self.written[topic]
        until = asyncio.create_task(record.until(goal))
        try:
            async with asyncio.timeout(COMING):
                await asyncio.wait({following, until}, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        except TimeoutError:
            raise Broken(f"{record.who} was at {record.last}, {record.cursor}, of {goal} after {COMING} s") from None
        finally:
            following.cancel()
            until.cancel()
            await asyncio.gather(following, until, return_exceptions=True)
        self.sum_up(record)
