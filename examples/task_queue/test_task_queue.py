"""The task queue does what its README claims."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from capnweb_runtime import CallInfo, Proceed, Reconnect, connect
from capnweb_runtime.scale import BackplaneUnavailable, Cursor, MemoryBackplane, MemoryStore
from capnweb_runtime.scale.hub import Page
from capnweb_runtime.testing import PairFixture
from examples.form.processes import started
from examples.form.testing import as_documented
from examples.task_queue.client import all_finished, submit_all
from examples.task_queue.generated.task_queue import LeaseStub, TaskQueueStub
from examples.task_queue.late import Clock
from examples.task_queue.queue import Policy, TaskQueue
from examples.task_queue.schemas.task_queue import CountWords, Finished, Leased, LeaseLost, Mean, UnknownTask
from examples.task_queue.store import Store
from examples.task_queue.worker import do, work
from tests.needs import needs_redis
from tests.runtime.scale.servers import RedisServer

SERVER, WORKER = "examples.task_queue.server", "examples.task_queue.worker"
POLICY = Policy(attempts=3, lease=30, backoff=10, telling=0.01)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "tasks.sqlite")) as store:
        yield store


@pytest.fixture
def backplane(clock: Clock) -> MemoryBackplane:
    return MemoryBackplane(MemoryStore(clock))


@pytest.fixture
def queue(store: Store, backplane: MemoryBackplane, clock: Clock) -> TaskQueue:
    return TaskQueue(store, POLICY, backplane, clock)


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
    queue: TaskQueue, store: Store, backplane: MemoryBackplane, clock: Clock, capnweb_pair: PairFixture
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
            queue.look()
            with pytest.raises(LeaseLost) as caught:
                await leased.lease.complete(1.5)
            assert caught.value.task == leased.task
        assert (await api.stats()).queued == 1
        clock.now = 100.0
        brief = TaskQueue(store, Policy(lease=0.1), backplane, clock)  # it is renewed at once
        async with capnweb_pair(brief, TaskQueueStub) as other:
            working = asyncio.create_task(work(other, slow))
            await begun.wait()
            clock.now = 200.0
            brief.look()
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
            queue.look()
            assert (await api.stats()).queued == 1
            waiting = asyncio.ensure_future(api.take())
            await api.stats()
            assert not waiting.done()
            clock.now = due
            queue.look()
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


@pytest.fixture
def redis() -> Iterator[str]:
    """The URL of a Redis that this test alone has."""
    server = RedisServer()
    yield server.url
    server.close()


@needs_redis
def test_with_redis_two_servers_print_the_same(redis: str) -> None:
    as_documented("task_queue", "--backplane", redis)


@pytest.fixture(params=["memory:", pytest.param("redis", marks=needs_redis)])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, ...]:
    """Of a server, with each backplane."""
    backplane = request.getfixturevalue("redis") if request.param == "redis" else request.param
    return ("--port", "0", "--file", str(tmp_path / "tasks.sqlite"), "--backplane", backplane, "--backoff", "0")


async def test_a_worker_that_is_frozen_loses_its_task_and_its_result_is_not_missed(options: tuple[str, ...]) -> None:
    more = ("--lease", "0.2", "--attempts", "1000")
    async with started(SERVER, *options, *more) as queue, connect(queue.url, TaskQueueStub) as api:
        task = await api.submit("a", CountWords(text="two words"))
        async with started(WORKER, queue.url, "--hang") as frozen:
            assert await frozen.line() == f"began {task}"
            frozen.process.send_signal(signal.SIGSTOP)
            working = asyncio.create_task(work(api))
            assert await api.finished(task).result == 2.0
            await frozen.kill()
        await api.drain()
        await working


async def test_a_result_is_that_of_its_task_when_the_lease_was_lost_meanwhile(options: tuple[str, ...]) -> None:
    """The server is killed in the midst of a task, and another task is due when it is there again."""
    begun, is_back = asyncio.Event(), asyncio.Event()

    async def slow(leased: Leased[LeaseStub]) -> float:
        begun.set()
        await is_back.wait()
        return await do(leased)

    async with (
        started(SERVER, *options, "--lease", "3") as server,
        connect(server.url, TaskQueueStub, reconnect=Reconnect(first=0.05)) as api,
    ):
        tasks = await submit_all(api, {str(number): Mean(numbers=[number]) for number in range(3)})
        working = asyncio.create_task(work(api, slow))
        await begun.wait()
        await server.kill()
        async with started(SERVER, *options, "--lease", "3", "--port", str(server.port)):
            await api.stats()
            is_back.set()
            assert [finished.result for finished in await all_finished(api, tasks)] == [0.0, 1.0, 2.0]
            await api.drain()
            await working


class Slow:
    """Work that takes nine signs of life, which come three in the time of a lease; and how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.renewed = asyncio.Semaphore(0)

    async def counts(self, call: CallInfo, proceed: Proceed) -> Any:
        """An interceptor for whoever does it."""
        result = await proceed(call)
        if call.name == "Lease.renew":
            self.renewed.release()
        return result

    async def do(self, leased: Leased[LeaseStub]) -> float:
        self.begun += 1
        for _ in range(9):
            await self.renewed.acquire()
        return 1.0


