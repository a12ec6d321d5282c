"""When references are given back, over whole sessions: as the reference documents it, and with what an event loop
adds.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import AnyStub, DisposedError, RpcError, SessionClosed
from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.transports.memory import pair
from tests.runtime.conftest import Join
from tests.runtime.example import Counter, CounterStub, CounterTarget, Desk, DeskStub
from tests.runtime.stream_example import Depot, DepotStub, Joining, within


@pytest_asyncio.fixture
async def joining() -> AsyncIterator[Joining]:
    joining = Joining()
    yield joining
    await joining.assert_empty()


class TestParameters:
    async def test_they_are_disposed_when_an_async_call_has_returned_and_not_before(self, joining: Joining) -> None:
        gate = asyncio.Event()
        counter = Counter(1)

        async def do(stub: AnyStub) -> Any:
            first = await stub.call("increment")
            await gate.wait()
            return [first, await stub.call("increment")]

        joined = joining(Depot(do=do))
        call = joined.depot.do(counter)
        await joined.quiet()
        assert counter.disposed == 0
        assert counter.count == 2
        gate.set()
        assert await within(call) == [2, 3]
        assert counter.disposed == 1

    async def test_the_release_goes_out_before_the_answer(self, joining: Joining) -> None:
        joined = joining(Depot(do=lambda stub: None))
        await joined.depot.do(Counter(1))
        assert joined.to_a.sent == [["release", -1, 1], ["resolve", 1, None]]

    async def test_they_are_disposed_when_the_call_fails(self, joining: Joining) -> None:
        async def do(stub: AnyStub) -> Any:
            await stub.call("increment")
            raise ValueError("no")

        counter = Counter(1)
        joined = joining(Depot(do=do))
        with pytest.raises(ValueError, match="no"):
            await joined.depot.do(counter)
        assert counter.disposed == 1

    async def test_they_are_disposed_when_the_call_does_not_take_them(self, joining: Joining) -> None:
        counter = Counter(1)
        joined = joining(Depot())
        with pytest.raises(TypeError, match="expected"):
            await AnyStub(joined.depot._hook.dup()).call("takeInts", counter)
        await joined.quiet()
        assert counter.disposed == 1

    async def test_using_one_after_the_call_fails_unless_it_was_duplicated(self, joining: Joining) -> None:
        kept: list[AnyStub] = []

        def do(stubs: list[AnyStub]) -> None:
            kept.extend([stubs[0], stubs[1].dup()])

        joined = joining(Depot(do=do))
        counters = [Counter(1), Counter(1)]
        await joined.depot.do(counters)
        assert [counter.disposed for counter in counters] == [1, 0]
        with pytest.raises(DisposedError):
            await kept[0].call("increment")
        assert await kept[1].call("increment") == 2
        kept[1].dispose()
        await joined.quiet()
        assert [counter.disposed for counter in counters] == [1, 1]

    async def test_a_call_in_flight_on_one_completes(self, joining: Joining) -> None:
        calls: list[Any] = []
        counter = Counter(1)
        joined = joining(Depot(do=lambda stub: calls.append(stub.call("increment"))))
        await joined.depot.do(counter)
        assert await within(calls.pop()) == 2


class TestResults:
    async def test_a_result_is_disposed_with_its_stub(self, joining: Joining) -> None:
        counter = Counter(1)
        joined = joining(Depot(do=lambda _: counter))
        stub = await joined.depot.do(None)
        await joined.quiet()
        assert counter.disposed == 0
        stub.dispose()
        stub.dispose()
        gc.collect()
        await joined.quiet()
        assert counter.disposed == 1
        with pytest.raises(DisposedError, match=r"^AnyStub\.increment was called after the stub had been disposed at"):
            await stub.call("increment")

    async def test_a_call_has_begun_when_its_object_is_disposed_that_nobody_holds_any_more(self) -> None:
        log: list[str] = []

        class Made(CounterTarget):
            value = 0

            async def increment(self, n: int = 1) -> int:
                log.append("called")
                return n

            def itself(self) -> CounterTarget:
                return self

            def dispose(self) -> None:
                log.append("disposed")

        class Maker(Desk):
            def counter(self, start: int = 0) -> CounterTarget:
                return Made()

        client, _ = pair(None, Maker())
        promise = client.main(DeskStub).counter()
        result = promise.increment(3)
        promise.dispose()  # on the same turn as the call
        assert await result == 3
        assert log == ["called", "disposed"]

    async def test_disposing_the_promise_disposes_everything_in_the_result(self, joining: Joining) -> None:
        counters = [Counter(number) for number in range(3)]
        joined = joining(Depot(do=lambda _: {"first": counters[0], "rest": counters[1:]}))
        promise = joined.depot.do(None)
        value = await promise
        promise.dispose()
        await joined.quiet()
        assert [counter.disposed for counter in counters] == [1, 1, 1]
        with pytest.raises(DisposedError):
            await value["first"].call("increment")

    async def test_what_was_duplicated_out_of_a_result_outlives_it(self, joining: Joining) -> None:
        counter = Counter(1)
        joined = joining(Depot(do=lambda _: [counter]))
        async with joined.depot.do(None) as promise:
            kept = (await promise)[0].dup()
        assert await kept.call("increment") == 2
        kept.dispose()
        await joined.quiet()
        assert counter.disposed == 1

    async def test_a_result_that_is_only_used_is_disposed_with_its_promise(self, joining: Joining) -> None:
        counter = Counter(1)
        joined = joining(Depot(do=lambda _: counter))
        with joined.depot.do(None) as promise:
            assert await promise.call("increment") == 2
        await joined.quiet()
        assert counter.disposed == 1
        assert joined.to_b.kinds().count("pull") == 1  # of the second call; the first one's result was never sent

    async def test_the_same_object_twice_in_a_result_is_disposed_once_per_reference(self, joining: Joining) -> None:
        counter = Counter(1)
        joined = joining(Depot(do=lambda _: [counter, counter]))
        first, second = await joined.depot.do(None)
        first.dispose()
        await joined.quiet()
        assert await second.call("increment") == 2
        second.dispose()
        gc.collect()
        await joined.quiet()
        assert counter.disposed >= 1

    async def test_a_result_that_comes_after_its_promise_was_disposed_is_given_back(self, joining: Joining) -> None:
        gate = asyncio.Event()
        counter = Counter(1)

        async def do(_: Any) -> Any:
            await gate.wait()
            return counter

        async def wait(promise: rpc.AnyPromise) -> Any:
            return await promise

        joined = joining(Depot(do=do))
        promise = joined.depot.do(None)
        waiting = asyncio.create_task(wait(promise))
        await joined.quiet()
        promise.dispose()
        with pytest.raises(RpcError, match="RPC was canceled"):
            await waiting
        gate.set()
        await joined.quiet()
        assert counter.disposed == 1

    async def test_an_answer_that_crosses_the_release_is_given_back(self, joining: Joining) -> None:
        counter = Counter(1)
        joined = joining(Depot(do=lambda _: counter))
        joined.to_a.hold()
        promise = joined.depot.do(None)
        waiting = asyncio.create_task(asyncio.wait_for(promise, 5))
        await joined.quiet()
        assert joined.to_a.sent == [["resolve", 1, ["export", -1]]]
        promise.dispose()
        with pytest.raises(RpcError, match="RPC was canceled"):
            await waiting
        await joined.quiet()
        joined.to_a.let_go()
        await joined.quiet()
        assert joined.to_b.sent[-2:] == [["release", 1, 1], ["release", -1, 1]]
        assert counter.disposed == 1


class TestDisposers:
    async def test_one_that_fails_is_reported_and_harms_nothing(self, joining: Joining) -> None:
        class Failing(Counter):
            def dispose(self) -> None:
                raise OSError("cannot close")

        joined = joining(Depot(do=lambda _: Failing(1)))
        (await joined.depot.do(None)).dispose()
        gc.collect()
        await joined.quiet()
        assert [(where, str(error)) for where, error in joined.seen.failures] == [("Failing.dispose", "cannot close")]
        assert await joined.depot.echo(1) == 1

    async def test_everything_is_disposed_once_when_the_session_ends(self) -> None:
        counters = [Counter(number) for number in range(4)]
        depot = Depot(do=lambda index: counters[index])
        joining = Joining()
        joined = joining(depot)
        held = [await joined.depot.do(index) for index in range(2)]
        pending = [joined.depot.do(index) for index in (2, 3)]
        await joined.quiet()
        joined.a.abort(RpcError("bye"))
        await joined.quiet()
        assert [counter.disposed for counter in counters] == [1, 1, 1, 1]
        assert depot.disposed == 1
        for stub in held:
            with pytest.raises(RpcError, match="bye"):
                await stub.call("increment")
            stub.dispose()
        del pending

    async def test_the_main_object_is_disposed_when_the_peer_gives_its_stub_up(self) -> None:
        depot = Depot()
        joined = Joining()(depot)
        joined.depot.dispose()
        await within(joined.b.wait_closed())
        assert depot.disposed == 1
        assert "disposing the main stub" in str(joined.a.session.reason)
        with pytest.raises(DisposedError):
            await joined.depot.echo(1)


class TestBroken:
    async def test_callbacks_run_in_order_of_registration_and_once(self) -> None:
        joined = Joining()(Depot(do=lambda _: Counter(1)))
        stub = await joined.depot.do(None)
        calls: list[str] = []
        stub.on_broken(lambda _: calls.append("stub"))
        joined.depot.on_broken(lambda _: calls.append("main"))
        promise = joined.depot.do(None)
        promise.on_broken(lambda _: calls.append("promise"))
        stub.on_broken(lambda _: calls.append("stub again"))
        joined.b.abort(RpcError("power cut"))
        await joined.quiet()
        joined.a.abort(RpcError("again"))
        assert calls == ["stub", "main", "promise", "stub again"]

    async def test_it_moves_on_from_a_promise_to_what_it_resolves_to(self) -> None:
        joined = Joining()(Depot(do=lambda _: Counter(1)))
        reasons: list[str] = []
        promise = joined.depot.do(None)
        promise.on_broken(lambda error: reasons.append(str(error)))
        stub = await promise
        await joined.quiet()
        assert reasons == []
        joined.b.abort(RpcError("power cut"))
        await joined.quiet()
        assert reasons == ["the peer aborted the session: power cut"]
        stub.dispose()

    async def test_what_is_no_capability_never_breaks(self, joining: Joining) -> None:
        joined = joining(Depot())
        promise = joined.depot.echo("a value")
        broken: list[BaseException] = []
        promise.on_broken(broken.append)
        assert await promise == "a value"
        promise.dispose()
        await joined.quiet()
        assert broken == []

    async def test_a_callback_may_use_the_stub_and_gets_the_reason_again(self) -> None:
        joined = Joining()(Depot())
        seen: list[Any] = []
        joined.depot.on_broken(lambda _: seen.append(joined.depot.echo(1)))
        joined.b.abort(RpcError("power cut"))
        await joined.quiet()
        with pytest.raises(SessionClosed, match="power cut"):
            await seen[0]


class TestBlocks:
    async def test_with_and_async_with_dispose_at_the_end_whatever_happens(self, joining: Joining) -> None:
        counters = [Counter(number) for number in range(4)]
        joined = joining(Depot(do=lambda index: counters[index]))
        with await joined.depot.do(0):
            pass
        async with await joined.depot.do(1):
            pass
        with contextlib.suppress(KeyError), joined.depot.do(2) as promise:
            await promise
            raise KeyError
        async with joined.depot.do(3) as promise, await promise:
            pass
        gc.collect()
        await joined.quiet()
        assert [counter.disposed for counter in counters] == [1, 1, 1, 1]

    def test_a_stub_of_an_interface_is_a_block_too(self, join: Join) -> None:
        pair = join(None, desk := Desk())
        with pair.wait(pair.a.main(DeskStub).counter(1)) as counter:
            assert isinstance(counter, CounterStub)
            assert pair.wait(counter.increment(1)) == 2
        gc.collect()
        pair.run()
        assert desk.made[0].disposed == 1


class TestGarbage:
    async def test_a_dropped_stub_is_released_with_a_warning_and_a_dropped_promise_without(
        self, joining: Joining
    ) -> None:
        counters = [Counter(1), Counter(2)]
        joined = joining(Depot(do=lambda index: counters[index]))
        promise = joined.depot.do(0)
        await joined.quiet()
        del promise
        await joined.quiet()
        assert counters[0].disposed == 1
        stub = await joined.depot.do(1)
        await joined.quiet()  # or this very turn of the loop holds the stub as well
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del stub
            gc.collect()
        assert ["AnyStub was dropped without dispose" in str(warning.message) for warning in caught] == [True]
        caught.clear()  # it holds what was dropped
        await joined.quiet()
        assert counters[1].disposed == 1

    async def test_a_stub_dropped_in_another_thread_is_released_by_the_loops(self, joining: Joining) -> None:
        threads: list[threading.Thread] = []

        class Noting(Counter):
            def dispose(self) -> None:
                threads.append(threading.current_thread())

        joined = joining(Depot(do=lambda _: Noting(1)))
        holder = [await joined.depot.do(None)]
        await joined.quiet()  # as above
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            await asyncio.to_thread(holder.clear)
        await joined.quiet()
        assert threads == [threading.current_thread()]

    async def test_stubs_in_a_cycle_are_released(self, joining: Joining) -> None:
        counter = Counter(1)
        joined = joining(Depot(do=lambda _: counter))
        cycle: dict[str, Any] = {"promise": joined.depot.do(None)}
        cycle["itself"] = cycle
        await joined.quiet()
        del cycle
        gc.collect()
        await joined.quiet()
        assert counter.disposed == 1

    async def test_dropping_a_chain_of_promises_leaves_nothing(self, joining: Joining) -> None:
        other = Depot()
        joined = joining(Depot(other=lambda: other))
        assert await joined.depot.other().echo(1) == 1
        await joined.quiet()
        assert other.disposed == 1
        assert isinstance(joined.depot, DepotStub)
        await joined.assert_empty()
