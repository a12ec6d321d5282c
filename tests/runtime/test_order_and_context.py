"""In which order calls start, and what each one sees of the others, over whole sessions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import RpcError
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.driving.asyncio_host import HAS_EAGER_TASKS, AsyncioHost
from tests.runtime.stream_example import Depot, Joined, Joining, within

USER: ContextVar[str] = ContextVar("user", default="nobody")
PATHS = [pytest.param(False, id="plain"), *([pytest.param(True, id="eager")] if HAS_EAGER_TASKS else [])]

Start = Callable[..., Joined]


@pytest_asyncio.fixture(params=PATHS)
async def start(request: pytest.FixtureRequest) -> AsyncIterator[Start]:
    """Makes a session whose `do` is the given function, by each way in which calls can be started."""
    joining = Joining()

    def make(do: Callable[[Any], Any]) -> Joined:
        joined = joining(Depot(do=do))
        joined.b.host._eager = request.param
        return joined

    yield make
    await joining.assert_empty()


async def all_of(promises: list[rpc.AnyPromise]) -> list[Any]:
    return list(await within(asyncio.gather(*promises)))


class TestOrder:
    async def test_calls_start_in_the_order_in_which_they_were_made_whether_sync_or_async(self, start: Start) -> None:
        log: list[str] = []
        gate = asyncio.Event()

        async def waits(name: str) -> str:
            log.append(name)
            await gate.wait()
            return name

        async def returns(name: str) -> str:
            log.append(name)
            return name

        def at_once(name: str) -> str:
            log.append(name)
            return name

        def wraps(name: str) -> Awaitable[str]:
            log.append(name)
            return waits(name + "'")

        kinds: dict[str, Callable[[str], Any]] = {"w": waits, "r": returns, "s": at_once, "x": wraps}
        joined = start(lambda name: kinds[name[0]](name))
        names = ["w1", "s1", "r1", "x1", "s2", "w2", "r2", "s3", "x2", "w3"]
        promises = [joined.depot.do(name) for name in names]
        await joined.quiet()
        started = [name for name in log if not name.endswith("'")]
        assert started == names
        assert [name for name in log if name.endswith("'")] == ["x1'", "x2'"]
        gate.set()
        results = await all_of(promises)
        assert results == [name + "'" if name.startswith("x") else name for name in names]

    async def test_a_coroutine_runs_up_to_its_first_wait_before_the_next_call_starts(self, start: Start) -> None:
        log: list[str] = []

        async def steps(name: str) -> None:
            log.append(f"{name} 1")
            log.append(f"{name} 2")
            await asyncio.sleep(0)
            log.append(f"{name} 3")

        joined = start(steps)
        await all_of([joined.depot.do("a"), joined.depot.do("b")])
        assert [entry for entry in log if not entry.endswith("3")] == ["a 1", "a 2", "b 1", "b 2"]

    async def test_a_call_with_an_argument_to_come_does_not_hold_up_the_others(self, start: Start) -> None:
        log: list[Any] = []
        gate = asyncio.Event()

        async def later() -> str:
            await gate.wait()
            return "late"

        joined = start(lambda value: log.append(value))
        promises = [joined.depot.do(later()), joined.depot.do("next")]
        await joined.quiet()
        assert log == ["next"]
        gate.set()
        await all_of(promises)
        assert log == ["next", "late"]

    async def test_an_object_is_disposed_when_the_calls_that_came_before_have_started(self, start: Start) -> None:
        log: list[str] = []

        class Other(Depot):
            async def do(self, value: Any) -> Any:
                log.append("started")
                await asyncio.sleep(0)
                log.append("ended")

            def dispose(self) -> None:
                log.append("disposed")

        joined = start(lambda _: Other())
        other = joined.depot.do(None)
        first, second = other.call("do", 1), other.call("echo", 2)
        other.dispose()
        assert await all_of([first, second]) == [None, 2]
        await joined.quiet()
        assert log[0] == "started"
        assert sorted(log) == ["disposed", "ended", "started"]

    @pytest.mark.parametrize("cancelled", [False, True])
    async def test_what_is_to_be_disposed_after_a_call_is_waited_for_and_not_lost(self, cancelled: bool) -> None:
        host = AsyncioHost(asyncio.get_running_loop(), eager=False)
        log: list[str] = []

        async def call() -> None:
            log.append("started")

        host.start(call, (), {})
        host.once_begun(lambda: log.append("disposed"))
        host.when_disposed(lambda: log.append("told"))
        assert host.disposing
        assert log == []
        if cancelled:
            host.cancel_all()
        else:
            await asyncio.sleep(0)  # the first step of the call, and what comes after it
        assert log == [*([] if cancelled else ["started"]), "disposed", "told"]
        assert not host.disposing

    async def test_a_slow_call_does_not_hold_up_the_answers_of_others(self, start: Start) -> None:
        gate = asyncio.Event()

        async def do(name: str) -> str:
            if name == "slow":
                await gate.wait()
            return name

        joined = start(do)
        slow = asyncio.ensure_future(within(joined.depot.do("slow")))
        assert await within(joined.depot.do("quick")) == "quick"
        assert not slow.done()
        gate.set()
        assert await slow == "slow"


class TestContext:
    async def test_what_one_call_sets_no_other_sees(self, start: Start) -> None:
        seen: list[str] = []

        async def do(name: str) -> str:
            seen.append(USER.get())
            USER.set(name)
            await asyncio.sleep(0)
            return USER.get()

        joined = start(do)
        assert await all_of([joined.depot.do(name) for name in ("alice", "bob", "carol")]) == ["alice", "bob", "carol"]
        assert await joined.depot.do("dave") == "dave"
        assert seen == ["nobody"] * 4
        assert USER.get() == "nobody"

    async def test_a_plain_function_leaves_nothing_behind_either(self, start: Start) -> None:
        def do(name: str) -> str:
            before = USER.get()
            USER.set(name)
            return before

        joined = start(do)
        assert await all_of([joined.depot.do(name) for name in ("alice", "bob")]) == ["nobody", "nobody"]
        assert USER.get() == "nobody"

    async def test_it_does_not_see_what_the_caller_in_the_same_program_has_set(self, start: Start) -> None:
        joined = start(lambda _: USER.get())
        token = USER.set("the caller")
        try:
            assert await joined.depot.do(None) == "nobody"
        finally:
            USER.reset(token)

    async def test_a_call_is_its_own_task(self, start: Start) -> None:
        tasks: list[asyncio.Task[Any] | None] = []

        async def do(_: Any) -> bool:
            first = asyncio.current_task()
            tasks.append(first)
            await asyncio.sleep(0)
            return first is asyncio.current_task()

        joined = start(do)
        assert await all_of([joined.depot.do(1), joined.depot.do(2)]) == [True, True]
        assert len({*tasks, asyncio.current_task(), None}) == 4

    async def test_a_timeout_in_a_call_ends_what_it_is_around_and_nothing_else(self, start: Start) -> None:
        async def do(name: str) -> str:
            if name == "other":
                await asyncio.sleep(0)
                return "untouched"
            try:
                async with asyncio.timeout(0):
                    await asyncio.get_running_loop().create_future()
            except TimeoutError:
                await asyncio.sleep(0)
                return "timed out"
            return "?"

        joined = start(do)
        assert await all_of([joined.depot.do(name) for name in ("slow", "other", "slow")]) == [
            "timed out",
            "untouched",
            "timed out",
        ]

    async def test_a_timeout_that_is_not_caught_is_the_calls_error(self, start: Start) -> None:
        async def do(name: str) -> str:
            async with asyncio.timeout(0):
                await asyncio.get_running_loop().create_future()
            return "?"

        joined = start(do)
        with pytest.raises(TimeoutError):
            await within(joined.depot.do("slow"))

    async def test_a_task_group_in_a_call_works_and_its_failure_is_the_calls_error(self, start: Start) -> None:
        ended: list[str] = []

        async def child(fails: bool) -> int:
            try:
                await asyncio.sleep(0)
                if fails:
                    raise KeyError("child")
                await asyncio.get_running_loop().create_future()
            finally:
                ended.append("failed" if fails else "cancelled")
            return 0

        async def do(fails: bool) -> int:
            async with asyncio.TaskGroup() as group:
                if fails:
                    group.create_task(child(False))
                    group.create_task(child(True))
                    return 0
                numbers = [group.create_task(asyncio.sleep(0, number)) for number in range(3)]
            return sum(task.result() for task in numbers)

        joined = start(do)
        assert await within(joined.depot.do(False)) == 3
        with pytest.raises(ExceptionGroup) as caught:
            await within(joined.depot.do(True))
        assert [type(error) for error in caught.value.exceptions] == [KeyError]
        assert sorted(ended) == ["cancelled", "failed"]


class TestCancelling:
    async def test_cancelling_a_wait_cancels_that_wait_only(self, start: Start) -> None:
        gate = asyncio.Event()
        cancelled: list[bool] = []

        async def do(_: Any) -> str:
            try:
                await gate.wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise
            return "done"

        async def wait_for(promise: rpc.AnyPromise) -> Any:
            return await promise

        joined = start(do)
        promise = joined.depot.do(1)
        first, second = asyncio.create_task(wait_for(promise)), asyncio.create_task(wait_for(promise))
        await joined.quiet()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        await joined.quiet()
        assert not second.done()
        assert cancelled == []
        gate.set()
        assert await within(second) == "done"
        assert await promise == "done"

    async def test_a_timeout_around_a_wait_leaves_the_call_running(self, start: Start) -> None:
        gate = asyncio.Event()

        async def do(_: Any) -> str:
            await gate.wait()
            return "done"

        joined = start(do)
        promise = joined.depot.do(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await promise
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(promise, 0)
        gate.set()
        assert await within(promise) == "done"

    async def test_disposing_releases_the_call_and_its_answer_is_ignored(self, start: Start) -> None:
        gate = asyncio.Event()

        async def do(_: Any) -> list[str]:
            await gate.wait()
            return ["done"]

        async def wait_for(promise: rpc.AnyPromise) -> Any:
            return await promise

        joined = start(do)
        promise = joined.depot.do(1)
        waiting = asyncio.create_task(wait_for(promise))
        await joined.quiet()
        promise.dispose()
        with pytest.raises(RpcError, match=r"^RPC was canceled because the RpcPromise was disposed\.$"):
            await waiting
        await joined.quiet()
        assert joined.to_b.sent[-1] == ["release", 1, 1]
        gate.set()
        await joined.quiet()
        assert joined.a.session.reason is None