async def test_a_task_that_takes_three_times_as_long_as_its_lease_is_done_once(
    queue: TaskQueue, clock: Clock, capnweb_pair: PairFixture
) -> None:
    async with capnweb_pair(queue, TaskQueueStub) as api:
        task = await api.submit("a", Mean(numbers=[1]))
        leased = await taken(api)
        waiting = asyncio.ensure_future(api.take())
        with leased.lease:
            for beat in range(1, 10):
                clock.now = 10.0 * beat
                await leased.lease.renew()
                queue.look()
            assert clock.now == 3 * POLICY.lease
            assert (await api.stats()).running == 1
            await leased.lease.complete(1.0)
        assert await api.finished(task) == Finished(task=task, state="done", attempts=1, result=1.0)
        await api.drain()
        assert await waiting is None


@needs_redis
async def test_signs_of_life_keep_a_task_from_the_workers_of_other_servers(redis: str, tmp_path: Path) -> None:
    options = ("--port", "0", "--file", str(tmp_path / "tasks.sqlite"), "--backplane", redis, "--lease", "3")
    slow = Slow()
    async with (
        started(SERVER, *options) as here,
        started(SERVER, *options) as there,
        connect(here.url, TaskQueueStub, interceptors=[slow.counts]) as api,
        connect(there.url, TaskQueueStub, interceptors=[slow.counts]) as other,
    ):
        task = await api.submit("a", Mean(numbers=[1]))
        working = [asyncio.create_task(work(one, slow.do)) for one in (api, other)]
        assert await api.finished(task) == Finished(task=task, state="done", attempts=1, result=1.0)
        assert slow.begun == 1
        await asyncio.gather(api.drain(), other.drain())
        await asyncio.gather(*working)


@needs_redis
async def test_a_server_that_is_killed_with_its_worker_has_its_task_done_once_more_elsewhere(
    redis: str, tmp_path: Path
) -> None:
    """Nobody says that they are gone: the lease ends, and the fence of the one who was at it is no good any more."""
    options = ("--port", "0", "--file", str(tmp_path / "tasks.sqlite"), "--backplane", redis, "--lease", "0.5")
    attempts: list[int] = []

    async def noted(leased: Leased[LeaseStub]) -> float:
        attempts.append(leased.attempt)
        return 2.0

    async with started(SERVER, *options) as doomed, started(SERVER, *options) as other:
        async with connect(doomed.url, TaskQueueStub) as first:
            task = await first.submit("a", CountWords(text="two words"))
        async with started(WORKER, doomed.url, "--hang") as worker, connect(other.url, TaskQueueStub) as api:
            assert await worker.line() == f"began {task}"
            working = asyncio.create_task(work(api, noted))
            assert (await api.stats()).running == 1
            await doomed.kill()
            await worker.kill()
            assert await api.finished(task) == Finished(task=task, state="done", attempts=2, result=2.0)
            await api.drain()
            await working
    assert attempts == [2]


@needs_redis
async def test_what_is_submitted_at_one_server_is_told_by_it_though_it_was_done_at_another(
    redis: str, tmp_path: Path
) -> None:
    options = ("--port", "0", "--file", str(tmp_path / "tasks.sqlite"), "--backplane", redis)
    told: asyncio.Queue[Finished] = asyncio.Queue()
    async with (
        started(SERVER, *options) as here,
        started(SERVER, *options) as there,
        connect(here.url, TaskQueueStub) as submitter,
        connect(there.url, TaskQueueStub) as worker,
    ):
        working = asyncio.create_task(work(worker))
        task = await submitter.submit("a", Mean(numbers=[4]), told.put_nowait)
        assert (await asyncio.wait_for(told.get(), 30)).task == task
        assert await worker.submit("a", Mean(numbers=[4])) == task
        await asyncio.gather(submitter.drain(), worker.drain())
        await working


class Late(MemoryBackplane):
    """An engine that does not answer whoever asks first what there is of a topic."""

    has_answered = False

    async def page(self, topic: str, after: Cursor | None, count: int) -> Page:
        if not self.has_answered:
            self.has_answered = True
            raise BackplaneUnavailable("it has just been killed")
        return await super().page(topic, after, count)


async def test_a_server_that_began_as_the_engine_went_learns_all_the_same_what_others_do(
    store: Store, clock: Clock, capnweb_pair: PairFixture
) -> None:
    shared, policy = MemoryStore(clock), Policy(look=0.0)
    here, there = (
        TaskQueue(store, policy, Late(shared), clock),
        TaskQueue(store, policy, MemoryBackplane(shared), clock),
    )
    watching = asyncio.create_task(here.watch())
    async with (
        asyncio.timeout(30),
        capnweb_pair(here, TaskQueueStub) as api,
        capnweb_pair(there, TaskQueueStub) as other,
    ):
        working = asyncio.create_task(work(other))
        for number in itertools.count():  # until one ends while it watches
            task = await api.submit(f"task {number}", Mean(numbers=[1]))
            with suppress(TimeoutError):
                assert await asyncio.wait_for(api.finished(task), 0.1) == await other.finished(task)
                break
        await there.drain()
        await working
    watching.cancel()
    await asyncio.wait([watching])


async def test_the_fence_of_a_lease_that_is_over_changes_nothing(store: Store) -> None:
    task = store.add("a", "{}")
    first, second = store.begin(task, 5), store.begin(task, 7)
    assert first is not None
    assert second is not None
    assert store.begin(task, 6) is None
    assert not store.finish(first, "done", result=1.0)
    assert not store.queue_again(first, 0.0)
    assert store.finish(second, "done", result=2.0)
    assert store.begin(task, 8) is None
