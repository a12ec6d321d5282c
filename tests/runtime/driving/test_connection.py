"""How calls are started, and when messages are written."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import threading
import weakref
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.exchange import BURST_BYTES, BURST_MESSAGES, STREAM_BACKLOG
from capnweb_runtime.driving.asyncio_host import HAS_EAGER_TASKS, AsyncioHost
from capnweb_runtime.driving.connection import Connection
from capnweb_runtime.errors import RpcError, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.observe import Observer
from tests.runtime.transports.example_api import Example, ExampleStub

PATHS = [pytest.param(False, id="plain"), *([pytest.param(True, id="eager")] if HAS_EAGER_TASKS else [])]


def outside_tasks(action: Callable[[], Any]) -> Awaitable[Any]:
    """What the action returns, run as a protocol's callback is: in no task."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def run() -> None:
        try:
            done.set_result(action())
        except Exception as error:
            done.set_exception(error)

    loop.call_soon(run)
    return done


async def outcome(started: Any) -> Any:
    """What `start` returned, waited for if it is a cell."""
    if not isinstance(started, Cell):
        return started
    done = asyncio.get_running_loop().create_future()
    started.then(done.set_result, done.set_exception)
    return await done


def host_for(eager: bool, **options: Any) -> AsyncioHost:
    return AsyncioHost(asyncio.get_running_loop(), eager=eager, **options)


class TestStart:
    async def test_a_plain_function_runs_inline_and_outside_of_any_task(self) -> None:
        host = host_for(False)
        assert await outside_tasks(lambda: host.start(asyncio.current_task, (), {})) is None

    async def test_what_a_plain_function_raises_is_raised(self) -> None:
        host = host_for(False)
        with pytest.raises(ValueError, match="invalid literal"):
            host.start(int, ("x",), {})

    async def test_arguments_by_keyword_are_passed(self) -> None:
        assert host_for(False).start(int, ("ff",), {"base": 16}) == 255

    @pytest.mark.parametrize("eager", PATHS)
    async def test_a_coroutine_sees_its_own_task(self, eager: bool) -> None:
        async def method() -> tuple[object, object]:
            first = asyncio.current_task()
            await asyncio.sleep(0)
            return first, asyncio.current_task()

        host = host_for(eager)
        first, second = await outcome(await outside_tasks(lambda: host.start(method, (), {})))
        assert first is second
        assert first not in {None, asyncio.current_task()}

    @pytest.mark.parametrize("eager", PATHS)
    async def test_a_timeout_inside_a_call_ends_that_call_only(self, eager: bool) -> None:
        async def method() -> str:
            try:
                async with asyncio.timeout(0):
                    await asyncio.get_running_loop().create_future()
            except TimeoutError:
                return "timed out"
            return "done"

        host = host_for(eager)
        assert await outcome(await outside_tasks(lambda: host.start(method, (), {}))) == "timed out"

    @pytest.mark.parametrize("eager", PATHS)
    async def test_calls_start_in_the_order_in_which_they_came(self, eager: bool) -> None:
        log: list[str] = []
        gate = asyncio.Event()

        async def slow(name: str) -> None:
            log.append(name)
            await gate.wait()

        def quick(name: str) -> None:
            log.append(name)

        def wrapped(name: str) -> Awaitable[None]:
            log.append(name)
            return slow(name + "'")

        host = host_for(eager)
        calls: list[tuple[Callable[[str], Any], str]] = [
            (slow, "a"), (quick, "b"), (slow, "c"), (slow, "d"), (wrapped, "e"), (quick, "f"), (slow, "g"),
        ]  # fmt: skip
        started = await outside_tasks(lambda: [host.start(function, (name,), {}) for function, name in calls])
        gate.set()
        await asyncio.gather(*(outcome(one) for one in started))
        assert log == ["a", "b", "c", "d", "e", "e'", "f", "g"]

    async def test_a_call_that_waits_for_its_turn_gets_its_own_result_or_error(self) -> None:
        async def slow() -> int:
            return 1

        def fails() -> None:
            raise ValueError("no")

        host = host_for(False)
        first, second, third = await outside_tasks(
            lambda: [host.start(slow, (), {}), host.start(fails, (), {}), host.start(len, ("abc",), {})]
        )
        assert await outcome(first) == 1
        with pytest.raises(ValueError, match="no"):
            await outcome(second)
        assert await outcome(third) == 3

    async def test_an_eager_call_that_never_waits_is_no_cell(self) -> None:
        async def method() -> int:
            return 7

        host = host_for(HAS_EAGER_TASKS)
        started = await outside_tasks(lambda: host.start(method, (), {}))
        assert started == 7 if HAS_EAGER_TASKS else isinstance(started, Cell)

    @pytest.mark.parametrize("eager", PATHS)
    async def test_what_a_coroutine_raises_is_the_calls_error(self, eager: bool) -> None:
        async def method(wait: bool) -> None:
            if wait:
                await asyncio.sleep(0)
            raise KeyError("gone")

        host = host_for(eager)
        for wait in (False, True):
            with pytest.raises(KeyError, match="gone"):
                await outcome(await outside_tasks(lambda wait=wait: host.start(method, (wait,), {})))  # type: ignore[misc]

    @pytest.mark.parametrize("eager", PATHS)
    async def test_futures_and_other_awaitables_are_waited_for(self, eager: bool) -> None:
        class Custom:
            def __await__(self) -> Generator[Any, Any, str]:
                yield from asyncio.sleep(0).__await__()
                return "custom"

        future = asyncio.get_running_loop().create_future()
        host = host_for(eager)
        first, second = await outside_tasks(lambda: [host.start(lambda: future, (), {}), host.start(Custom, (), {})])
        future.set_result("future")
        assert await outcome(first) == "future"
        assert await outcome(second) == "custom"


