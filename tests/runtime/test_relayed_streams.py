"""Streams that pass through sessions in which nobody knows them: what arrives is what was sent, at the pace of the last
reader, and whatever ends one end ends the other. Afterwards no table holds anything.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import (
    Blob,
    Limits,
    ReadableStream,
    Request,
    Response,
    RpcError,
    SessionClosed,
    WritableStream,
)
from capnweb_runtime.core.pipe import ALREADY_READ, NOT_CLOSED, NOT_CONSUMED
from tests.runtime.example import Counter
from tests.runtime.stream_example import Chain, Depot, Joining, Producer, Sink, collected, within

KIB = 1024
CARRIES: list[Any] = ["string", "attached", "json", "json-with-bytes"]


@pytest_asyncio.fixture
async def join() -> AsyncIterator[Joining]:
    joining = Joining()
    yield joining
    await joining.assert_empty()


def large(chunks: int = 1000) -> Producer:
    return Producer(["x" * 64 * KIB] * chunks)


class Paced:
    """Gives a chunk at once, and one more each time that it is told to."""

    def __init__(self) -> None:
        self.more: asyncio.Queue[None] = asyncio.Queue()
        self.ended = asyncio.Event()

    async def run(self) -> AsyncIterator[int]:
        try:
            for number in itertools.count():
                yield number
                await self.more.get()
        finally:
            self.ended.set()


CHUNKS: list[Any] = [1, "two", b"\x00\xff" * 5000, [[3], {"a": None}], 1.5, b""]


class TestWhatArrivesIsWhatWasSent:
    @pytest.mark.parametrize("carry", CARRIES)
    @pytest.mark.parametrize("relays", [1, 3])
    async def test_as_an_argument(self, join: Joining, relays: int, carry: Any) -> None:
        chain = Chain(join, Depot(take=collected), relays, carry)
        assert await within(chain.depot.take(Producer(CHUNKS).run())) == CHUNKS

    @pytest.mark.parametrize("carry", CARRIES)
    @pytest.mark.parametrize("relays", [1, 3])
    async def test_as_a_result(self, join: Joining, relays: int, carry: Any) -> None:
        chain = Chain(join, Depot(give=lambda: Producer(CHUNKS).run()), relays, carry)
        assert await within(collected(chain.depot.give())) == CHUNKS

    @pytest.mark.parametrize("carry", CARRIES)
    async def test_written_by_the_client(self, join: Joining, carry: Any) -> None:
        sink = Sink()
        chain = Chain(join, Depot(open=lambda: sink), 2, carry)
        async with await chain.depot.open() as writable:
            for chunk in CHUNKS:
                await within(writable.write(chunk))
        assert (sink.chunks, sink.ends) == (CHUNKS, ["closed"])

    @pytest.mark.parametrize("carry", CARRIES)
    async def test_written_by_the_server(self, join: Joining, carry: Any) -> None:
        async def fill(writable: WritableStream[Any]) -> None:
            async with writable:
                for chunk in CHUNKS:
                    await writable.write(chunk)

        sink = Sink()
        chain = Chain(join, Depot(fill=fill), 2, carry)
        await within(chain.depot.fill(sink))
        assert (sink.chunks, sink.ends) == (CHUNKS, ["closed"])

    async def test_many_chunks_in_order(self, join: Joining) -> None:
        chunks = [f"{number}:{'x' * (number % 7) * 3000}" for number in range(500)]
        chain = Chain(join, Depot(take=collected, give=lambda: Producer(chunks).run()), 2)
        assert await within(chain.depot.take(Producer(chunks).run())) == chunks
        assert await within(collected(chain.depot.give())) == chunks

    async def test_an_empty_one(self, join: Joining) -> None:
        chain = Chain(join, Depot(take=collected, give=lambda: Producer([]).run()))
        assert await within(chain.depot.take(Producer([]).run())) == []
        assert await within(collected(chain.depot.give())) == []

    async def test_in_lists_and_objects_and_streams(self, join: Joining) -> None:
        async def do(value: Any) -> Any:
            return [await collected(value["a"][0]), await collected(value["b"])]

        chain = Chain(join, Depot(do=do, take=read_all), 2)
        value = {"a": [Producer([1]).run()], "b": Producer([2, 3]).run()}
        assert await within(chain.depot.do(value)) == [[1], [2, 3]]
        inside = Producer([Producer([1, 2]).run(), [Producer([3]).run()]]).run()
        assert await within(chain.depot.take(inside)) == [[1, 2], [[3]]]

    async def test_to_what_has_not_come_yet(self, join: Joining) -> None:
        inner = Depot(take=collected)
        chain = Chain(join, Depot(other=lambda: inner), 2)
        assert await within(chain.depot.other().take(Producer([1, 2]).run())) == [1, 2]

    async def test_to_what_takes_its_time_to_come(self, join: Joining) -> None:
        gate = asyncio.Event()

        async def other() -> Depot:
            await gate.wait()
            return Depot(take=collected)

        chain = Chain(join, Depot(other=other))
        reading = asyncio.ensure_future(chain.depot.other().take(Producer([1, 2]).run()))
        await chain.quiet()
        gate.set()
        assert await within(reading) == [1, 2]

    async def test_a_promised_stream_goes_where_a_stream_is_wanted(self, join: Joining) -> None:
        chain = Chain(join, Depot(give=lambda: Producer([1, 2]).run(), take=collected), 2)
        assert await within(chain.depot.take(chain.depot.give())) == [1, 2]

    async def test_results_of_map(self, join: Joining) -> None:
        chain = Chain(join, Depot(do=lambda n: Producer(range(n)).run(), take=collected), 2)
        numbers = chain.depot.echo([1, 2, 3])
        made: Any = chain.depot.do  # a promise of anything stands for a stream here
        assert await within(numbers.map(lambda n: chain.depot.take(made(n)))) == [[0], [0, 1], [0, 1, 2]]
        streams = await within(numbers.map(chain.depot.do))
        assert [await within(collected(stream)) for stream in streams] == [[0], [0, 1], [0, 1, 2]]

    async def test_part_of_a_result(self, join: Joining) -> None:
        unread = Closable()
        chain = Chain(join, Depot(do=lambda _: {"a": Producer([1]).run(), "b": unread}, take=collected), 2)
        whole = chain.depot.do(None)
        part = chain.depot.echo(whole["a"])
        whole.dispose()
        assert await within(collected(await within(part))) == [1]
        await chain.quiet()
        assert unread.closed == 1

    async def test_bodies_and_blobs(self, join: Joining) -> None:
        async def do(request: Request) -> Any:
            assert isinstance(request.body, ReadableStream)
            return Response(Producer(await collected(request.body)).run(), 201)

        pieces = [b"a" * 70_000, b"b"]
        chain = Chain(join, Depot(do=do), 2)
        response = await within(chain.depot.do(Request("https://example.com/", "PUT", body=Producer(pieces).run())))
        assert response.status == 201
        assert await within(collected(response.body)) == pieces
        blob = Blob(b"abc" * 100_000, "a/b")
        assert await within(chain.depot.echo([blob])) == [blob]
        assert await within(chain.depot.echo(blob)) == blob

    async def test_capabilities_in_chunks_belong_to_the_reader(self, join: Joining) -> None:
        counters = [Counter(4), Counter(5)]

        async def take(stream: ReadableStream[Any]) -> Any:
            total = 0
            async for chunk in stream:
                total += await chunk["counter"].call("increment")
                chunk["counter"].dispose()
            return total

        chain = Chain(join, Depot(take=take), 2)
        assert await within(chain.depot.take(Producer([{"counter": counter} for counter in counters]).run())) == 11
        await chain.quiet()
        assert [counter.disposed for counter in counters] == [1, 1]

    async def test_promises_in_chunks_are_waited_for_in_order(self, join: Joining) -> None:
        gate = asyncio.Event()

        async def late() -> str:
            await gate.wait()
            return "late"

        chain = Chain(join, Depot(take=collected))
        reading = asyncio.ensure_future(chain.depot.take(Producer([late(), "soon"]).run()))
        await chain.quiet()
        gate.set()
        assert await within(reading) == ["late", "soon"]


async def read_all(value: Any) -> Any:
    """A value with what is in its streams in their place."""
    if isinstance(value, AsyncIterable):
        return [await read_all(item) async for item in value]
    return [await read_all(item) for item in value] if isinstance(value, list) else value


def most_on_the_way(relays: int) -> int:
    """Chunks of 64 KiB that may have left before the reader reads: a window of each session, and the chunk that
    crosses. The last window is four chunks; each before it can have doubled once more than the one behind it.
    """
    return sum(4 * 2**session + 1 for session in range(relays + 1))


class TestPace:
    @pytest.mark.parametrize("relays", [1, 2])
    async def test_a_slow_reader_of_an_argument_slows_the_writer(self, join: Joining, relays: int) -> None:
        gate = asyncio.Event()

        async def take(stream: ReadableStream[Any]) -> int:
            await gate.wait()
            return len(await collected(stream))

        chain = Chain(join, Depot(take=take), relays)
        producer = large(100)
        reading = asyncio.ensure_future(chain.depot.take(producer.run()))
        await chain.quiet()
        assert producer.given <= most_on_the_way(relays)
        gate.set()
        assert await within(reading) == 100

    async def test_a_slow_reader_of_a_result_slows_the_writer(self, join: Joining) -> None:
        producer = large(100)
        chain = Chain(join, Depot(give=producer.run), 2)
        stream = await within(chain.depot.give())
        await chain.quiet()
        assert producer.given <= most_on_the_way(2)
        assert len(await within(collected(stream))) == 100

    async def test_a_slow_sink_slows_the_writer(self, join: Joining) -> None:
        gate = asyncio.Event()
        sink = Sink(gate)
        chain = Chain(join, Depot(open=lambda: sink), 2)
        writable = await chain.depot.open()
        written = 0

        async def write() -> None:
            nonlocal written
            for _ in range(100):
                await writable.write("x" * 64 * KIB)
                written += 1
            await writable.close()

        writing = asyncio.ensure_future(write())
        await chain.quiet()
        assert written <= 5
        gate.set()
        await within(writing)
        assert len(sink.chunks) == 100

    async def test_a_writer_that_ignores_acknowledgements_breaks_its_stream_only(self, join: Joining) -> None:
        async def take(stream: ReadableStream[Any]) -> int:
            return len(await collected(stream))

        chain = Chain(join, Depot(take=take), limits=Limits(stream_bytes=10_000))
        with pytest.raises(RpcError, match="more than 10000 bytes of a stream wait to be read"):
            await within(chain.depot.take(large(30).run()))
        assert await chain.depot.echo(1) == 1


class TestEnds:
    @pytest.mark.parametrize("relays", [1, 3])
    async def test_an_error_of_the_source_reaches_the_reader(self, join: Joining, relays: int) -> None:
        chain = Chain(join, Depot(take=collected, give=lambda: Producer([], ValueError("dry")).run()), relays)
        with pytest.raises(ValueError, match="dry"):
            await within(chain.depot.take(Producer([1], ValueError("dry")).run()))
        with pytest.raises(ValueError, match="dry"):
            await within(collected(chain.depot.give()))
        # The sources, and the call that passed the error on: nothing that only crossed a relay has failed.
        assert sorted(where for where, _ in chain.failures()) == ["Depot.take", *["the stream of Producer.run"] * 2]

    @pytest.mark.parametrize("relays", [1, 3])
    async def test_what_a_call_does_not_read_is_cancelled_at_its_source(self, join: Joining, relays: int) -> None:
        chain = Chain(join, Depot(take=lambda stream: "no, thanks", do=lambda value: "no, thanks"), relays)
        ways: list[Callable[[Any], Awaitable[Any]]] = [
            chain.depot.take,
            lambda stream: chain.depot.do({"deep": [stream]}),
            lambda stream: chain.depot.do(Request("https://example.com/", "PUT", body=stream)),
            lambda stream: chain.depot.do(Response(stream)),
        ]
        for way in ways:
            producer = Producer([b"x" * 64 * KIB] * 1000)
            assert await within(way(producer.run())) == "no, thanks"
            await within(producer.ended.wait())
            assert producer.how == "closed"

    @pytest.mark.parametrize("relays", [1, 3])
    async def test_a_reader_that_stops_ends_the_source(self, join: Joining, relays: int) -> None:
        async def take(stream: ReadableStream[Any]) -> Any:
            return len(await anext(stream))

        given, taken = large(), large()
        chain = Chain(join, Depot(take=take, give=given.run), relays)
        assert await within(chain.depot.take(taken.run())) == 64 * KIB
        async for _ in chain.depot.give():
            break
        for producer in (given, taken):
            await within(producer.ended.wait())
            assert producer.how == "closed"

    async def test_the_reason_of_a_cancellation_reaches_the_source(self, join: Joining) -> None:
        chain = Chain(join, Depot(give=large().run))
        stream = await within(chain.depot.give())
        await anext(stream)
        await stream.cancel(RpcError("that will do", "RangeError"))
        await chain.quiet()
        for joined in chain.sessions:
            rejected = [message[2] for message in joined.to_b.sent if message[0] == "reject"]
            assert rejected
            assert all(error == ["error", "RangeError", "that will do"] for error in rejected)

    @pytest.mark.parametrize("relays", [1, 3])
    @pytest.mark.parametrize("way", ["asked for", "arrived"])
    async def test_a_result_disposed_unread_is_cancelled_at_its_source(
        self, join: Joining, relays: int, way: str
    ) -> None:
        producer = large()
        chain = Chain(join, Depot(give=producer.run), relays)
        promise = chain.depot.give()
        waiting = asyncio.ensure_future(waited_for(promise))
        if way == "arrived":
            await within(waiting)
        await chain.quiet()
        promise.dispose()
        await waiting
        await within(producer.ended.wait())
        assert producer.how == "closed"

    @pytest.mark.parametrize("relays", [0, 1, 3])
    async def test_a_result_that_nobody_asks_for_is_closed_at_its_source(self, join: Joining, relays: int) -> None:
        source = Closable()
        chain = Chain(join, Depot(give=lambda: source, do=lambda _: [Response(source)]), relays)
        for call in (chain.depot.give, lambda: chain.depot.do(None)):
            promise: Any = call()
            await chain.quiet()
            assert source.closed == 0
            promise.dispose()
            await chain.quiet()
            assert source.closed == 1
            source.closed = 0

    async def test_a_sink_that_fails_fails_the_writer(self, join: Joining) -> None:
        chain = Chain(join, Depot(open=lambda: Sink(fails_at=1)), 2)
        writable = await chain.depot.open()
        await writable.write("a")
        await writable.write("b")
        with pytest.raises(ValueError, match="the sink is full"):
            await writable.close()

    async def test_a_writer_that_gives_up_aborts_the_sink(self, join: Joining) -> None:
        sinks = [Sink(), Sink()]
        chain = Chain(join, Depot(open=iter(sinks).__next__), 2)
        writable = await chain.depot.open()
        await writable.write("a")
        await writable.abort(ValueError("changed my mind"))
        dropped = await chain.depot.open()
        dropped.dispose()
        for sink in sinks:
            await within(sink.ended.wait())
        assert [sink.ends for sink in sinks] == [["changed my mind"], [NOT_CLOSED]]

    async def test_a_chunk_that_cannot_be_sent_on_breaks_its_stream_only(self, join: Joining) -> None:
        chain = Chain(join, Depot(take=collected), limits=Limits(imports=8))
        inner = [Producer([1]).run() for _ in range(20)]
        with pytest.raises(RpcError, match=r"Limits\.imports"):
            await within(chain.depot.take(Producer([inner]).run()))
        assert await chain.depot.echo(1) == 1


class Closable:
    """A stream that counts how often it has been closed."""

    def __init__(self) -> None:
        self.closed = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise AssertionError("nobody reads it")

    async def aclose(self) -> None:
        self.closed += 1


async def waited_for(promise: Any) -> None:
    """Waits for a result that may be given up."""
    try:
        await promise
    except RpcError as error:
        assert str(error) == "RPC was canceled because the RpcPromise was disposed."  # noqa: PT017  (or no error at all)


class TestLostSessions:
    """A session ends midway: both ends of the stream are told, and the other sessions hold nothing of it."""

    async def cut(self, join: Joining, chain: Chain, at: int) -> None:
        for side in (chain.sessions[at].a, chain.sessions[at].b):
            side.session.abort(RpcError("power cut"), notify=False)
            side.lost(SessionClosed("power cut"))
        join.forget(chain.sessions[at])
        await chain.quiet()

    @pytest.mark.parametrize("at", [0, 1, 2], ids=["the server's", "the one between relays", "the client's"])
    async def test_while_an_argument_is_read(self, join: Joining, at: int) -> None:
        seen: list[BaseException] = []

        async def take(stream: ReadableStream[Any]) -> None:
            try:
                await collected(stream)
            except Exception as error:
                seen.append(error)

        under_way = asyncio.Event()

        def chunks() -> Iterator[str]:
            for number in itertools.count():
                if number == 20:
                    under_way.set()
                yield "x" * 64 * KIB

        producer = Producer(chunks())
        chain = Chain(join, Depot(take=take), 2)
        reading = asyncio.ensure_future(waited_for_in_vain(chain.depot.take(producer.run())))
        await within(under_way.wait())
        await self.cut(join, chain, at)
        await within(reading)
        await within(producer.ended.wait())
        assert "power cut" in str(seen[0])

    @pytest.mark.parametrize("at", [0, 1, 2], ids=["the server's", "the one between relays", "the client's"])
    async def test_while_a_result_is_read(self, join: Joining, at: int) -> None:
        producer = large(100_000)
        chain = Chain(join, Depot(give=producer.run), 2)
        stream = await within(chain.depot.give())
        await within(anext(stream))
        await self.cut(join, chain, at)
        with pytest.raises(Exception, match="power cut"):
            await within(collected(stream))
        await within(producer.ended.wait())

    @pytest.mark.parametrize("at", [0, 1, 2], ids=["the server's", "the one between relays", "the client's"])
    async def test_while_nothing_is_under_way(self, join: Joining, at: int) -> None:
        """The only message about a reader that has gone is the answer to a write: each relay on the way to the source
        learns of it with the next one.
        """
        given, taken = Paced(), Paced()
        chain = Chain(join, Depot(give=given.run, take=collected), 2)
        stream = await within(chain.depot.give())
        assert await within(anext(stream)) == 0
        reading = asyncio.ensure_future(waited_for_in_vain(chain.depot.take(taken.run())))
        await chain.quiet()
        await self.cut(join, chain, at)
        await within(reading)
        with pytest.raises(Exception, match="power cut"):
            await within(anext(stream))
        for _ in range(3):
            given.more.put_nowait(None)
            taken.more.put_nowait(None)
            await chain.quiet()
        for source in (given, taken):
            await within(source.ended.wait())

    async def test_an_unread_stream_that_waits_is_told_at_once(self, join: Joining) -> None:
        """The reader does not read, so that the relay cannot write: the error overtakes what waits."""
        chain = Chain(join, Depot(give=large().run))
        stream = await within(chain.depot.give())
        await chain.quiet()
        await self.cut(join, chain, 0)
        assert not any(hook for hook in chain.sessions[1].b.session._imports if hook != 0)
        with pytest.raises(Exception, match="power cut"):
            await within(collected(stream))


async def waited_for_in_vain(promise: Any) -> None:
    with pytest.raises(Exception, match="power cut"):
        await promise


class TestOneReader:
    async def test_a_stream_that_was_passed_on_can_no_longer_be_read(self, join: Joining) -> None:
        behind = join(Depot(take=collected))
        seen: list[BaseException] = []

        async def take(stream: ReadableStream[Any]) -> Any:
            passed = behind.depot.take(stream)
            for use in (lambda: anext(stream), lambda: behind.depot.take(stream)):
                try:
                    await use()
                except TypeError as error:
                    seen.append(error)
            return await passed

        front = join(Depot(take=take))
        assert await within(front.depot.take(Producer([1, 2]).run())) == [1, 2]
        assert [str(error) for error in seen] == [ALREADY_READ] * 2

    async def test_a_stream_of_which_some_was_read_can_be_passed_on(self, join: Joining) -> None:
        behind = join(Depot(take=collected))

        async def take(stream: ReadableStream[Any]) -> Any:
            return [await anext(stream), *await behind.depot.take(stream)]

        front = join(Depot(take=take))
        assert await within(front.depot.take(Producer([1, 2, 3]).run())) == [1, 2, 3]

    async def test_a_promised_stream_given_to_two_is_read_by_the_first(self, join: Joining) -> None:
        chain = Chain(join, Depot(give=lambda: Producer([1, 2]).run()))
        behind = join(Depot(take=collected))
        promise = chain.depot.give()
        first, second = behind.depot.take(promise), behind.depot.take(promise)
        assert await within(first) == [1, 2]
        with pytest.raises(TypeError, match="A stream has one reader"):
            await within(second)
        promise.dispose()

    async def test_a_stream_stays_with_the_caller_of_a_call_that_was_not_sent(self, join: Joining) -> None:
        behind = join(Depot(do=collected))

        async def take(stream: ReadableStream[Any]) -> Any:
            with pytest.raises(TypeError, match="Cannot serialize"):
                await behind.depot.do([stream, object()])
            return await collected(stream)

        front = join(Depot(take=take))
        assert await within(front.depot.take(Producer([1, 2]).run())) == [1, 2]

    async def test_a_stream_that_is_returned_unread_belongs_to_the_caller(self, join: Joining) -> None:
        producer = large()
        chain = Chain(join, Depot(do=lambda value: value), 1)
        promise = chain.depot.do([producer.run()])
        await within(promise)
        await chain.quiet()
        promise.dispose()
        await within(producer.ended.wait())
        assert producer.how == "closed"
        rejected = [message[2] for message in chain.sessions[-1].to_a.sent if message[0] == "reject"]
        assert rejected == [["error", "Error", NOT_CONSUMED]] * len(rejected)


class TestComingHome:
    """An object of the client's that came back over relays: streams to and from it cross no session."""

    async def test_streams_reach_it_and_come_from_it(self, join: Joining) -> None:
        unread = Closable()
        results: list[Any] = [Producer([1, 2]).run(), unread, unread]
        own = Depot(take=collected, give=lambda: results.pop(0), do=lambda value: "no, thanks")
        chain = Chain(join, Depot(do=lambda value: value, give=lambda: Producer([3, 4]).run()), 2)
        home = await within(chain.depot.do(own))
        await chain.quiet()
        for joined in chain.sessions:
            joined.to_b.take()
        assert await within(home.call("take", Producer([1, 2]).run())) == [1, 2]
        assert await within(collected(await home.call("give"))) == [1, 2]
        home.call("give").dispose()
        assert await within(home.call("do", Response(Producer([5]).run()))) == "no, thanks"
        await chain.quiet()
        assert unread.closed == 1
        assert all(joined.to_b.take() == [] for joined in chain.sessions)
        assert await within(home.call("take", chain.depot.give())) == [3, 4]
        home.dispose()

    async def test_a_stream_that_goes_round_arrives(self, join: Joining) -> None:
        async def meet(other: Any) -> Any:
            return await other.take(await other.give())

        own = Depot(take=collected, give=lambda: Producer([1, 2]).run())
        chain = Chain(join, Depot(meet=meet), 2)
        assert await within(chain.depot.meet(own)) == [1, 2]
