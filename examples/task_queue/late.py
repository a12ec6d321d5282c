"""A worker that is too slow. The clock is put forward by hand, so that "too slow" means the same on every machine."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import closing
from pathlib import Path

from capnweb_runtime import connect, serve
from capnweb_runtime.scale import MemoryBackplane, MemoryStore
from examples.form.report import Report
from examples.task_queue.generated.task_queue import TaskQueueStub
from examples.task_queue.queue import Policy, TaskQueue
from examples.task_queue.schemas.task_queue import LeaseLost, Mean
from examples.task_queue.store import Store


class Clock:
    """Shows the time that it is set to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def late_result(report: Report) -> None:
    """A result that comes after the lease has ended is refused, whoever has the task by then."""
    report.section("A worker is too slow")
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, closing(Store(Path(folder, "tasks.sqlite"))) as store:
        queue = TaskQueue(store, Policy(lease=30, backoff=0), MemoryBackplane(MemoryStore(clock)), clock)
        async with (
            serve(lambda peer: queue, "127.0.0.1", 0) as server,
            connect(server.url, TaskQueueStub) as slow,
            connect(server.url, TaskQueueStub) as quick,
        ):
            task = await slow.submit("a mean", Mean(numbers=[1, 2]))
            first = await slow.take()
            assert first is not None
            clock.now = 20.0
            await first.lease.renew()
            clock.now = 45.0
            queue.look()
            report.check("25 s after its last sign of life it still has the task", await slow.stats().running, 1)
            waiting = asyncio.ensure_future(quick.take())
            clock.now = 51.0
            queue.look()
            second = await waiting
            assert second is not None
            report.check("31 s after it, somebody else has it: attempt", second.attempt, 2)
            await report.refused("its late result", first.lease.complete(-1.0), LeaseLost)
            await second.lease.complete(1.5)
            report.check("what counts", await slow.finished(task).result, 1.5)
            await report.refused("a result for what is finished", second.lease.complete(9.0), LeaseLost)
            first.lease.dispose()
            second.lease.dispose()
