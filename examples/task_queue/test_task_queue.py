"""The task queue does what its README claims."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from capnweb_runtime import connect
from capnweb_runtime.testing import PairFixture
from examples.form.processes import started
from examples.form.testing import as_documented
from examples.task_queue.client import all_finished, submit_all
from examples.task_queue.generated.task_queue import LeaseStub, TaskQueueStub
from examples.task_queue.late import Clock
from examples.task_queue.policy import Policy
from examples.task_queue.queue import TaskQueue
from examples.task_queue.schemas.task_queue import CountWords, Finished, Leased, LeaseLost, Mean, UnknownTask
from examples.task_queue.store import Store
from examples.task_queue.worker import work

POLICY = Policy(attempts=3, lease=30, backoff=10, telling=0.01)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "tasks.sqlite")) as store:
        yield store


@pytest.fixture
def queue(store: Store, clock: Clock) -> TaskQueue:
    return TaskQueue(store, POLICY, clock)


async def taken(api: TaskQueueStub) -> Leased[LeaseStub]:
    leased = await api.take()
    assert leased is not None
    return leased


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("task_queue")
    assert ran.number("times that the task was begun") == 2
    assert ran.number("results that were taken") == 1
    assert ran.number("tasks submitted before kill -9") == ran.number("of them done, with the right result") == 40
    assert ran.number("callbacks that had been answered by then") == 40
    assert ran.claims["tasks queued, running, and to be told of"] == "(0, 0, 0)"


# ---- leases


@pytest.mark.capnweb(no_leaks=True)
async def test_who_drops_a_lease_gives_the_task_back(queue: TaskQueue, clock: Clock, capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(queue, TaskQueueStub) as api:
        await api.submit("a", Mean(numbers=[1, 2]))
        with (await taken(api)).lease:
            assert (await api.stats()).running == 1
        assert (await api.stats()).queued == 1
        clock.now = 10.0  # the backoff
        again = await taken(api)
        assert again.attempt == 2
        with again.lease:
            await again.lease.complete(1.5)
        assert (await api.stats()).done == 1


async def test_a_session_that_ends_gives_its_tasks_back(queue: TaskQueue, capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(queue, TaskQueueStub) as api:
        task = await api.submit("a", Mean(numbers=[1, 2]))
        async with capnweb_pair(queue, TaskQueueStub) as worker:
            lost = await taken(worker)
            assert (await api.stats()).running == 1
        assert (await api.stats()).queued == 1
        lost.lease.dispose()
        assert not queue.stats().done
        assert task == 1


async def test_a_wait_for_a_task_that_is_given_up_takes_none(queue: TaskQueue, capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(queue, TaskQueueStub) as api:
        waiting = asyncio.create_task(taken(api))
        await api.stats()  # the wait has begun
        waiting.cancel()
        await asyncio.wait([waiting])
        await api.submit("a", Mean(numbers=[1, 2]))
        with (first := await taken(api)).lease:
            assert first.attempt == 1


async def test_a_late_result_is_refused_and_the_work_cancelled(
    queue: TaskQueue, store: Store, clock: Clock, capnweb_pair: PairFixture
) -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(leased: Leased[LeaseStub]) -> float:
        begun.set()
        try:
            return await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with capnweb_pair(queue, TaskQueueStub) as api:
        await api.submit("a", Mean(numbers=[1, 2]))
        leased = await taken(api)
        with leased.lease:
            clock.now = 30.0
            queue.tick()
            with pytest.raises(LeaseLost) as caught:
                await leased.lease.complete(1.5)
            assert caught.value.task == leased.task
        clock.now = 100.0
        brief = TaskQueue(store, Policy(lease=0.003), clock)  # it is renewed at once
        async with capnweb_pair(brief, TaskQueueStub) as other:
            working = asyncio.create_task(work(other, slow))
            await begun.wait()
            clock.now = 200.0
            brief.tick()
            await asyncio.wait_for(cancelled.wait(), 30)
            working.cancel()
            await asyncio.wait([working])


# ---- tasks that cannot be done


async def test_a_task_that_always_fails_is_tried_later_and_later_and_then_dead(
    queue: TaskQueue, clock: Clock, capnweb_pair: PairFixture
) -> None:
    async with capnweb_pair(queue, TaskQueueStub) as api:
        task = await api.submit("a", Mean(numbers=[]))
        for due in (0.0, 10.0, 30.0):  # 10 s after the first attempt, and 20 s after the second
            clock.now = due - 0.1
            queue.tick()
            assert (await api.stats()).queued == 1
            waiting = asyncio.ensure_future(api.take())
            await api.stats()
            assert not waiting.done()
            clock.now = due
            queue.tick()
            leased = await waiting
            assert leased is not None
            with leased.lease:
                await leased.lease.fail("no numbers")
        dead = Finished(task=task, state="dead", attempts=3, error="no numbers")
        assert await api.finished(task) == dead
        assert await api.dead_letters() == [dead]


async def test_a_task_that_kills_its_workers_is_dead_as_well(
    queue: TaskQueue, clock: Clock, capnweb_pair: PairFixture
) -> None:
    async with capnweb_pair(queue, TaskQueueStub) as api:
        task = await api.submit("a", Mean(numbers=[]))
        for attempt in range(3):
            clock.now = 100.0 * attempt
            async with capnweb_pair(queue, TaskQueueStub) as worker:
                leased = await taken(worker)
            leased.lease.dispose()
        assert await api.finished(task).error == "the worker went away"


async def test_malformed_tasks_do_not_get_in(queue: TaskQueue, capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(queue, TaskQueueStub) as api:
        with pytest.raises(TypeError, match="key"):
            await api.submit("k" * 65, Mean(numbers=[1]))
        with pytest.raises(UnknownTask):
            await api.finished(7)
        assert not sum(number for _, number in await api.stats())


# ---- those who submit


async def test_a_key_is_a_task_however_often_it_is_submitted(queue: TaskQueue, capnweb_pair: PairFixture) -> None:
    told: list[Finished] = []
    async with capnweb_pair(queue, TaskQueueStub) as api:
        first = await api.submit("a", Mean(numbers=[2]), told.append)
        assert await api.submit("a", Mean(numbers=[2]), told.append) == first
        working = asyncio.create_task(work(api))
        assert await api.finished(first).result == 2.0
        assert (await api.drain()).done == 1
        await working
        assert await api.submit("a", Mean(numbers=[2]), told.append) == first  # even now
        await api.drain()
    assert [finished.task for finished in told] == [first] * 3


async def test_callbacks_that_raise_hang_or_are_gone_do_not_hold_up_draining(
    queue: TaskQueue, capnweb_pair: PairFixture
) -> None:
    async def hangs(finished: Finished) -> None:
        await asyncio.Event().wait()

    def raises(finished: Finished) -> None:
        raise LookupError("no")

    async with capnweb_pair(queue, TaskQueueStub) as api:
        async with capnweb_pair(queue, TaskQueueStub) as leaving:
            await leaving.submit("gone", Mean(numbers=[1]), lambda finished: None)
        await api.submit("hangs", Mean(numbers=[1]), hangs)
        await api.submit("raises", Mean(numbers=[1]), raises)
        stats, _ = await asyncio.wait_for(asyncio.gather(api.drain(), work(api)), 30)
        assert (stats.done, stats.telling) == (3, 0)


# ---- servers


async def test_a_server_that_is_told_to_stop_lets_workers_finish_and_keeps_the_rest(tmp_path: Path) -> None:
    server = ("examples.task_queue.server", "--port", "0", "--file", str(tmp_path / "tasks.sqlite"))
    async with started(*server) as first, connect(first.url, TaskQueueStub) as api:
        await submit_all(api, {str(number): Mean(numbers=[number]) for number in range(5)})
        leases = [(await taken(api)).lease]
        first.process.send_signal(signal.SIGTERM)
        while (leased := await api.take()) is not None:  # until the signal has arrived
            leases.append(leased.lease)
        await leases[0].complete(0.0)
        for lease in leases:
            lease.dispose()
        assert await first.line() == "stopped: 4 queued, 0 running, 1 done, 0 dead, 0 telling"
    async with started(*server) as second, connect(second.url, TaskQueueStub) as api:
        assert (await api.stats()).queued == 4
        working = asyncio.create_task(work(api))
        assert [finished.result for finished in await all_finished(api, [1, 2, 3, 4, 5])] == [0, 1, 2, 3, 4]
        await api.drain()
        await working


async def test_a_worker_that_is_frozen_loses_its_task_and_its_result_is_not_missed(tmp_path: Path) -> None:
    file = str(tmp_path / "tasks.sqlite")
    server = ("examples.task_queue.server", "--port", "0", "--file", file, "--lease", "0.2", "--attempts", "1000")
    async with started(*server, "--backoff", "0") as queue, connect(queue.url, TaskQueueStub) as api:
        task = await api.submit("a", CountWords(text="two words"))
        async with started("examples.task_queue.worker", queue.url, "--hang") as frozen:
            assert await frozen.line() == f"began {task}"
            frozen.process.send_signal(signal.SIGSTOP)
            working = asyncio.create_task(work(api))
            assert await api.finished(task).result == 2.0
            await frozen.kill()
        await api.drain()
        await working
