"""Capabilities and streams of one session passed through another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import AnyStub, ReadableStream, RpcError, SessionClosed, WritableStream
from capnweb_runtime.objects.any_stub import unwrap
from tests.runtime.conftest import Join
from tests.runtime.example import Counter, CounterStub, Desk, DeskStub
from tests.runtime.pair import Pair, begin, is_pending, outcome, run_all
from tests.runtime.stream_example import Depot, Joining, Producer, Sink, collected, within

KIB = 1024


@pytest_asyncio.fixture
async def joining() -> AsyncIterator[Joining]:
    joining = Joining()
    yield joining
    await joining.assert_empty()


async def count_up() -> AsyncIterator[int]:
    for number in range(5):
        yield number


class Triangle:
    """`here` talks to `near` and to `far` in a session each; `near` and `far` do not know each other."""

    def __init__(self, join: Join, *, clean: bool = True) -> None:
        self.near_desk, self.far_desk = Desk(), Desk()
        self.near_pair: Pair = join(None, self.near_desk, clean=clean)
        self.far_pair: Pair = join(None, self.far_desk, clean=clean)
        self.near = self.near_pair.a.main(DeskStub)
        self.far = self.far_pair.a.main(DeskStub)

    def run(self) -> None:
        run_all(self.near_pair, self.far_pair)

    def wait(self, promise: Any) -> Any:
        begin(promise)
        self.run()
        return outcome(promise)


class TestStubs:
    """A stub of one session is passed over another one."""

    def test_it_is_called_through(self, join: Join) -> None:
        three = Triangle(join)
        counter = three.wait(three.far.counter(10))
        assert three.wait(three.near.use(counter, 5)) == 15
        assert three.wait(counter.value) == 15
        counter.dispose()
        three.run()
        assert three.far_desk.made[0].disposed == 1

    def test_it_is_exported_anew_and_never_by_the_other_sessions_id(self, join: Join) -> None:
        three = Triangle(join)
        counter = three.wait(three.far.counter(10))
        three.near_pair.a.sent.clear()
        three.wait(three.near.use(counter, 5))
        assert three.near_pair.a.sent[0] == '["push",["pipeline",0,["use"],[["export",-1],5]]]'
        counter.dispose()

    def test_disposing_what_was_passed_disposes_only_once_nobody_holds_it(self, join: Join) -> None:
        three = Triangle(join)
        counter = three.wait(three.far.counter(10))
        three.wait(three.near.keep(counter))
        counter.dispose()
        three.run()
        made = three.far_desk.made[0]
        assert made.disposed == 0
        assert three.near_desk.keeping is not None
        assert three.wait(three.near_desk.keeping.increment(1)) == 11
        three.near_desk.keeping.dispose()
        three.run()
        assert made.disposed == 1

    def test_it_breaks_when_the_session_it_came_from_breaks(self, join: Join) -> None:
        three = Triangle(join, clean=False)
        counter = three.wait(three.far.counter(10))
        three.wait(three.near.keep(counter))
        kept = three.near_desk.keeping
        assert kept is not None
        broken: list[str] = []
        counter.on_broken(lambda error: broken.append(str(error)))
        three.far_pair.b.session.abort(RpcError("power cut"))
        three.run()
        assert broken == ["the peer aborted the session: power cut"]
        with pytest.raises(SessionClosed, match="power cut"):
            three.wait(counter.value)
        failed = kept.increment(1)
        begin(failed)
        three.run()
        with pytest.raises(Exception, match="power cut"):
            outcome(failed)
        assert three.near_pair.a.session.reason is None
        assert three.wait(three.near.add(1, 2)) == 3
        kept.dispose()

    def test_it_breaks_when_the_session_over_which_it_was_passed_breaks(self, join: Join) -> None:
        three = Triangle(join, clean=False)
        counter = three.wait(three.far.counter(10))
        three.wait(three.near.keep(counter))
        kept = three.near_desk.keeping
        assert kept is not None
        broken: list[str] = []
        kept.on_broken(lambda error: broken.append(str(error)))
        three.near_pair.a.session.abort(RpcError("power cut"))
        three.run()
        assert broken == ["the peer aborted the session: power cut"]
        assert three.wait(counter.increment(1)) == 11  # ours goes on
        counter.dispose()
        three.run()
        assert three.far_desk.made[0].disposed == 1

    def test_when_it_comes_back_over_the_other_session_it_is_called_without_a_detour(self, join: Join) -> None:
        three = Triangle(join)
        counter = three.wait(three.far.counter(10))
        back = three.wait(three.near.same(counter))
        three.near_pair.a.sent.clear()
        three.near_pair.b.sent.clear()
        assert three.wait(back.increment(1)) == 11
        assert (three.near_pair.a.sent, three.near_pair.b.sent) == ([], [])
        back.dispose()
        counter.dispose()

    def test_a_function_of_one_peer_is_called_by_another(self, join: Join) -> None:
        three = Triangle(join)
        counter = three.wait(three.far.counter(10))
        assert three.wait(three.near.apply(lambda n: counter.increment(n), 5)) == 15
        counter.dispose()


class TestPromises:
    """A promise of one session is passed over another one."""

    def test_one_that_has_not_arrived_is_resolved_when_it_does(self, join: Join) -> None:
        three = Triangle(join)
        held = three.far.hold("a")
        total = three.near.add(held, 1)
        begin(total)
        three.run()
        assert is_pending(total)
        three.far_desk.held["a"].resolve(41)
        three.run()
        assert outcome(total) == 42

    def test_calls_are_pipelined_through_it(self, join: Join) -> None:
        three = Triangle(join)
        assert three.wait(three.near.use(three.far.counter(1), 2)) == 3
        three.run()
        assert [counter.disposed for counter in three.far_desk.made] == [1]

    def test_one_that_is_rejected_rejects_the_call(self, join: Join) -> None:
        three = Triangle(join)
        with pytest.raises(ValueError, match="no such thing"):
            three.wait(three.near.echo(three.far.fail("no such thing")))

    def test_one_whose_session_breaks_rejects_the_call(self, join: Join) -> None:
        three = Triangle(join, clean=False)
        total = three.near.add(three.far.hold("a"), 1)
        begin(total)
        three.run()
        three.far_pair.b.session.abort(RpcError("power cut"))
        three.run()
        with pytest.raises(Exception, match="power cut"):
            outcome(total)
        assert three.wait(three.near.add(1, 2)) == 3

    def test_results_of_one_peer_are_mapped_with_calls_of_another(self, join: Join) -> None:
        three = Triangle(join)
        assert three.wait(three.near.ints(4).map(lambda n: three.far.add(n, 10))) == [10, 11, 12, 13]

    def test_a_result_with_a_promise_of_another_session_arrives_resolved(self, join: Join) -> None:
        three = Triangle(join)
        three.near_desk.echo = lambda value: {"far": three.far.add(1, 2), "near": value}  # type: ignore[method-assign]  # what a target may return
        assert three.wait(three.near.echo(1)) == {"far": 3, "near": 1}


class TestErrors:
    def test_an_error_passes_through_with_what_it_carries(self, join: Join) -> None:
        three = Triangle(join)

        def fail(message: str) -> None:
            error = RpcError(message, "RangeError", limit=7)
            error.__cause__ = KeyError("k")
            raise error

        calls_far: Any = lambda n: three.far.fail("too far")  # noqa: E731  (typed as anything: it gives no number)
        three.far_desk.fail = fail  # type: ignore[method-assign]  # this test's behaviour
        with pytest.raises(RpcError, match="too far") as caught:
            three.wait(three.near.apply(calls_far, 1))
        assert caught.value.name == "RangeError"
        assert caught.value.props == {"limit": 7}

    def test_an_error_with_a_capability_in_it_passes_through_without_it(self, join: Join) -> None:
        three = Triangle(join)

        def fail(message: str) -> None:
            raise RpcError(message, counter=Counter(1), limit=7)

        calls_far: Any = lambda n: three.far.fail("too far")  # noqa: E731  (typed as anything: it gives no number)
        three.far_desk.fail = fail  # type: ignore[method-assign]  # this test's behaviour
        with pytest.raises(RpcError, match="too far") as caught:
            three.wait(three.near.apply(calls_far, 1))
        assert caught.value.props == {"limit": 7}
        assert three.wait(three.near.add(1, 2)) == 3


class TestComingHome:
    """Our own object that a peer gives back is called directly."""

    @pytest.mark.parametrize("way", ["as the whole result", "inside a value", "kept and asked for later"])
    def test_it_is_called_without_a_message(self, join: Join, way: str) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        counter = Counter(1)
        home: CounterStub | AnyStub
        if way == "as the whole result":
            home = pair.wait(desk.same(counter))
        elif way == "inside a value":
            home = pair.wait(desk.echo({"counter": counter}))["counter"]
        else:
            pair.wait(desk.keep(counter))
            home = pair.wait(desk.kept())
        pair.a.sent.clear()
        promise: Any = home.increment(4) if isinstance(home, CounterStub) else home.call("increment", 4)
        assert pair.wait(promise) == 5
        assert pair.a.sent == []
        assert unwrap(home, Counter) is counter
        assert unwrap(home, Desk) is None
        home.dispose()
        pair.run()
        assert counter.disposed == 1

    def test_a_promise_of_it_can_be_used_before_it_arrives(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        counter = Counter(1)
        assert pair.wait(desk.same(counter).increment(4)) == 5
        pair.run()
        assert counter.disposed == 1

    def test_a_function_of_ours_comes_home(self, join: Join) -> None:
        pair = join(None, Desk())
        home = pair.wait(pair.a.main(DeskStub).echo([lambda value: value + 1]))[0]
        pair.a.sent.clear()
        assert pair.wait(home(41)) == 42
        assert pair.a.sent == []
        home.dispose()

    def test_promises_among_its_arguments_are_resolved_as_they_would_be_elsewhere(self, join: Join) -> None:
        pair = join(None, Desk())
        desk = pair.a.main(DeskStub)
        home = pair.wait(desk.same(Counter(1)))
        assert pair.wait(home.increment(desk.add(1, 2))) == 4
        with pytest.raises(TypeError, match=r"argument 'n': expected int, got str 'x'"):
            pair.wait(home.increment(desk.echo("x")))
        failing: Any = desk.fail("no such thing")  # which gives no number
        with pytest.raises(ValueError, match="no such thing"):
            pair.wait(home.increment(failing))
        home.dispose()

    def test_a_stub_of_the_peers_is_not_ours(self, join: Join) -> None:
        pair = join(None, Desk())
        counter = pair.wait(pair.a.main(DeskStub).counter(1))
        assert unwrap(counter, Counter) is None
        counter.dispose()
        assert unwrap(counter, Counter) is None


class TestPassingOn:
    """A stream of one session is passed on through another."""

    async def test_a_readable_argument_is_passed_to_a_third_party(self, joining: Joining) -> None:
        further = joining(Depot(take=collected))

        async def take(stream: ReadableStream[Any]) -> Any:
            return await further.depot.take(stream)

        joined = joining(Depot(take=take))
        counter = Counter(4)
        [first, *rest] = await joined.depot.take(Producer([counter, 2, 3]).run())
        assert rest == [2, 3]
        assert await first.call("increment") == 5
        first.dispose()

    async def test_it_may_be_passed_on_as_the_method_returns(self, joining: Joining) -> None:
        further = joining(Depot(take=collected))
        promises: list[Any] = []
        joined = joining(Depot(take=lambda stream: promises.append(further.depot.take(stream))))
        await joined.depot.take(count_up())
        assert await within(promises[0]) == [0, 1, 2, 3, 4]

    async def test_a_readable_argument_may_be_returned(self, joining: Joining) -> None:
        joined = joining(Depot(do=lambda value: value))
        assert await within(collected(await joined.depot.do(count_up()))) == [0, 1, 2, 3, 4]

    async def test_a_readable_result_is_passed_to_a_third_party(self, joining: Joining) -> None:
        further = joining(Depot(give=count_up))

        async def give() -> Any:
            return await further.depot.give()

        joined = joining(Depot(give=give))
        assert await within(collected(joined.depot.give())) == [0, 1, 2, 3, 4]

    async def test_a_writable_is_passed_to_a_third_party(self, joining: Joining) -> None:
        async def fill(writable: WritableStream[Any]) -> None:
            async with writable:
                await writable.write("a")
                await writable.write("b")

        further = joining(Depot(fill=fill))

        async def pass_on(writable: WritableStream[Any]) -> Any:
            return await further.depot.fill(writable)

        joined = joining(Depot(fill=pass_on))
        sink = Sink()
        await within(joined.depot.fill(sink))
        await joined.quiet()
        assert (sink.chunks, sink.ends) == (["a", "b"], ["closed"])

    async def test_a_slow_reader_at_the_end_slows_the_writer_at_the_start(self, joining: Joining) -> None:
        gate = asyncio.Event()

        async def read_late(stream: ReadableStream[Any]) -> int:
            await gate.wait()
            return len(await collected(stream))

        further = joining(Depot(take=read_late))

        async def take(stream: ReadableStream[Any]) -> Any:
            return await further.depot.take(stream)

        joined = joining(Depot(take=take))
        producer = Producer(["x" * 64 * KIB] * 40)
        reading = joined.depot.take(producer.run())
        for _ in range(3):
            await joined.quiet()
            await further.quiet()
        assert 8 <= producer.given <= 12  # a window's worth on each of the two ways; the first one may have doubled
        gate.set()
        assert await within(reading) == 40

    async def test_cancelling_at_the_end_ends_the_producer_at_the_start(self, joining: Joining) -> None:
        further = joining(Depot(take=lambda stream: "no, thanks"))

        async def take(stream: ReadableStream[Any]) -> Any:
            return await further.depot.take(stream)

        joined = joining(Depot(take=take))
        producer = Producer(["x" * 64 * KIB] * 1000)
        assert await joined.depot.take(producer.run()) == "no, thanks"
        await within(producer.ended.wait())
        assert producer.how == "closed"

    async def test_a_stream_that_comes_home_is_read_directly(self, joining: Joining) -> None:
        joined = joining(Depot(do=lambda value: value))
        sink = Sink()
        writable = await joined.depot.do(sink)
        await writable.write("a")
        await writable.close()
        assert (sink.chunks, sink.ends) == (["a"], ["closed"])
