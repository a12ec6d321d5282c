"""The queue itself. Rule: the file knows what state a task is in, the backplane who is at it; what is kept here is who
waits.

A task is handed out again when its lease ends without a result: the worker has dropped it, its session or its server is
gone, or it has not been renewed in time. So the work may be done more than once. It is *completed* once: the file takes
a result only under the fence of the lease that was given last.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from capnweb_runtime import CallbackStub
from capnweb_runtime.scale import Backplane, BackplaneUnavailable, Topic, TopicGap
from capnweb_runtime.scale import Lease as Held
from examples.task_queue.generated.task_queue import LeaseTarget, TaskQueueTarget
from examples.task_queue.schemas.task_queue import (
    CountWords,
    Draining,
    Finished,
    Leased,
    LeaseLost,
    Mean,
    Stats,
    UnknownTask,
)
from examples.task_queue.store import Attempt, Store

JOB: TypeAdapter[CountWords | Mean] = TypeAdapter(Annotated[CountWords | Mean, Field(discriminator="kind")])
"""How jobs are written in the file."""
ANY = 0
"""No task, but whichever."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Policy:
    """How often and how patiently a task is tried.

    Attributes:
        attempts: after so many without a result a task is dead.
        lease: seconds that a worker has between two signs of life.
        backoff: seconds between the first attempt and the second; twice as many after each further one.
        telling: seconds that a submitter's callback may take.
        look: seconds between two looks at the file, for what nobody tells: that a lease has ended, or a task is due.
    """

    attempts: int = 3
    lease: float = 30.0
    backoff: float = 1.0
    telling: float = 5.0
    look: float = 0.1


class Lease(LeaseTarget):
    """One attempt. It ends with a result, or when the worker lets go of it, by will or by dying."""

    def __init__(self, queue: TaskQueue, attempt: Attempt, held: Held) -> None:
        self.attempt = attempt
        self.held = held
        self._queue = queue

    async def renew(self) -> None:
        with suppress(BackplaneUnavailable):  # it is the worker's for as long as `held` says
            await self.held.renew()
        if not self.held.held:
            raise LeaseLost(self.attempt.task)

    def complete(self, result: float) -> None:
        self._queue.end(self, result, "")

    def fail(self, reason: str) -> None:
        self._queue.end(self, None, reason)

    def dispose(self) -> None:
        with suppress(LeaseLost):
            self._queue.end(self, None, "the worker went away")


