"""The queue itself. Rule: the file knows what state a task is in; what is kept here is who has it, and who waits.

A task is handed out again when its lease ends without a result: the worker has dropped it, its session is over, or it
has not been renewed in time. So the work may be done more than once. It is *completed* once: a result is taken only of
the attempt that is being made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from capnweb_runtime import CallbackStub
from examples.task_queue.callbacks import Callbacks
from examples.task_queue.generated.task_queue import LeaseTarget, TaskQueueTarget
from examples.task_queue.policy import Policy
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


class Lease(LeaseTarget):
    """One attempt. It ends with a result, or when the worker lets go of it, by will or by dying."""

    def __init__(self, queue: TaskQueue, attempt: Attempt) -> None:
        self.attempt = attempt
        self.ends = 0.0
        self._queue = queue

    def renew(self) -> None:
        self._queue.renew(self)

    def complete(self, result: float) -> None:
        self._queue.complete(self, result)

    def fail(self, reason: str) -> None:
        if not self._queue.give_back(self, reason):
            raise LeaseLost(self.attempt.task)

    def dispose(self) -> None:
        self._queue.give_back(self, "the worker went away")


class TaskQueue(TaskQueueTarget):
    """The main object of all sessions.

    Parameters:
        store: where the tasks are.
        policy: how often and how patiently each is tried.
        clock: seconds on a clock that never goes back.
    """

    def __init__(self, store: Store, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._leases: set[Lease] = set()
        self._callbacks = Callbacks(policy.telling, self._changed)
        self._ends: dict[int, asyncio.Event] = {}  # tasks whose end somebody waits for
        self._news = asyncio.Event()  # set and replaced whenever something has changed
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
            self._changed()
        if on_finished is not None:
            self._callbacks.add(task, on_finished)
            if (finished := self._store.finished(task)) is not None:
                self._callbacks.tell(finished)
        return task

    async def finished(self, task: int) -> Finished:
        if not self._store.exists(task):
            raise UnknownTask(f"there is no task {task}")
        while (finished := self._store.finished(task)) is None:
            await self._ends.setdefault(task, asyncio.Event()).wait()
        return finished

    # ---- workers

    async def take(self) -> Leased[LeaseTarget] | None:
        while not self._stopping:
            if (leased := self._next()) is not None:
                return leased
            if self._draining and not self._left():
                break
            await self._news.wait()
        return None

    def renew(self, lease: Lease) -> None:
        """Prolongs a lease. Raises LeaseLost if it is over."""
        if lease not in self._leases:
            raise LeaseLost(lease.attempt.task)
        lease.ends = self._clock() + self._policy.lease

    def complete(self, lease: Lease, result: float) -> None:
        """Takes a result. Raises LeaseLost if the attempt is over."""
        if lease not in self._leases:
            raise LeaseLost(lease.attempt.task)
        self._store.finish(lease.attempt, "done", result=result)
        self._over(lease)

    def give_back(self, lease: Lease, reason: str) -> bool:
        """Ends an attempt without a result: there will be another, or the task is dead. False if it was over."""
        if lease not in self._leases:
            return False
        if lease.attempt.number >= self._policy.attempts:
            self._store.finish(lease.attempt, "dead", error=reason)
        else:
            wait = self._policy.backoff * 2 ** (lease.attempt.number - 1)
            self._store.queue_again(lease.attempt, self._clock() + wait)
        self._over(lease)
        return True

    def tick(self) -> None:
        """Ends leases that were not renewed in time, and hands out what has become due; to be called now and then."""
        now = self._clock()
        for lease in [lease for lease in self._leases if lease.ends <= now]:
            self.give_back(lease, f"nothing was heard of the worker for {self._policy.lease:g} s")
        self._changed()

    # ---- operators

    def stats(self) -> Stats:
        return Stats(**self._store.counts(), telling=len(self._callbacks))

    def dead_letters(self) -> list[Finished]:
        return self._store.dead()

    async def drain(self) -> Stats:
        self._draining = True
        while self._left() or len(self._callbacks):
            await self._news.wait()
        self._changed()  # for workers who wait
        return self.stats()

    async def stop(self) -> None:
        """Hands out nothing more, and waits for what is being done and told. What is queued stays in the file."""
        self._draining = self._stopping = True
        self._changed()
        while self._leases or len(self._callbacks):
            await self._news.wait()

    # ---- inside

    def _next(self) -> Leased[LeaseTarget] | None:
        """Leases a task that is due. One that cannot be read is dead, and does not stand in the way of others."""
        while (attempt := self._store.next(self._clock())) is not None:
            lease = Lease(self, attempt)
            self._leases.add(lease)
            try:
                job = JOB.validate_json(attempt.job)
            except ValidationError as error:
                self._store.finish(attempt, "dead", error=f"it cannot be read: {error.errors()[0]['msg']}")
                self._over(lease)
                continue
            self.renew(lease)
            return Leased(task=attempt.task, attempt=attempt.number, job=job, seconds=self._policy.lease, lease=lease)
        return None

    def _left(self) -> int:
        counts = self._store.counts()
        return counts["queued"] + counts["running"]

    def _changed(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _over(self, lease: Lease) -> None:
        """An attempt is over, and maybe the task is."""
        self._leases.discard(lease)
        if (finished := self._store.finished(lease.attempt.task)) is not None:
            self._callbacks.tell(finished)
            if (end := self._ends.pop(finished.task, None)) is not None:
                end.set()
        self._changed()