class TestContext:
    @pytest.mark.parametrize("eager", PATHS)
    async def test_what_one_call_sets_no_other_sees(self, eager: bool) -> None:
        user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")

        async def log_in() -> str:
            before = user.get()
            user.set("alice")
            await asyncio.sleep(0)
            return before + " " + user.get()

        def log_in_at_once() -> str:
            before = user.get()
            user.set("bob")
            return before

        host = host_for(eager)
        started = await outside_tasks(
            lambda: [host.start(f, (), {}) for f in (log_in_at_once, log_in, log_in, log_in_at_once)]
        )
        assert [await outcome(one) for one in started] == ["nobody", "nobody alice", "nobody alice", "nobody"]
        assert user.get() == "nobody"

    @pytest.mark.parametrize("eager", PATHS)
    async def test_calls_see_the_context_that_the_host_was_given(self, eager: bool) -> None:
        user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")
        context = contextvars.copy_context()
        context.run(user.set, "alice")

        async def method() -> str:
            return user.get()

        host = host_for(eager, context=context)
        assert host.start(user.get, (), {}) == "alice"
        assert await outcome(await outside_tasks(lambda: host.start(method, (), {}))) == "alice"


class TestCancelling:
    @pytest.mark.parametrize("eager", PATHS)
    async def test_a_call_that_cancels_itself_is_an_error_for_its_caller(self, eager: bool) -> None:
        def at_once() -> None:
            raise asyncio.CancelledError

        async def soon() -> None:
            raise asyncio.CancelledError

        async def later() -> None:
            await asyncio.sleep(0)
            raise asyncio.CancelledError

        host = host_for(eager)
        for function in (at_once, soon, later):
            with pytest.raises(RpcError, match="cancelled"):
                await outcome(await outside_tasks(lambda function=function: host.start(function, (), {})))  # type: ignore[misc]

    async def test_cancel_all_ends_calls_in_progress_and_those_that_have_not_started(self) -> None:
        started = asyncio.Event()
        ran: list[str] = []

        async def endless() -> None:
            started.set()
            await asyncio.get_running_loop().create_future()

        host = host_for(False)
        first = host.start(endless, (), {})
        await started.wait()
        second = host.start(endless, (), {})
        third = host.start(ran.append, ("third",), {})
        host.cancel_all()
        for cell in (first, second, third):
            with pytest.raises(RpcError, match="cancelled"):
                await outcome(cell)
        assert ran == []
        assert host.tasks == set()

    async def test_a_cancelled_call_is_no_failure_to_report(self) -> None:
        told: list[BaseException] = []

        class Listening(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                told.append(error)

        connection, wire, target = connected(observer=Listening())
        connection.received([call("wait", "a"), pull(1)])
        await target.gates.come("a").wait()
        connection.host.cancel_all()
        await connection.drained()
        await outside_tasks(lambda: None)
        assert wire.log == [[["reject", 1, ["error", "Error", "The call was cancelled on the side that ran it."]]]]
        assert told == []

    async def test_calls_in_progress_are_kept_alive(self) -> None:
        class Waiter:
            """Held by nothing but the coroutine that waits on it."""

            def __init__(self) -> None:
                self.future = asyncio.get_running_loop().create_future()

        waiters: list[weakref.ref[Waiter]] = []

        async def method() -> str:
            waiter = Waiter()
            waiters.append(weakref.ref(waiter))
            await waiter.future
            return "alive"

        host = host_for(False)
        cell = await outside_tasks(lambda: host.start(method, (), {}))
        await outside_tasks(lambda: None)
        gc.collect()
        waiter = waiters[0]()
        assert waiter is not None
        waiter.future.set_result(None)
        assert await outcome(cell) == "alive"

    @pytest.mark.parametrize("eager", PATHS)
    @pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
    def test_an_exit_is_told_to_the_caller_and_ends_the_loop(self, eager: bool, kind: type[BaseException]) -> None:
        def at_once() -> None:
            raise kind

        async def soon() -> None:
            raise kind

        for function in (at_once, soon):
            assert _errors_of_exit(function, eager, kind) == [f"The called method raised {kind.__name__}."]


def _errors_of_exit(function: Callable[[], Any], eager: bool, kind: type[BaseException]) -> list[str]:
    """What the caller is told of a call that ends a loop of its own."""
    errors: list[str] = []
    loop = asyncio.new_event_loop()
    host = AsyncioHost(loop, eager=eager)

    def run() -> None:
        try:
            started = host.start(function, (), {})
        except RpcError as error:
            errors.append(str(error))
        else:
            started.then(lambda _: None, lambda error: errors.append(str(error)))

    try:
        loop.call_soon(run)
        with pytest.raises(kind):
            loop.run_forever()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
    return errors


class CountingHook(ErrorHook):
    """Counts how often it was disposed, and in which thread."""

    __slots__ = ("threads",)

    def __init__(self) -> None:
        super().__init__(ValueError())
        self.threads: list[threading.Thread] = []

    def dispose(self) -> None:
        self.threads.append(threading.current_thread())


class TestOnceBegun:
    async def test_what_is_done_once_calls_have_begun_is_done_at_once_where_they_have(self) -> None:
        done: list[str] = []
        host_for(False).once_begun(lambda: done.append("done"))
        assert done == ["done"]

    @pytest.mark.parametrize("cancelled", [False, True])
    async def test_it_waits_for_those_whose_task_has_not_started_and_counts_as_a_disposer(
        self, cancelled: bool
    ) -> None:
        log: list[str] = []
        told = asyncio.Event()

        async def method() -> None:
            log.append("called")

        host = host_for(False)
        call = host.start(method, (), {})
        call.then(lambda _: None, lambda _: None)
        host.once_begun(lambda: log.append("done"))
        host.when_disposed(told.set)
        assert (log, host.disposing, told.is_set()) == ([], True, False)
        if cancelled:
            host.cancel_all()
        async with asyncio.timeout(5):
            await told.wait()
        assert log == (["done"] if cancelled else ["called", "done"])
        assert not host.disposing


class TestDiscard:
    async def test_what_another_thread_discards_is_disposed_by_the_loops(self) -> None:
        host = host_for(False)
        hook = CountingHook()
        await asyncio.to_thread(host.discard, hook)
        await outside_tasks(lambda: None)
        assert hook.threads == [threading.current_thread()]

    async def test_discarding_works_again_after_a_turn(self) -> None:
        host = host_for(False)
        hooks = [CountingHook(), CountingHook()]
        for hook in hooks:
            host.discard(hook)
            await outside_tasks(lambda: None)
        assert [len(hook.threads) for hook in hooks] == [1, 1]

    def test_discarding_after_the_loop_was_closed_does_nothing(self) -> None:
        loop = asyncio.new_event_loop()
        host = AsyncioHost(loop)
        loop.close()
        host.discard(CountingHook())

    async def test_failures_are_told_to_the_observer(self) -> None:
        told: list[tuple[str, BaseException]] = []

        class Listening(Observer):
            def target_failed(self, where: str, error: BaseException) -> None:
                told.append((where, error))

        error = ValueError("x")
        host_for(False, observer=Listening()).report("Example.fail", error)
        assert told == [("Example.fail", error)]


class RecordingWire:
    """Keeps what a connection writes, one entry per write."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    def write(self, messages: list[bytes]) -> None:
        self.log.append([json.loads(message) for message in messages])

    def close(self, reason: BaseException) -> None:
        self.log.append(reason)

    def buffered(self) -> int:
        return 5


def call(name: str, *args: Any) -> bytes:
    return json.dumps(["push", ["pipeline", 0, [name], list(args)]]).encode()


def pull(number: int) -> bytes:
    return json.dumps(["pull", number]).encode()


def connected(**options: Any) -> tuple[Connection, RecordingWire, Example]:
    target = Example()
    connection = Connection(target, **options)
    wire = RecordingWire()
    connection.attach(wire)
    return connection, wire, target


class TestConnection:
    async def test_messages_that_arrive_together_are_answered_in_one_write_at_once(self) -> None:
        connection, wire, _ = connected()
        connection.received([call("add", 1, 2), pull(1), call("add", 3, 4), pull(2)])
        assert wire.log == [[["resolve", 1, 3], ["resolve", 2, 7]]]

    async def test_answers_of_one_turn_go_out_in_one_write(self) -> None:
        connection, wire, target = connected()
        connection.received([call("wait", "a"), pull(1), call("wait", "b"), pull(2)])
        await target.gates.come("a").wait()
        await target.gates.come("b").wait()
        target.gates.open("a").set()
        target.gates.open("b").set()
        await connection.drained()
        await outside_tasks(lambda: None)
        assert wire.log == [[["resolve", 1, "a"], ["resolve", 2, "b"]]]

    async def test_a_burst_is_written_while_the_rest_is_still_being_made(self) -> None:
        connection, wire, _ = connected()
        stub = connection.main(ExampleStub)
        promises = [stub.add(number, 1) for number in range(BURST_MESSAGES)]
        assert [len(messages) for messages in wire.log] == [BURST_MESSAGES]
        promises.append(stub.add(0, 1))
        assert len(wire.log) == 1  # what is left goes out at the end of the turn
        await outside_tasks(lambda: None)
        assert [len(messages) for messages in wire.log] == [BURST_MESSAGES, 1]
        connection.abort(SessionClosed("done"), notify=False)

    async def test_a_wake_up_that_failed_does_not_keep_later_messages_back(self) -> None:
        asyncio.get_running_loop().set_debug(True)  # in which it refuses other threads
        connection, wire, _ = connected()
        await outside_tasks(lambda: None)  # the flush of the attaching
        with pytest.raises(RuntimeError, match="Non-thread-safe"):
            await asyncio.to_thread(connection.resume_writing)
        promise = connection.main(ExampleStub).add(1, 2)
        await outside_tasks(lambda: None)
        assert wire.log == [[["push", ["pipeline", 0, ["add"], [1, 2]]]]]
        promise.dispose()
        connection.abort(SessionClosed("done"), notify=False)

    async def test_answers_are_written_in_bursts_too(self) -> None:
        connection, wire, _ = connected()
        calls = 2 * BURST_MESSAGES + 1
        connection.received(
            [message for number in range(1, calls + 1) for message in (call("add", number, 1), pull(number))]
        )
        assert [len(messages) for messages in wire.log] == [BURST_MESSAGES, BURST_MESSAGES, 1]
        assert [answer for messages in wire.log for answer in messages] == [
            ["resolve", number, number + 1] for number in range(1, calls + 1)
        ]

    async def test_a_long_message_is_a_burst(self) -> None:
        connection, wire, _ = connected()
        connection.received([call("echo", "x" * BURST_BYTES), pull(1), call("add", 1, 2), pull(2)])
        assert wire.log == [[["resolve", 1, "x" * BURST_BYTES]], [["resolve", 2, 3]]]

    async def test_no_burst_is_written_where_the_peer_sees_everything_at_once(self) -> None:
        connection, wire, _ = connected()
        connection.session.write_all_at_once()
        stub = connection.main(ExampleStub)
        promises = [stub.add(number, 1) for number in range(10 * BURST_MESSAGES)]
        assert wire.log == []
        await outside_tasks(lambda: None)
        assert [len(messages) for messages in wire.log] == [len(promises)]
        connection.abort(SessionClosed("done"), notify=False)

    async def test_a_burst_waits_while_the_transport_holds_back(self) -> None:
        connection, wire, _ = connected()
        connection.pause_writing()
        stub = connection.main(ExampleStub)
        promises = [stub.add(number, 1) for number in range(BURST_MESSAGES + 1)]
        await outside_tasks(lambda: None)
        assert not wire.log
        connection.resume_writing()
        await outside_tasks(lambda: None)
        assert [len(messages) for messages in wire.log] == [len(promises)]
        connection.abort(SessionClosed("done"), notify=False)

    async def test_messages_wait_while_the_transport_holds_back(self) -> None:
        connection, wire, _ = connected()
        connection.pause_writing()
        connection.received([call("add", 1, 2), pull(1)])
        connection.received([call("add", 3, 4), pull(2)])
        await outside_tasks(lambda: None)
        assert wire.log == []
        assert connection.queued_bytes == len('["resolve",1,3]["resolve",2,7]') + wire.buffered()
        connection.resume_writing()
        await outside_tasks(lambda: None)
        assert wire.log == [[["resolve", 1, 3], ["resolve", 2, 7]]]

    async def test_a_write_longer_than_the_outbox_passes_through_a_transport_that_takes_it(self) -> None:
        connection, wire, _ = connected(limits=Limits(outbox_bytes=1000))
        connection.received([call("echo", "x" * 2000), pull(1)])
        assert wire.log == [[["resolve", 1, "x" * 2000]]]
        assert not connection.closed

    async def test_what_streams_send_that_were_held_back_comes_after_what_held_them_back(self) -> None:
        connection, wire, _ = connected()
        stub = connection.main(ExampleStub)
        promises: list[Any] = [stub.echo("x" * STREAM_BACKLOG)]
        wire.log.clear()
        connection.pause_writing()
        promises += [stub.echo("y" * STREAM_BACKLOG), stub.echo("z")]
        backlog = connection.session.backlog()
        assert backlog is not None
        backlog.then(lambda _: promises.append(stub.echo("s" * BURST_BYTES)), promises.append)
        connection.resume_writing()
        await outside_tasks(lambda: None)
        assert [message[1][3][0][0] for messages in wire.log for message in messages] == ["y", "z", "s"]
        connection.abort(SessionClosed("done"), notify=False)

    async def test_answers_beyond_the_outbox_follow_once_the_transport_takes_messages_again(self) -> None:
        connection, wire, _ = connected(limits=Limits(outbox_bytes=1000))
        connection.pause_writing()
        texts = [letter * 600 for letter in "abcdef"]
        for number, text in enumerate(texts, 1):
            connection.received([call("echo", text), pull(number)])
        assert connection.session.outbox_bytes < 2000
        assert wire.log == []
        connection.resume_writing()
        for _ in range(3):
            await outside_tasks(lambda: None)
        answers = [answer for messages in wire.log for answer in messages]
        assert answers == [["resolve", number, text] for number, text in enumerate(texts, 1)]
        assert connection.is_drained

    async def test_errors_beyond_the_outbox_wait_too(self, caplog: pytest.LogCaptureFixture) -> None:
        connection, wire, _ = connected(limits=Limits(outbox_bytes=1000))
        connection.pause_writing()
        connection.received([call("echo", "x" * 1000), pull(1), call("fail", "no"), pull(2)])
        assert connection.session.waits
        connection.resume_writing()
        for _ in range(2):
            await outside_tasks(lambda: None)
        assert [answer[:2] for messages in wire.log for answer in messages] == [["resolve", 1], ["reject", 2]]

    async def test_what_waits_for_room_is_dropped_with_the_session(self) -> None:
        connection, wire, _ = connected(limits=Limits(outbox_bytes=1000))
        connection.pause_writing()
        connection.received([call("echo", "x" * 1000), pull(1), call("echo", "y"), pull(2)])
        connection.lost(SessionClosed("gone"))
        await outside_tasks(lambda: None)
        assert not connection.session._held_back
        assert wire.log == []

    async def test_the_abort_message_is_written_before_the_transport_closes(self) -> None:
        connection, wire, _ = connected()
        error = RpcError("enough")
        connection.abort(error)
        await outside_tasks(lambda: None)
        assert wire.log == [[["abort", ["error", "Error", "enough"]]], error]

    async def test_an_abort_does_not_wait_for_a_transport_that_holds_back(self) -> None:
        connection, wire, _ = connected()
        connection.pause_writing()
        connection.received([call("add", 1, 2), pull(1)])
        connection.abort(RpcError("enough"))
        await outside_tasks(lambda: None)
        assert wire.log[0] == [["resolve", 1, 3], ["abort", ["error", "Error", "enough"]]]
        assert len(wire.log) == 2

    async def test_a_session_is_closed_once_its_transport_is_gone(self) -> None:
        connection, _, _ = connected()
        called: list[bool] = []
        connection.when_closed(lambda: called.append(True))
        connection.abort(RpcError("enough"))
        await outside_tasks(lambda: None)
        assert not connection.closed
        connection.lost(SessionClosed("gone"))
        await connection.wait_closed()
        await outside_tasks(lambda: None)
        assert connection.closed
        assert str(connection.session.reason) == "enough"
        assert called == [True]

    async def test_losing_the_transport_ends_the_session_without_a_word(self) -> None:
        connection, wire, _ = connected()
        await outside_tasks(lambda: None)
        connection.lost(SessionClosed("gone"))
        await outside_tasks(lambda: None)
        assert str(connection.session.reason) == "gone"
        assert wire.log == []
        connection.lost(SessionClosed("again"))
        await connection.wait_closed()

    async def test_messages_after_the_end_are_ignored(self) -> None:
        connection, wire, _ = connected()
        connection.received([b"{", call("add", 1, 2), pull(1)])
        assert wire.log[0][0][0] == "abort"
        assert wire.log[1] is connection.session.reason
        connection.received([call("add", 1, 2), pull(1)])
        assert len(wire.log) == 2

    async def test_a_call_sees_no_task_and_not_the_readers(self) -> None:
        connection, wire, _ = connected()
        await outside_tasks(lambda: connection.received([call("taskName"), pull(1)]))
        assert wire.log == [[["resolve", 1, "none"]]]

    async def test_drained_waits_for_answers_and_fails_with_the_session(self) -> None:
        connection, _, target = connected()
        await connection.drained()
        assert connection.is_drained
        connection.received([call("wait", "a"), pull(1)])
        assert not connection.is_drained
        await target.gates.come("a").wait()
        waiting = asyncio.ensure_future(connection.drained())
        await outside_tasks(lambda: None)
        connection.abort(RpcError("enough"))
        with pytest.raises(RpcError, match="enough"):
            await waiting
        connection.host.cancel_all()

    async def test_stats_count_what_the_session_holds(self) -> None:
        connection, _, _ = connected()
        connection.received([call("add", 1, 2), pull(1)])
        stats = connection.stats()
        assert (stats.exports, stats.imports, stats.messages_received, stats.messages_sent) == (2, 1, 2, 1)