class TaskQueue(TaskQueueTarget):
    """The main object of all sessions of one server.

    Parameters:
        store: where the tasks are.
        policy: how often and how patiently each is tried.
        backplane: what the servers of the queue share.
        clock: seconds on a clock that all of them have.
    """

    def __init__(
        self, store: Store, policy: Policy, backplane: Backplane, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._policy, self._backplane, self._clock = store, policy, backplane, clock
        self._changed = Topic(backplane, "changed", int)  # tasks of which servers tell each other
        self._waits: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)  # of those who wait for a task
        self._leases: set[Lease] = set()
        self._telling = 0  # callbacks that have not been answered
        self._background: set[asyncio.Task[None]] = set()
        self._draining = False  # new tasks are refused
        self._stopping = False  # tasks are not handed out any more

    # ---- those who submit

    def submit(
        self, key: str, job: CountWords | Mean, on_finished: CallbackStub[[Finished], None] | None = None
    ) -> int:
        task = self._store.find(key)
        if task is None:
            if self._draining:
                raise Draining("the queue takes no new tasks")
            task = self._store.add(key, JOB.dump_json(job).decode())
            self._in_background(self._tell(task))
        if on_finished is not None:
            self._telling += 1
            self._in_background(self._call(task, on_finished.dup()))
        return task

    async def finished(self, task: int) -> Finished:
        if not self._store.exists(task):
            raise UnknownTask(f"there is no task {task}")
        while (finished := self._store.finished(task)) is None:
            await self._waits[task].wait()
        return finished

    # ---- workers

    async def take(self) -> Leased[LeaseTarget] | None:
        while not self._stopping:
            change = self._waits[ANY]
            if (leased := await self._next()) is not None:
                return leased
            if self._draining and not self._left():
                break
            await change.wait()
        return None

    def end(self, lease: Lease, result: float | None, reason: str) -> None:
        """Ends an attempt; without a result there will be another, or the task is dead. Raises LeaseLost."""
        attempt, policy = lease.attempt, self._policy
        if result is not None:
            is_ours = lease.held.held and self._store.finish(attempt, "done", result=result)
        elif attempt.number >= policy.attempts:
            is_ours = self._store.finish(attempt, "dead", error=reason)
        else:
            due = self._clock() + policy.backoff * 2 ** (attempt.number - 1)
            is_ours = self._store.queue_again(attempt, due)
        if lease in self._leases:
            self._leases.discard(lease)
            self._in_background(self._tell(attempt.task, lease.held))
            self.look(attempt.task)
        if not is_ours:
            raise LeaseLost(attempt.task)

    # ---- operators

    def stats(self) -> Stats:
        return Stats(**self._store.counts(), telling=self._telling)

    def dead_letters(self) -> list[Finished]:
        return self._store.dead()

    async def drain(self) -> Stats:
        self._draining = True
        while self._left() or self._telling:
            await self._waits[ANY].wait()
        self.look()  # for workers who wait
        return self.stats()

    async def stop(self) -> None:
        """Hands out nothing more, and waits for what is being done and told. What is queued stays in the file."""
        self._draining = self._stopping = True
        self.look()
        while self._leases:
            await self._waits[ANY].wait()
        self.look()  # for those who are to be told of what is queued
        await asyncio.gather(*self._background)

    # ---- inside

    async def watch(self) -> None:
        """Looks whenever a server has changed something, and every so often, without end."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_looking())
            while True:
                try:
                    await self._follow()
                except BackplaneUnavailable as unavailable:  # which also a server that begins may meet
                    logger.warning("what other servers do is seen when this one looks next: %s", unavailable)
                    await asyncio.sleep(self._policy.look)

    async def _follow(self) -> None:
        async with self._changed.subscribe() as changes:
            async for item in changes:
                self.look(None if isinstance(item, TopicGap) else item.data)

    async def _keep_looking(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(self._policy.look)

    def look(self, task: int | None = None) -> None:
        """Has those look who wait for a task, or all who wait for any; to be called now and then."""
        for each in [*self._waits] if task is None else [ANY, task]:
            self._waits.pop(each, asyncio.Event()).set()

    async def _next(self) -> Leased[LeaseTarget] | None:
        """Leases a task that is due. One that cannot be done is dead, and does not stand in the way of others."""
        try:
            for task in self._store.due(self._clock()):
                held = await self._backplane.acquire(f"task/{task}", b"", self._policy.lease)
                if held is not None:
                    if (leased := self._begun(task, held)) is not None:
                        return leased
                    await self._tell(task, held)
        except BackplaneUnavailable as unavailable:
            logger.warning("nobody can take a task: %s", unavailable)
        return None

    def _begun(self, task: int, held: Held) -> Leased[LeaseTarget] | None:
        attempt = self._store.begin(task, held.fence)
        if attempt is None:
            return None
        lease = Lease(self, attempt, held)
        if attempt.number > self._policy.attempts:
            self._store.finish(attempt, "dead", error="nothing was heard of the worker any more")
            return None
        try:
            job = JOB.validate_json(attempt.job)
        except ValidationError as error:
            self._store.finish(attempt, "dead", error=f"it cannot be read: {error.errors()[0]['msg']}")
            return None
        self._leases.add(lease)
        return Leased(task=task, attempt=attempt.number, job=job, seconds=self._policy.lease, lease=lease)

    def _left(self) -> int:
        counts = self._store.counts()
        return counts["queued"] + counts["running"]

    async def _tell(self, task: int, held: Held | None = None) -> None:
        """Gives a lease back, and has all servers look at its task."""
        try:
            if held is not None:
                await held.release()
            await self._changed.publish(task)
        except BackplaneUnavailable as unavailable:
            logger.warning("others see what became of task %d when they look next: %s", task, unavailable)

    async def _call(self, task: int, callback: CallbackStub[[Finished], None]) -> None:
        """Tells a submitter what became of a task. Whoever is gone, raises or sleeps holds nobody up: they can ask."""
        with callback:
            while (finished := self._store.finished(task)) is None and not (self._stopping and not self._leases):
                await self._waits[task].wait()
            try:
                async with asyncio.timeout(self._policy.telling):
                    if finished is not None:
                        await callback(finished)
            except Exception as error:
                logger.info("somebody was not told of task %d: %r", task, error)
        self._telling -= 1
        self.look(task)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
