"""Streams between two sessions: order, backpressure both ways, how they end, and what stands on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import AnyStub, Blob, ReadableStream, RpcError, SessionClosed, WritableStream, connect, serve
from tests.runtime.example import Counter
from tests.runtime.stream_example import Depot, DepotStub, Joining, Producer, Sink, collected, within

KIB = 1024
NOT_CONSUMED = "ReadableStream RPC stub was disposed without being consumed"
NOT_CLOSED = "WritableStream RPC stub was disposed without calling close()"


@pytest_asyncio.fixture
async def join() -> AsyncIterator[Joining]:
    joining = Joining()
    yield joining
    await joining.assert_empty()


async def count_up() -> AsyncIterator[int]:
    for number in range(5):
        yield number


class TestOnTheWire:
    async def test_a_stream_as_an_argument(self, join: Joining) -> None:
        joined = join(Depot(take_ints=collected))
        assert await joined.depot.take_ints(Producer([7, 8]).run()) == [7, 8]
        await joined.quiet()
        assert joined.to_b.sent[:2] == [["pipe"], ["push", ["pipeline", 0, ["takeInts"], [["readable", 1]]]]]
        assert joined.to_b.sent.count(["pull", 2]) == 1
        assert [message for message in joined.to_b.sent if message[0] == "stream"] == [
            ["stream", ["pipeline", 1, ["write"], [7]]],
            ["stream", ["pipeline", 1, ["write"], [8]]],
            ["stream", ["pipeline", 1, ["close"], []]],
        ]
        assert sorted(message for message in joined.to_b.sent if message[0] == "release") == [
            ["release", 1, 1],  # the pipe; writes are released without saying so
            ["release", 2, 1],  # the call
        ]
        assert joined.to_a.sent == [
            ["resolve", 3, ["undefined"]],
            ["resolve", 4, ["undefined"]],
            ["resolve", 5, ["undefined"]],
            ["resolve", 2, [[7, 8]]],
        ]

    async def test_a_stream_as_a_result(self, join: Joining) -> None:
        joined = join(Depot(give_ints=lambda: Producer([7]).run()))
        assert await collected(joined.depot.give_ints()) == [7]
        await joined.quiet()
        assert joined.to_a.sent == [
            ["pipe"],
            ["resolve", 1, ["readable", 1]],
            ["stream", ["pipeline", 1, ["write"], [7]]],
            ["stream", ["pipeline", 1, ["close"], []]],
            ["release", 1, 1],
        ]
        assert joined.to_b.sent == [
            ["push", ["pipeline", 0, ["giveInts"], []]],
            ["pull", 1],
            ["release", 1, 1],
            ["resolve", 2, ["undefined"]],
            ["resolve", 3, ["undefined"]],
        ]

    async def test_a_writable_as_a_result(self, join: Joining) -> None:
        joined = join(Depot(open=lambda: Sink()))
        writable = await joined.depot.open()
        await writable.write("a")
        await writable.close()
        await joined.quiet()
        assert joined.to_a.sent == [
            ["resolve", 1, ["writable", -1]],
            ["resolve", 2, ["undefined"]],
            ["resolve", 3, ["undefined"]],
        ]
        assert joined.to_b.sent == [
            ["push", ["pipeline", 0, ["open"], []]],
            ["pull", 1],
            ["release", 1, 1],
            ["stream", ["pipeline", -1, ["write"], ["a"]]],
            ["stream", ["pipeline", -1, ["close"], []]],
            ["release", -1, 1],
        ]

    async def test_a_writable_as_an_argument(self, join: Joining) -> None:
        async def fill(writable: WritableStream[Any]) -> None:
            await writable.write("a")
            await writable.abort(RpcError("enough", "RangeError"))

        joined = join(Depot(fill=fill))
        sink = Sink()
        await joined.depot.fill(sink)
        await within(sink.ended.wait())
        await joined.quiet()
        assert joined.to_b.sent[0] == ["push", ["pipeline", 0, ["fill"], [["writable", -1]]]]
        assert [message for message in joined.to_a.sent if message[0] in ("stream", "release")] == [
            ["stream", ["pipeline", -1, ["write"], ["a"]]],
            ["stream", ["pipeline", -1, ["abort"], [["error", "RangeError", "enough"]]]],
            ["release", -1, 1],
        ]
        assert (sink.chunks, sink.ends) == (["a"], ["enough"])

    async def test_a_call_that_cannot_be_sent_takes_its_stream_back_before_it_began(self, join: Joining) -> None:
        joined = join(Depot())
        producer = Producer(range(3))
        with pytest.raises(TypeError, match="Cannot serialize value"):
            await joined.depot.echo([producer.run(), object()])
        await joined.quiet()
        assert joined.to_b.sent == [["pipe"], ["release", 1, 1]]
        assert producer.given == 0
        assert await joined.depot.echo("still there") == "still there"

    async def test_a_promised_stream_follows_the_call_that_it_is_an_argument_of(self, join: Joining) -> None:
        async def promised() -> AsyncIterator[int]:
            return count_up()

        joined = join(Depot(do=collected))
        assert await joined.depot.do(promised()) == [0, 1, 2, 3, 4]
        assert joined.to_b.sent[0] == ["push", ["pipeline", 0, ["do"], [["promise", -1]]]]
        assert joined.to_b.sent.index(["pipe"]) < joined.to_b.sent.index(["resolve", -1, ["readable", 2]])


class TestReading:
    async def test_chunks_arrive_in_order_and_of_their_type(self, join: Joining) -> None:
        chunks = [1, "two", [3, {"four": 4.5}], None, b"six", True]
        joined = join(Depot(take=collected, give=lambda: Producer(chunks).run()))
        assert await joined.depot.take(Producer(chunks).run()) == chunks
        assert await collected(joined.depot.give()) == chunks
        assert await collected(await joined.depot.give()) == chunks

    async def test_an_object_with_an_iterator_is_a_stream_too(self, join: Joining) -> None:
        class Numbers:
            async def __aiter__(self) -> AsyncIterator[int]:
                for number in range(3):
                    yield number

        joined = join(Depot(take_ints=collected))
        assert await joined.depot.take_ints(Numbers()) == [0, 1, 2]

    async def test_an_empty_stream(self, join: Joining) -> None:
        joined = join(Depot(take=collected, give=lambda: Producer([]).run()))
        assert await joined.depot.take(Producer([]).run()) == []
        assert await collected(joined.depot.give()) == []

    async def test_streams_inside_untyped_values(self, join: Joining) -> None:
        joined = join(Depot())
        came = await joined.depot.echo({"streams": [count_up(), Producer("ab").run()]})
        first, second = came["streams"]
        assert isinstance(first, ReadableStream)
        assert await collected(second) == ["a", "b"]
        assert await collected(first) == [0, 1, 2, 3, 4]

    async def test_capabilities_in_chunks_belong_to_the_reader(self, join: Joining) -> None:
        counters = [Counter(1), Counter(2)]

        async def take(stream: ReadableStream[Any]) -> list[Any]:
            stubs = [chunk["counter"] async for chunk in stream]
            values = [await stub.call("increment") for stub in stubs]
            for stub in stubs:
                assert isinstance(stub, AnyStub)
                stub.dispose()
            return values

        joined = join(Depot(take=take))
        assert await joined.depot.take(Producer([{"counter": counter} for counter in counters]).run()) == [2, 3]
        await joined.assert_empty()
        assert [counter.disposed for counter in counters] == [1, 1]

    async def test_promises_in_chunks_are_waited_for_in_order(self, join: Joining) -> None:
        gate = asyncio.Event()

        async def later() -> str:
            await gate.wait()
            return "first"

        joined = join(Depot(take=collected))
        reading = joined.depot.take(Producer([later(), "second", Blob(b"third"), "fourth"]).run())
        waiting = asyncio.ensure_future(reading)
        await joined.quiet()
        gate.set()
        assert await within(waiting) == ["first", "second", Blob(b"third"), "fourth"]

    async def test_streams_in_chunks(self, join: Joining) -> None:
        async def take(stream: ReadableStream[Any]) -> Any:
            return [await collected(chunk) async for chunk in stream]

        joined = join(Depot(take=take))
        assert await joined.depot.take(Producer([count_up(), Producer("ab").run()]).run()) == [
            [0, 1, 2, 3, 4],
            ["a", "b"],
        ]

    async def test_a_chunk_of_another_type_ends_the_stream_with_a_type_error_at_both_ends(self, join: Joining) -> None:
        joined = join(Depot(take_ints=collected))
        wrong: Any = Producer([1, "two", *range(100_000)]).run()
        with pytest.raises(TypeError, match="chunk"):
            await joined.depot.take_ints(wrong)
        peer: Any = joined.depot
        untyped = AnyStub(peer._hook.dup())
        producer = Producer([1, "two", *["x" * 64 * KIB] * 100])
        with pytest.raises(TypeError, match=r"chunk.*int"):
            await untyped.call("takeInts", producer.run())
        untyped.dispose()
        await within(producer.ended.wait())
        assert producer.given < 20


class TestWriting:
    async def test_promises_in_chunks_are_waited_for_in_order(self, join: Joining) -> None:
        gate = asyncio.Event()

        async def later() -> str:
            await gate.wait()
            return "first"

        sink = Sink()
        joined = join(Depot(open=lambda: sink))
        writable = await joined.depot.open()
        for chunk in (later(), "second", Blob(b"third"), "fourth"):
            await writable.write(chunk)
        closing = asyncio.ensure_future(writable.close())
        await joined.quiet()
        gate.set()
        await within(closing)
        assert (sink.chunks, sink.ends) == (["first", "second", Blob(b"third"), "fourth"], ["closed"])

    async def test_capabilities_in_chunks_are_disposed_when_the_write_is_done(self, join: Joining) -> None:
        class Calling(Sink):
            async def write(self, chunk: Any) -> None:
                self.chunks.append(await chunk.call("increment"))

        sink = Calling()
        joined = join(Depot(open=lambda: sink))
        counters = [Counter(1), Counter(2)]
        async with await joined.depot.open() as writable:
            for counter in counters:
                await writable.write(counter)
        await joined.quiet()
        assert sink.chunks == [2, 3]
        assert [counter.disposed for counter in counters] == [1, 1]

    async def test_chunks_are_checked_on_both_sides(self, join: Joining) -> None:
        joined = join(Depot(open_ints=lambda: Sink()))
        writable: Any = await joined.depot.open_ints()
        with pytest.raises(TypeError, match="argument 'chunk': expected int, got str"):
            await writable.write("one")
        await writable.write(1)
        await writable.close()
        untyped = AnyStub(joined.depot._hook.dup())
        writable = await untyped.call("openInts")
        await writable.write("one")
        with pytest.raises(TypeError, match="argument 'chunk': expected int, got str"):
            await writable.close()
        untyped.dispose()

    async def test_a_sink_is_called_one_method_at_a_time(self, join: Joining) -> None:
        class Slow(Sink):
            busy = False

            async def write(self, chunk: Any) -> None:
                assert not self.busy
                self.busy = True
                await asyncio.sleep(0)
                self.busy = False
                self.chunks.append(chunk)

        sink = Slow()
        joined = join(Depot(open=lambda: sink))
        async with await joined.depot.open() as writable:
            for number in range(10):
                await writable.write(number)
        assert sink.chunks == list(range(10))


class TestEnds:
    async def test_an_error_of_the_source_reaches_the_reader_after_what_it_has_read(self, join: Joining) -> None:
        seen: list[Any] = []

        async def take(stream: ReadableStream[Any]) -> str:
            try:
                async for chunk in stream:
                    seen.append(chunk)
            except ValueError as error:
                return f"{type(error).__name__}: {error}"
            return "no error"

        joined = join(Depot(take=take))
        gate = asyncio.Event()

        async def source() -> AsyncIterator[int]:
            yield 1
            await gate.wait()
            raise ValueError("the disk is gone")

        answer = asyncio.ensure_future(joined.depot.take(source()))
        await joined.quiet()
        gate.set()
        assert await within(answer) == "ValueError: the disk is gone"
        assert seen == [1]
        (where,) = [where for where, _ in joined.seen.failures]
        assert where.startswith("the stream of TestEnds.")
        assert where.endswith(".source")

    async def test_an_error_of_the_sink_reaches_the_writer_and_the_writes_after_it(self, join: Joining) -> None:
        joined = join(Depot(open=lambda: Sink(fails_at=1)))
        writable = await joined.depot.open()
        await writable.write("a")
        await writable.write("b")
        await joined.quiet()
        with pytest.raises(ValueError, match="the sink is full"):
            await writable.write("c")
        with pytest.raises(ValueError, match="the sink is full"):
            await writable.close()
        with pytest.raises(ValueError, match="the sink is full"):
            await writable.write("d")

    async def test_close_fails_if_a_write_that_had_not_been_answered_fails(self, join: Joining) -> None:
        joined = join(Depot(open=lambda: Sink(fails_at=0)))
        writable = await joined.depot.open()
        await writable.write("a")
        with pytest.raises(ValueError, match="the sink is full"):
            await writable.close()

    async def test_close_waits_until_everything_has_been_taken(self, join: Joining) -> None:
        gate = asyncio.Event()
        sink = Sink(gate)
        joined = join(Depot(open=lambda: sink))
        writable = await joined.depot.open()
        await writable.write("a")
        closing = asyncio.ensure_future(writable.close())
        await joined.quiet()
        assert not closing.done()
        gate.set()
        await within(closing)
        assert (sink.chunks, sink.ends) == (["a"], ["closed"])

    async def test_leaving_the_loop_ends_the_producer(self, join: Joining) -> None:
        async def take(stream: ReadableStream[Any]) -> Any:
            async for chunk in stream:
                return chunk
            return "nothing"

        producers = [Producer(["x" * 1000] * 100_000) for _ in range(2)]
        joined = join(Depot(take=take, give=lambda: producers[1].run()))
        assert await joined.depot.take(producers[0].run()) == "x" * 1000
        async for _ in joined.depot.give():
            break
        for producer in producers:
            await within(producer.ended.wait())
            assert producer.how == "closed"
            assert producer.given < 1000

    async def test_cancelling_tells_the_writer_the_reason(self, join: Joining) -> None:
        async def give() -> AsyncIterator[str]:
            while True:
                yield "x" * 64 * KIB

        joined = join(Depot(give=give))
        stream = await joined.depot.give()
        await anext(stream)
        await stream.cancel(RpcError("that will do", "RangeError"))
        await joined.quiet()
        assert await collected(stream) == []
        rejected = [message[2] for message in joined.to_b.sent if message[0] == "reject"]
        assert rejected
        assert all(error == ["error", "RangeError", "that will do"] for error in rejected)

    @pytest.mark.parametrize("way", ["async with", "aclosing"])
    async def test_leaving_a_block_cancels(self, join: Joining, way: str) -> None:
        producer = Producer(["x" * 64 * KIB] * 100)
        joined = join(Depot(give=producer.run))
        stream = await joined.depot.give()
        async with stream if way == "async with" else contextlib.aclosing(stream):
            await anext(stream)
        await within(producer.ended.wait())
        assert producer.how == "closed"

    async def test_dropping_a_stream_cancels(self, join: Joining) -> None:
        producer = Producer(["x" * 64 * KIB] * 100)
        joined = join(Depot(give=producer.run))
        stream = await joined.depot.give()
        await anext(stream)
        del stream
        gc.collect()
        await within(producer.ended.wait())
        assert producer.how == "closed"

    async def test_a_result_nobody_waits_for_any_more_is_cancelled(self, join: Joining) -> None:
        producer = Producer(["x" * 64 * KIB] * 100)
        gate = asyncio.Event()

        async def give() -> Any:
            await gate.wait()
            return producer.run()

        joined = join(Depot(give=give))
        promise = joined.depot.give()
        waiting = asyncio.ensure_future(collected(promise))
        await joined.quiet()
        promise.dispose()
        with pytest.raises(RpcError, match=r"^RPC was canceled because the RpcPromise was disposed\.$"):
            await waiting
        gate.set()
        await joined.quiet()
        assert producer.given <= 5

    async def test_an_argument_not_read_when_the_call_returns_is_cancelled(self, join: Joining) -> None:
        joined = join(Depot(take=lambda stream: "not interested"))
        producer = Producer(["x" * 64 * KIB] * 100)
        assert await joined.depot.take(producer.run()) == "not interested"
        await within(producer.ended.wait())
        assert producer.how == "closed"
        rejected = [message[2] for message in joined.to_a.sent if message[0] == "reject"]
        assert rejected
        assert all(error == ["error", "Error", NOT_CONSUMED] for error in rejected)

    async def test_an_argument_being_read_outlives_the_call(self, join: Joining) -> None:
        tasks: list[asyncio.Task[Any]] = []

        async def take(stream: ReadableStream[Any]) -> str:
            first = await anext(stream)
            tasks.append(asyncio.ensure_future(collected(stream)))
            return str(first)

        joined = join(Depot(take=take))
        assert await joined.depot.take(Producer([1, 2, 3]).run()) == "1"
        assert await within(tasks[0]) == [2, 3]

    async def test_a_writable_disposed_without_close_aborts(self, join: Joining) -> None:
        sinks = [Sink(), Sink(), Sink()]
        joined = join(Depot(open=iter(sinks).__next__, fill=lambda writable: None))
        writable = await joined.depot.open()
        await writable.write("a")
        writable.dispose()
        dropped = await joined.depot.open()
        del dropped
        gc.collect()
        await joined.depot.fill(sinks[2])
        for sink in sinks:
            await within(sink.ended.wait())
            assert sink.ends == [NOT_CLOSED]
        assert sinks[0].chunks == ["a"]

    async def test_a_block_around_a_writable_closes_it_and_an_exception_aborts_it(self, join: Joining) -> None:
        sinks = [Sink(), Sink()]
        joined = join(Depot(open=iter(sinks).__next__))
        async with await joined.depot.open() as writable:
            await writable.write("a")
        with pytest.raises(KeyError):
            async with await joined.depot.open() as writable:
                raise KeyError("oh")
        await joined.quiet()
        assert [sink.ends for sink in sinks] == [["closed"], ["'oh'"]]

    async def test_a_writer_that_was_aborted_writes_no_more(self, join: Joining) -> None:
        sink = Sink()
        joined = join(Depot(open=lambda: sink))
        writable = await joined.depot.open()
        await writable.abort()
        with pytest.raises(RpcError, match="WritableStream was aborted"):
            await writable.write("c")
        with pytest.raises(RpcError, match="WritableStream was aborted"):
            await writable.close()
        await joined.quiet()
        assert sink.ends == ["WritableStream was aborted"]

    async def test_the_end_of_the_session_ends_streams_on_both_sides(self, join: Joining) -> None:
        seen: list[BaseException] = []

        async def take(stream: ReadableStream[Any]) -> None:
            try:
                await collected(stream)
            except Exception as error:
                seen.append(error)
                raise

        producer = Producer(["x" * 64 * KIB] * 10_000_000)
        sink = Sink()
        joined = join(Depot(take=take, open=lambda: sink))
        reading = asyncio.ensure_future(joined.depot.take(producer.run()))
        writable = await joined.depot.open()
        await writable.write("a")
        joined.b.abort(RpcError("power cut"))
        with pytest.raises(SessionClosed, match="power cut"):
            await within(reading)
        await within(producer.ended.wait())
        await within(sink.ended.wait())
        with pytest.raises(SessionClosed, match="power cut"):
            await writable.write("b")
        await joined.quiet()
        assert [str(error) for error in seen] == ["power cut"]
        assert sink.ends == [NOT_CLOSED]
        join.forget(joined)


async def test_streams_over_a_real_websocket() -> None:
    sink = Sink()

    async def take(stream: ReadableStream[Any]) -> int:
        return sum([len(chunk) async for chunk in stream])

    chunks = [bytes([number % 256]) * 100_000 for number in range(40)]
    depot = Depot(take=take, give=lambda: Producer(chunks).run(), open=lambda: sink)
    async with serve(lambda peer: depot, "127.0.0.1", 0) as server, connect(server.url, DepotStub) as stub:
        sizes = stub.take(Producer(chunks).run())
        assert await within(collected(stub.give())) == chunks
        assert await within(sizes) == 4_000_000
        async with await stub.open() as writable:
            for chunk in chunks:
                await writable.write(chunk)
        assert sink.chunks == chunks
        assert await stub.echo(Blob(b"x" * 200_000, "text/plain")) == Blob(b"x" * 200_000, "text/plain")
        producer = Producer(chunks * 1000)
        depot.methods["give"] = producer.run
        async for _ in stub.give():
            break
        await within(producer.ended.wait())
        assert producer.how == "closed"


class TestIdleSources:
    """A source that waits for something is told, too, when nobody reads any more."""

    class Feed:
        """Gives what it has at once, and then waits."""

        def __init__(self, chunks: int) -> None:
            self.chunks = chunks
            self.ended = asyncio.Event()
            self.how: object = "running"

        async def run(self) -> AsyncIterator[str]:
            try:
                for _ in range(self.chunks):
                    yield "x"
                await asyncio.Event().wait()
            except BaseException as error:
                self.how = type(error)
                raise
            finally:
                self.ended.set()

    async def test_that_of_a_reader_that_stops(self, join: Joining) -> None:
        taken, given = self.Feed(2), self.Feed(2)

        async def take(stream: ReadableStream[Any]) -> Any:
            return await anext(stream)

        joined = join(Depot(take=take, give=given.run))
        assert await within(joined.depot.take(taken.run())) == "x"
        async with await joined.depot.give() as stream:
            await joined.quiet()
            await anext(stream)
        for feed in (taken, given):
            await within(feed.ended.wait())
            assert feed.how is asyncio.CancelledError
        await joined.quiet()
        assert joined.seen.failures == []
        assert not joined.a.host.tasks
        assert not joined.b.host.tasks

    async def test_that_of_a_session_that_ends(self, join: Joining) -> None:
        taken, given = self.Feed(1), self.Feed(1)
        joined = join(Depot(take=collected, give=given.run))
        reading = asyncio.ensure_future(joined.depot.take(taken.run()))
        stream = await joined.depot.give()
        assert await within(anext(stream)) == "x"
        await joined.quiet()
        joined.b.abort(RpcError("power cut"))
        with pytest.raises(SessionClosed, match="power cut"):
            await within(reading)
        for feed in (taken, given):
            await within(feed.ended.wait())
            assert feed.how is asyncio.CancelledError
        join.forget(joined)
        await joined.quiet()
        assert not joined.a.host.tasks

    async def test_a_source_that_goes_on_regardless_is_closed(self, join: Joining) -> None:
        closed = asyncio.Event()

        async def stubborn() -> AsyncIterator[str]:
            try:
                yield "x"
                yield "y"
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
                yield "z"
            finally:
                closed.set()

        async def take(stream: ReadableStream[Any]) -> Any:
            return await anext(stream)

        joined = join(Depot(take=take))
        assert await within(joined.depot.take(stubborn())) == "x"
        await within(closed.wait())

    async def test_that_of_a_session_that_has_ended_before_it_began(self, join: Joining) -> None:
        joined = join()
        feed = self.Feed(0)
        reading = joined.depot.take(feed.run())
        joined.a.abort(RpcError("power cut"))
        with pytest.raises(RpcError, match="power cut"):
            await within(reading)
        join.forget(joined)
        await joined.quiet()
        assert not joined.a.host.tasks
