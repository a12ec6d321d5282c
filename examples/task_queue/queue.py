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
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from capnweb_runtime import CallbackStub
from capnweb_runtime.scale import Backplane, BackplaneUnavailable, Gap
from capnweb_runtime.scale import Lease as Held
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
NEWS = "news"
"""The topic on which servers tell each other that something has changed."""

logger = logging.getLogger(__name__)


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
        self._queue.complete(self, result)

    def fail(self, reason: str) -> None:
        if not self._queue.give_back(self, reason):
            raise LeaseLost(self.attempt.task)

    def dispose(self) -> None:
        self._queue.give_back(self, "the worker went away")


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
        self._store = store
        self._policy = policy
        self._backplane = backplane
        self._clock = clock
        self._leases: set[Lease] = set()
        self._callbacks = Callbacks(policy.telling, self.look)
        self._ends: dict[int, asyncio.Event] = {}  # tasks whose end somebody waits for
        self._news = asyncio.Event()  # set and replaced whenever something may have changed
        self._telling: set[asyncio.Task[None]] = set()
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
            self._callbacks.add(task, on_finished)
            self.look(task)
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
            news = self._news
            if (leased := await self._next()) is not None:
                return leased
            if self._draining and not self._left():
                break
            await news.wait()
        return None

    def complete(self, lease: Lease, result: float) -> None:
        """Takes a result. Raises LeaseLost if the attempt is over."""
        if not (lease.held.held and self._store.finish(lease.attempt, "done", result=result)):
            raise LeaseLost(lease.attempt.task)
        self._over(lease)

    def give_back(self, lease: Lease, reason: str) -> bool:
        """Ends an attempt without a result: there will be another, or the task is dead. False if it was over."""
        attempt = lease.attempt
        if attempt.number >= self._policy.attempts:
            is_ours = self._store.finish(attempt, "dead", error=reason)
        else:
            wait = self._policy.backoff * 2 ** (attempt.number - 1)
            is_ours = self._store.queue_again(attempt, self._clock() + wait)
        self._over(lease)
        return is_ours

    # ---- operators

    def stats(self) -> Stats:
        return Stats(**self._store.counts(), telling=len(self._callbacks))

    def dead_letters(self) -> list[Finished]:
        return self._store.dead()

    async def drain(self) -> Stats:
        self._draining = True
        while self._left() or len(self._callbacks):
            await self._news.wait()
        self.look()  # for workers who wait
        return self.stats()

    async def stop(self) -> None:
        """Hands out nothing more, and waits for what is being done and told. What is queued stays in the file."""
        self._draining = self._stopping = True
        self.look()
        while self._leases or len(self._callbacks):
            await self._news.wait()
        await asyncio.gather(*self._telling)

    # ---- inside

    async def watch(self) -> None:
        """Looks whenever another server has changed something, without end; also where nobody can say so at first."""
        while True:
            try:
                async with self._backplane.subscribe(NEWS) as news:
                    async for item in news:
                        self.look(None if isinstance(item, Gap) else int(item.data))
            except BackplaneUnavailable as unavailable:
                logger.warning("what other servers do is seen when this one looks next: %s", unavailable)
                await asyncio.sleep(self._policy.look)

    def look(self, task: int | None = None) -> None:
        """Sees what has become of a task, or of all that somebody waits for; to be called now and then."""
        for each in [*self._callbacks.tasks(), *self._ends] if task is None else [task]:
            if (finished := self._store.finished(each)) is not None:
                self._callbacks.tell(finished)
                if (end := self._ends.pop(each, None)) is not None:
                    end.set()
        self._news.set()
        self._news = asyncio.Event()

    async def _next(self) -> Leased[LeaseTarget] | None:
        """Leases a task that is due. One that cannot be done is dead, and does not stand in the way of others."""
        try:
            for task in self._store.due(self._clock()):
                held = await self._backplane.acquire(f"task/{task}", b"", self._policy.lease)
                if held is not None:
                    if (leased := self._begun(task, held)) is not None:
                        return leased
                    await self._let_go(task, held)
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

    def _over(self, lease: Lease) -> None:
        """An attempt is over, and maybe the task is."""
        if lease in self._leases:
            self._leases.discard(lease)
            self._in_background(self._let_go(lease.attempt.task, lease.held))
            self.look(lease.attempt.task)

    async def _let_go(self, task: int, held: Held) -> None:
        try:
            await held.release()
        except BackplaneUnavailable as unavailable:
            logger.warning("the lease of task %d ends in its time: %s", task, unavailable)
        await self._tell(task)

    async def _tell(self, task: int) -> None:
        """Has all servers look at a task, this one too."""
        try:
            await self._backplane.publish(NEWS, str(task).encode())
        except BackplaneUnavailable as unavailable:
            logger.warning("others see what became of task %d when they look next: %s", task, unavailable)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
