"""A slow reader slows the writer down, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import ReadableStream, SessionClosed, WritableStream
from capnweb_runtime.limits import Limits
from tests.runtime.stream_example import Depot, Joining, Producer, Sink, collected, within

KIB = 1024


@pytest_asyncio.fixture
async def join() -> AsyncIterator[Joining]:
    joining = Joining()
    yield joining
    await joining.assert_empty()


async def count_up() -> AsyncIterator[int]:
    for number in range(5):
        yield number


async def test_a_reader_that_does_not_read_stops_the_writer_at_the_window(join: Joining) -> None:
    streams: list[ReadableStream[Any]] = []
    done = asyncio.Event()

    async def take(stream: ReadableStream[Any]) -> int:
        streams.append(stream)
        await done.wait()
        return len(await collected(stream))

    joined = join(Depot(take=take))
    producer = Producer(["x" * 64 * KIB] * 50)
    reading = asyncio.ensure_future(joined.depot.take(producer.run()))
    await joined.quiet()
    assert producer.given == 4  # 256 KiB
    assert joined.to_b.bytes < 300 * KIB
    await anext(streams[0])
    await joined.quiet()
    assert producer.given == 5  # one was acknowledged, one more was let through
    done.set()
    assert await within(reading) == 49
    assert producer.how == "finished"


async def test_a_sink_that_does_not_take_stops_the_writer_at_the_window(join: Joining) -> None:
    gate = asyncio.Event()
    sink = Sink(gate)
    written = 0
    joined = join(Depot(open=lambda: sink))

    async def write() -> None:
        nonlocal written
        async with await joined.depot.open() as writable:
            for _ in range(20):
                await writable.write("x" * 64 * KIB)
                written += 1

    writing = asyncio.ensure_future(write())
    await joined.quiet()
    assert written == 3  # the write that filled the window has not returned
    gate.set()
    await within(writing)
    assert len(sink.chunks) == 20
    assert sink.ends == ["closed"]


async def test_a_message_larger_than_the_window_is_sent(join: Joining) -> None:
    joined = join(Depot(take=collected))
    assert await within(joined.depot.take(Producer(["x" * 600 * KIB, "y"]).run())) == ["x" * 600 * KIB, "y"]


async def test_a_large_transfer_does_not_delay_small_calls(join: Joining) -> None:
    async def take(stream: ReadableStream[Any]) -> int:
        return len(await collected(stream))

    joined = join(Depot(take=take))
    producer = Producer(["x" * 16 * KIB] * 1000)
    reading = asyncio.ensure_future(joined.depot.take(producer.run()))
    for number in range(5):
        before = joined.to_b.kinds().count("stream")
        assert await joined.depot.echo(number) == number
        # What was on its way, and what was acknowledged meanwhile; not the whole transfer.
        assert joined.to_b.kinds().count("stream") - before < 200
    assert not reading.done()
    assert await within(reading) == 1000


async def test_a_blocked_stream_does_not_hold_up_another_or_a_call(join: Joining) -> None:
    release = asyncio.Event()

    async def take(stream: ReadableStream[Any]) -> int:
        await release.wait()
        return len(await collected(stream))

    joined = join(Depot(take=take, take_ints=collected))
    blocked = asyncio.ensure_future(joined.depot.take(Producer(["x" * 64 * KIB] * 10).run()))
    await joined.quiet()
    assert await joined.depot.take_ints(count_up()) == [0, 1, 2, 3, 4]
    assert await joined.depot.echo(1) == 1
    release.set()
    assert await within(blocked) == 10


async def test_writers_to_one_stream_wait_together(join: Joining) -> None:
    gate = asyncio.Event()
    sink = Sink(gate)
    joined = join(Depot(open=lambda: sink))
    writable = await joined.depot.open()
    writes = [asyncio.ensure_future(writable.write("x" * 64 * KIB)) for _ in range(6)]
    await joined.quiet()
    assert not all(write.done() for write in writes)
    assert sink.chunks == []
    gate.set()
    await within(asyncio.gather(*writes))
    await within(writable.close())
    assert len(sink.chunks) == 6


async def test_a_write_that_is_cancelled_while_it_waits_has_been_sent(join: Joining) -> None:
    gate = asyncio.Event()
    sink = Sink(gate)
    joined = join(Depot(open=lambda: sink))
    writable = await joined.depot.open()
    write = asyncio.ensure_future(writable.write("x" * 300 * KIB))
    await joined.quiet()
    assert not write.done()
    write.cancel()
    gate.set()
    await within(writable.close())
    assert len(sink.chunks) == 1


class TestMoreThanMayWaitToBeSent:
    """Chunks that are written while the transport takes nothing."""

    async def test_writes_at_once_wait_for_room_and_arrive_in_order_before_the_end(self, join: Joining) -> None:
        sink = Sink()
        joined = join(Depot(open=lambda: sink), limits=Limits(outbox_bytes=20 * KIB))
        writable: WritableStream[Any] = await joined.depot.open()
        joined.a.pause_writing()
        texts = [f"{number:02}" * 4 * KIB for number in range(20)]
        writes = [asyncio.ensure_future(writable.write(text)) for text in texts]
        closing = asyncio.ensure_future(writable.close())
        await joined.quiet()
        assert joined.a.session.outbox_bytes < 40 * KIB
        joined.a.resume_writing()
        await within(asyncio.gather(*writes, closing))
        assert sink.chunks == texts
        assert sink.ends == ["closed"]

    async def test_a_write_that_finds_room_does_not_overtake_those_that_wait_for_it(self, join: Joining) -> None:
        sink = Sink()
        joined = join(Depot(open=lambda: sink), limits=Limits(outbox_bytes=20 * KIB))
        writable: WritableStream[Any] = await joined.depot.open()
        joined.a.pause_writing()
        writes = [asyncio.ensure_future(writable.write(letter * 12 * KIB)) for letter in "abcd"]
        await joined.quiet()
        joined.a.resume_writing()
        writes.append(asyncio.ensure_future(writable.write("late")))  # begins before those that waited go on
        await within(asyncio.gather(*writes))
        await within(writable.close())
        assert [chunk[:4] for chunk in sink.chunks] == ["aaaa", "bbbb", "cccc", "dddd", "late"]

    async def test_many_streams_wait_for_room_together(self, join: Joining) -> None:
        joined = join(Depot(take=collected), limits=Limits(outbox_bytes=20 * KIB))
        joined.a.pause_writing()
        may_begin = asyncio.Event()  # once all calls have been made: those that find no room are refused

        async def chunks() -> AsyncIterator[str]:
            await may_begin.wait()
            for _ in range(3):
                yield "x" * 8 * KIB

        readings = [asyncio.ensure_future(joined.depot.take(chunks())) for _ in range(20)]
        may_begin.set()
        await joined.quiet()
        assert joined.a.session.outbox_bytes < 40 * KIB
        joined.a.resume_writing()
        assert await within(asyncio.gather(*readings)) == [["x" * 8 * KIB] * 3] * 20
        assert await joined.depot.echo(1) == 1

    async def test_writes_that_wait_for_room_fail_with_the_session(self, join: Joining) -> None:
        joined = join(Depot(open=lambda: Sink()), limits=Limits(outbox_bytes=20 * KIB))
        writable: WritableStream[Any] = await joined.depot.open()
        joined.a.pause_writing()
        writes = [asyncio.ensure_future(writable.write("x" * 8 * KIB)) for _ in range(5)]
        await joined.quiet()
        for side in (joined.a, joined.b):
            side.lost(SessionClosed("gone"))
        results = await within(asyncio.gather(*writes, return_exceptions=True))
        assert [str(result) for result in results[-2:]] == ["gone", "gone"]
        join.forget(joined)


async def test_a_stream_whose_session_has_ended_meanwhile_is_no_failure_of_its_source(join: Joining) -> None:
    go_on = asyncio.Event()
    ended = asyncio.Event()

    async def count() -> AsyncIterator[int]:
        try:
            yield 1
            await go_on.wait()
            yield 2
        finally:
            ended.set()

    joined = join(Depot(take_ints=collected))
    reading = asyncio.ensure_future(joined.depot.take_ints(count()))
    await joined.quiet()
    for side in (joined.a, joined.b):
        side.lost(SessionClosed("gone"))
    go_on.set()
    await within(ended.wait())
    with pytest.raises(SessionClosed):
        await within(reading)
    await joined.quiet()
    assert [where for where, _ in joined.seen.failures] == ["Depot.takeInts"]  # which was reading
    join.forget(joined)
