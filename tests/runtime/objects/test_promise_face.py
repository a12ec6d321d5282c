"""Promises in asyncio's hands: as quick as futures, and a cancelled wait is only that."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import ref

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.broken import DISPOSED
from capnweb_runtime.errors import RpcError
from capnweb_runtime.objects.promise_face import ERROR, PENDING, VALUE, FutureFace, Outcome
from tests.runtime.conftest import JoinOnLoop
from tests.runtime.example import CounterPromise, Desk, DeskStub


class Waiting(Desk):
    """`hold` waits on the loop until the test answers."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, asyncio.Future[int]] = {}

    def hold(self, name: str) -> Any:
        self.log.append(("hold", name))
        return self._answer(name)

    async def _answer(self, name: str) -> int:
        return await self.answers.setdefault(name, asyncio.get_running_loop().create_future())


async def turns(until: Callable[[], bool]) -> None:
    """Lets the loop turn until a condition holds."""
    for _ in range(100):
        if until():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


class TestOnTheLoop:
    async def test_awaiting_gives_the_value_and_again(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        promise = a.main(DeskStub).add(1, 2)
        assert await promise == 3
        assert await promise == 3

    async def test_two_tasks_may_await_the_same_promise(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        promise = a.main(DeskStub).book("Emma")

        async def waiter() -> Any:
            return await promise

        first, second = await asyncio.gather(waiter(), waiter())
        assert first is second

    async def test_an_error_is_raised_each_time(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        promise = a.main(DeskStub).fail("no")
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await promise

    async def test_gather_takes_promises_as_they_are(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)
        before = asyncio.all_tasks()
        gathering = asyncio.gather(desk.add(1, 2), desk.book("Emma").title, desk.nothing())
        assert asyncio.all_tasks() == before
        assert list(await gathering) == [3, "Emma", None]

    async def test_gather_of_the_same_promise_twice(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        promise = a.main(DeskStub).add(1, 2)
        assert list(await asyncio.gather(promise, promise)) == [3, 3]

    async def test_gather_with_errors(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)
        with pytest.raises(ValueError, match="no"):
            await asyncio.gather(desk.add(1, 2), desk.fail("no"))
        results = await asyncio.gather(desk.add(1, 2), desk.fail("no"), return_exceptions=True)
        assert results[0] == 3
        assert isinstance(results[1], ValueError)

    async def test_wait(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        desk = a.main(DeskStub)
        quick: Any = desk.add(1, 2)
        slow: Any = desk.hold("x")
        done, pending = await asyncio.wait([quick, slow], return_when=asyncio.FIRST_COMPLETED)
        assert done == {quick}
        assert pending == {slow}
        assert quick.result() == 3
        target.answers["x"].set_result(7)
        assert await asyncio.wait([slow]) == ({slow}, set())
        assert slow.result() == 7

    async def test_as_completed(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        desk = a.main(DeskStub)
        slow, quick = desk.hold("x"), desk.add(1, 2)
        values = []
        for next_one in asyncio.as_completed([slow, quick]):
            values.append(await next_one)
            if values == [3]:
                target.answers["x"].set_result(9)
        assert values == [3, 9]

    async def test_in_a_task_group(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)

        async def ask(n: int) -> int:
            return await desk.add(n, 1)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(n)) for n in range(3)]
        assert [task.result() for task in tasks] == [1, 2, 3]

    async def test_a_timeout_cancels_the_wait_only(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        promise = a.main(DeskStub).hold("x")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(promise, 0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await promise
        await turns(lambda: "x" in target.answers)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(promise, 1e-6)
        target.answers["x"].set_result(7)
        assert await promise == 7
        assert await asyncio.wait_for(promise, 10) == 7

    async def test_cancelling_one_task_leaves_the_others_waiting(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        promise = a.main(DeskStub).hold("x")

        async def waiter() -> int:
            return await promise

        first, second = asyncio.create_task(waiter()), asyncio.create_task(waiter())
        await turns(lambda: "x" in target.answers)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        target.answers["x"].set_result(7)
        assert await second == 7

    async def test_a_cancelled_gather_leaves_the_calls(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        desk = a.main(DeskStub)
        first, second = desk.hold("x"), desk.hold("y")
        gathering = asyncio.gather(first, second)
        await turns(lambda: "y" in target.answers)
        gathering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gathering
        for answer in target.answers.values():
            answer.set_result(7)
        assert list(await asyncio.gather(first, second)) == [7, 7]

    async def test_one_that_was_cancelled_is_not_waited_for(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        desk = a.main(DeskStub)
        for wait in (
            lambda future: future,
            lambda future: asyncio.gather(future),
            lambda future: asyncio.wait_for(future, 10),
            lambda future: asyncio.shield(future),
        ):
            future: Any = asyncio.ensure_future(desk.hold("x"))
            assert future.cancel()
            assert not future.cancel()
            assert (future.done(), future.cancelled()) == (True, True)
            for _ in range(2):
                with pytest.raises(asyncio.CancelledError):
                    async with asyncio.timeout(10):
                        await wait(future)
                assert future.cancelled()
            with pytest.raises(asyncio.CancelledError):
                future.result()
        await turns(lambda: "x" in target.answers)
        target.answers["x"].set_result(7)

    async def test_those_that_were_pending_are_cancelled_and_gathered(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        desk = a.main(DeskStub)
        futures: list[Any] = [desk.add(1, 2), desk.hold("x"), desk.hold("y")]
        done, pending = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        for future in pending:
            future.add_done_callback(lambda _: None)
            future.cancel()
        async with asyncio.timeout(10):
            results = await asyncio.gather(*futures, return_exceptions=True)
        assert [future.result() for future in done] == [3]
        assert [type(result) for result in results] == [int, asyncio.CancelledError, asyncio.CancelledError]
        await turns(lambda: "y" in target.answers)
        for answer in target.answers.values():
            answer.set_result(7)

    async def test_cancelling_the_future_leaves_those_who_await_the_promise(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        promise: Any = a.main(DeskStub).hold("x")

        async def waiter() -> int:
            return await promise  # type: ignore[no-any-return]  # it is Any for its future's face

        other = asyncio.create_task(waiter())
        await turns(lambda: "x" in target.answers)
        promise.cancel()
        target.answers["x"].set_result(7)
        assert await other == 7

    async def test_a_promise_becomes_a_task_in_a_coroutine(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)
        promise: Any = desk.add(1, 2)
        with pytest.raises(TypeError, match=r"a coroutine was expected, got <RpcPromise of int from Desk\.add>"):
            _ = asyncio.create_task(promise)  # noqa: RUF006  # none is made
        assert await asyncio.ensure_future(promise) == 3

    async def test_shield(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        promise = a.main(DeskStub).hold("x")
        shielded = asyncio.shield(promise)
        await turns(lambda: "x" in target.answers)
        shielded.cancel()
        with pytest.raises(asyncio.CancelledError):
            await shielded
        target.answers["x"].set_result(7)
        assert await asyncio.shield(promise) == 7

    async def test_disposing_ends_the_wait_with_an_error(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        promise = a.main(DeskStub).hold("x")
        waiting = asyncio.gather(promise)
        await turns(lambda: "x" in target.answers)
        promise.dispose()
        with pytest.raises(RpcError, match="canceled because the RpcPromise was disposed"):
            await waiting
        target.answers["x"].set_result(1)
        await turns(lambda: a.stats().imports == 1)

    async def test_a_call_that_raises_stop_iteration_is_an_error_by_that_name(self, join_on_loop: JoinOnLoop) -> None:
        class Stopping(Desk):
            def nothing(self) -> None:
                raise StopIteration

        a, _ = join_on_loop(None, Stopping())
        with pytest.raises(RpcError) as caught:
            await a.main(DeskStub).nothing()
        assert caught.value.name == "StopIteration"

    async def test_asyncio_takes_a_promise_for_a_future(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        promise: Any = a.main(DeskStub).add(1, 2)
        assert asyncio.isfuture(promise)
        assert asyncio.ensure_future(promise) is promise
        assert promise.get_loop() is asyncio.get_running_loop()
        assert await promise == 3


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is freed in here but what nothing refers to."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class TestLettingGo:
    """A promise that has been waited for is gone with the last who holds it: nothing that the wait took is left."""

    async def test_after_its_value(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)
        with uncollected():
            promise = desk.add(1, 2)
            held = ref(promise)
            assert await promise == 3
            del promise
            assert held() is None

    async def test_after_a_value_that_had_arrived(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)
        with uncollected():
            promise = desk.add(1, 2)
            held = ref(promise)
            await promise
            assert await promise == 3
            del promise
            assert held() is None

    async def test_after_its_error(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)
        with uncollected():
            promise = desk.fail("no")
            held = ref(promise)
            with suppress(ValueError):
                await promise
            del promise
            assert held() is None

    async def test_after_two_who_waited(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)

        async def wait(promise: Any) -> Any:
            return await promise

        with uncollected():
            promise = desk.add(1, 2)
            held = ref(promise)
            assert [*await asyncio.gather(wait(promise), wait(promise))] == [3, 3]
            del promise
            assert held() is None

    async def test_after_asyncio_has_waited_for_it(self, join_on_loop: JoinOnLoop) -> None:
        a, _ = join_on_loop(None, Desk())
        desk = a.main(DeskStub)
        with uncollected():
            promise = desk.add(1, 2)
            held = ref(promise)
            assert await asyncio.wait_for(promise, 5) == 3
            del promise
            await asyncio.sleep(0)  # in which asyncio lets go of its callback
            assert held() is None


class JobPromise(rpc.RpcPromise[int]):
    """The interface has methods of a future's names: asyncio must leave it alone."""

    def cancel(self) -> str:
        raise AssertionError("the remote cancel was called")

    def result(self) -> str:
        raise AssertionError("the remote result was called")


class DonePromise(rpc.RpcPromise[int]):
    """The model has a field of a future's name."""

    @property
    def done(self) -> rpc.RpcPromise[bool]:
        raise AssertionError("the remote value was asked for")


class NightlyJobPromise(JobPromise):
    """The interface inherits such methods."""


class TestPromisesThatAreNoFutures:
    @pytest.mark.parametrize("cls", [JobPromise, NightlyJobPromise, DonePromise])
    async def test_asyncio_does_not_take_them_for_futures(self, cls: type[rpc.RpcPromise[int]]) -> None:
        assert not asyncio.isfuture(cls(DISPOSED, (), rpc.INT))
        assert asyncio.isfuture(rpc.RpcPromise[int](DISPOSED, (), rpc.INT))

    async def test_gather_and_wait_for_call_nothing_of_them(self, join_on_loop: JoinOnLoop) -> None:
        target = Waiting()
        a, _ = join_on_loop(None, target)
        desk = a.main(DeskStub)
        inner = desk.hold("x")
        job = JobPromise(inner._hook, (), rpc.INT, inner)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.gather(job), 1e-6)
        await turns(lambda: "x" in target.answers)
        target.answers["x"].set_result(7)
        assert list(await asyncio.gather(job)) == [7]

    def test_methods_of_the_interface_win_over_the_face(self) -> None:
        assert CounterPromise.cancel is FutureFace.cancel  # type: ignore[attr-defined]  # unseen by type checkers
        assert JobPromise.cancel is not FutureFace.cancel  # type: ignore[attr-defined]  # as above


class Loop:
    """Stands in for a promise in a test of its outcome."""


class TestOutcome:
    async def test_it_settles_once(self) -> None:
        outcome = Outcome()
        assert (outcome.state, outcome.done) == (PENDING, False)
        outcome.settle(Loop(), VALUE, 1)
        outcome.settle(Loop(), ERROR, ValueError("late"))
        assert (outcome.state, outcome.value, outcome.done) == (VALUE, 1, True)
        assert outcome.result() == 1
        assert outcome.error() is None

    async def test_before_it_is_known(self) -> None:
        outcome = Outcome()
        with pytest.raises(asyncio.InvalidStateError):
            outcome.result()
        with pytest.raises(asyncio.InvalidStateError):
            outcome.error()

    async def test_an_error_is_raised_and_told(self) -> None:
        outcome = Outcome()
        error = ValueError("no")
        outcome.settle(Loop(), ERROR, error)
        assert outcome.error() is error
        with pytest.raises(ValueError, match="no"):
            outcome.result()
        with pytest.raises(ValueError, match="no"):
            await outcome.waiter(asyncio.get_running_loop())

    async def test_callbacks_come_in_a_later_turn_and_once(self) -> None:
        outcome = Outcome()
        promise = Loop()
        got: list[Any] = []
        outcome.add_callback(promise, got.append, None, asyncio.get_running_loop())
        outcome.settle(promise, VALUE, 1)
        assert got == []
        await asyncio.sleep(0)
        outcome.add_callback(promise, got.append, None, asyncio.get_running_loop())
        await asyncio.sleep(0)
        assert got == [promise, promise]

    async def test_a_callback_can_be_taken_back(self) -> None:
        outcome = Outcome()
        got: list[Any] = []
        outcome.add_callback(Loop(), got.append, None, asyncio.get_running_loop())
        outcome.add_callback(Loop(), got.append, None, asyncio.get_running_loop())
        assert outcome.remove_callback(got.append) == 2
        assert outcome.remove_callback(got.append) == 0
        outcome.settle(Loop(), VALUE, 1)
        await asyncio.sleep(0)
        assert got == []

    async def test_cancelling_ends_what_callbacks_wait_for_and_a_new_wait_starts_afresh(self) -> None:
        outcome = Outcome()
        got: list[Any] = []
        promise = Loop()
        outcome.add_callback(promise, got.append, None, asyncio.get_running_loop())
        assert outcome.cancel(promise)
        assert not outcome.cancel(promise)
        await asyncio.sleep(0)
        assert got == [promise]
        assert (outcome.cancelled, outcome.done) == (True, True)
        with pytest.raises(asyncio.CancelledError):
            outcome.result()
        outcome.add_callback(promise, got.append, None, asyncio.get_running_loop())
        assert (outcome.cancelled, outcome.done) == (False, False)
        outcome.settle(promise, VALUE, 1)
        await asyncio.sleep(0)
        assert got == [promise, promise]
        assert not outcome.cancel(promise)

    async def test_cancelled_without_a_wait_it_stays_so(self) -> None:
        outcome = Outcome()
        promise = Loop()
        got: list[Any] = []
        assert outcome.cancel(promise)
        outcome.add_callback(promise, got.append, None, asyncio.get_running_loop())
        await asyncio.sleep(0)
        assert got == [promise]
        outcome.settle(promise, VALUE, 1)
        assert (outcome.cancelled, outcome.done) == (True, True)
        with pytest.raises(asyncio.CancelledError):
            await outcome.waiter(asyncio.get_running_loop())

    async def test_a_wait_that_begins_before_the_others_have_been_told_is_cancelled_with_them(self) -> None:
        outcome = Outcome()
        promise = Loop()
        outcome.add_callback(promise, lambda _: None, None, asyncio.get_running_loop())
        outcome.cancel(promise)
        with pytest.raises(asyncio.CancelledError):
            await outcome.waiter(asyncio.get_running_loop())
        await asyncio.sleep(0)
        later = outcome.waiter(asyncio.get_running_loop())
        outcome.settle(promise, VALUE, 1)
        assert await later == 1

    def test_outside_of_a_loop_there_is_nothing_to_wait_on(self) -> None:
        with pytest.raises(RuntimeError, match="no running event loop"):
            _ = Outcome().waiter(None)
        with pytest.raises(RuntimeError, match="no running event loop"):
            Outcome().add_callback(Loop(), print, None, None)

    async def test_a_cancelled_waiter_is_left_out(self) -> None:
        outcome = Outcome()
        first, second = outcome.waiter(asyncio.get_running_loop()), outcome.waiter(asyncio.get_running_loop())
        first.cancel()
        outcome.settle(Loop(), VALUE, 1)
        assert await second == 1
        assert first.cancelled()

    async def test_stop_iteration_becomes_what_a_coroutine_can_pass_on(self) -> None:
        outcome = Outcome()
        outcome.settle(Loop(), ERROR, StopIteration())
        with pytest.raises(RuntimeError, match="StopIteration"):
            await outcome.waiter(asyncio.get_running_loop())
