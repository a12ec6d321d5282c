"""Streams and blobs, as applications use them and as messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from capnweb_runtime import Blob, RangeError, Request, WritableTarget
from examples.conformance.checks.base import Ground, Wire, aborts, call, check, equal, eventually, fails, failure, true
from examples.conformance.schema.conformance import BlobInfo, ByteCount, SinkState

WINDOW = 256 * 1024


async def stream_of(*chunks: Any) -> AsyncIterator[Any]:
    """A stream of the client's."""
    for chunk in chunks:
        yield chunk


class Collector(WritableTarget[Any]):
    """A writable of the client's."""

    def __init__(self) -> None:
        self.state = SinkState(chunks=[], state="open", reason=None)

    def write(self, chunk: Any) -> None:
        self.state.chunks.append(chunk)

    def close(self) -> None:
        self.state.state = "closed"

    def abort(self, reason: BaseException) -> None:
        self.state.state, self.state.reason = "aborted", str(reason)


def write(pipe: int, chunk: Any) -> list[Any]:
    """The message that writes a chunk."""
    return ["stream", ["pipeline", pipe, ["write"], [chunk]]]


def close(pipe: int) -> list[Any]:
    """The message that ends a stream."""
    return ["stream", ["pipeline", pipe, ["close"], []]]


# ---- readables


@check("a readable is read to its end", 38)
async def countdown(ground: Ground) -> None:
    api = await ground.session()
    equal([chunk async for chunk in api.countdown(4)], [4, 3, 2, 1])
    equal([chunk async for chunk in api.countdown(0)], [])


@check("a readable that fails fails its reader", 42)
async def failing(ground: Ground) -> None:
    api = await ground.session()
    got: list[int] = []

    async def read() -> None:
        async for chunk in api.failing_readable(2):
            got.append(chunk)

    await fails(read(), "Error", "readable failed")
    equal(got, [0, 1][: len(got)])


@check("cancelling a readable tells the server", 42)
async def cancelled(ground: Ground) -> None:
    api = await ground.session()
    equal(await api.cancel_state(), None)
    async with await api.make_cancelable() as stream:
        equal(await anext(stream), 1)
    await eventually(api.cancel_state, lambda got: isinstance(got, str))


@check("a readable of the client is collected", 38)
async def collected(ground: Ground) -> None:
    api = await ground.session()
    chunks = [1, "two", {"three": [3]}, None]
    equal(await api.collect(stream_of(*chunks)), chunks)
    equal(await api.collect(stream_of()), [])


@check("a failing readable of the client rejects the call", 42)
async def failing_source(ground: Ground) -> None:
    async def source() -> AsyncIterator[Any]:
        yield 1
        raise RangeError("source failed")

    api = await ground.session()
    await fails(api.collect(source()), "RangeError", "source failed")
    equal(await api.square(2), 4)


@check("bytes are counted", 38)
async def counted(ground: Ground) -> None:
    api = await ground.session()
    count = await api.collect_bytes(stream_of(*[b"\x03" * 50_000] * 20))
    equal(count, ByteCount(chunks=20, total=1_000_000, sum=3_000_000))


@check("more than a window passes", 40)
async def beyond_window(ground: Ground) -> None:
    api = await ground.session()
    equal((await api.collect_bytes(stream_of(*[bytes(300_000)] * 4))).total, 1_200_000)


@check("a readable passes through the server", 38)
async def passed(ground: Ground) -> None:
    api = await ground.session()
    equal([chunk async for chunk in api.pass_readable(stream_of("a", "b", "c"))], ["a", "b", "c"])


@check("streams have their kinds", 38)
async def kinds(ground: Ground) -> None:
    api = await ground.session()
    equal(await api.arg_kinds(stream_of(), Collector(), Blob(b"")), ["readable", "writable", "blob"])


# ---- writables


@check("a writable takes chunks and is closed", 42)
async def sink(ground: Ground) -> None:
    api = await ground.session()
    equal(await api.sink_state(), SinkState(chunks=[], state="none", reason=None))
    async with await api.make_sink() as writer:
        equal((await api.sink_state()).state, "open")
        await writer.write("a")
        await writer.write({"b": [1]})
    equal(await api.sink_state(), SinkState(chunks=["a", {"b": [1]}], state="closed", reason=None))


@check("a writable is aborted with a reason", 42)
async def aborted(ground: Ground) -> None:
    api = await ground.session()
    writer = await api.make_sink()
    await writer.write(1)
    await writer.abort(ValueError("changed my mind"))
    wanted = SinkState(chunks=[1], state="aborted", reason="changed my mind")
    await eventually(api.sink_state, lambda got: got == wanted)


@check("a writable that is given up without close is aborted", 42)
async def given_up(ground: Ground) -> None:
    api = await ground.session()
    writer = await api.make_sink()
    await writer.write(1)
    writer.dispose()
    await eventually(api.sink_state, lambda got: got.state == "aborted")
    true("without calling close" in str((await api.sink_state()).reason), "the reason is another")


@check("a failed write fails the writable", 42)
async def failing_sink(ground: Ground) -> None:
    api = await ground.session()

    async def write_all() -> None:
        async with await api.make_failing_sink(1) as writer:
            for i in range(1000):
                await writer.write(i)
                await asyncio.sleep(0.001)

    true("sink failed at 1" in str(await failure(write_all())), "it failed in another way")


@check("the server writes to a writable of the client", 42)
async def drained(ground: Ground) -> None:
    api = await ground.session()
    collector = Collector()
    equal(await api.drain_to(collector, [1, 2, "three"]), 3)
    equal(collector.state, SinkState(chunks=[1, 2, "three"], state="closed", reason=None))


@check("the server aborts a writable of the client", 42)
async def aborted_here(ground: Ground) -> None:
    api = await ground.session()
    collector = Collector()
    await api.abort_to(collector, "no more")
    await asyncio.sleep(0)
    equal([collector.state.state, collector.state.reason], ["aborted", "no more"])


@check("a sink of the client that fails rejects the server's call", 42)
async def failing_collector(ground: Ground) -> None:
    class Full(Collector):
        def write(self, chunk: Any) -> None:
            raise RangeError("full")

    api = await ground.session()
    _ = await failure(api.drain_to(Full(), list(range(100))))
    equal(await api.square(2), 4)


# ---- messages


@check("a write and a close are answered by undefined, and need no release", 39)
async def write_answers(ground: Ground) -> None:
    wire = await ground.wire()
    kind, number = (await wire.ask(1, call("makeSink")))[2]
    equal(kind, "writable")
    await wire.send(write(number, "a"), close(number))
    equal([await wire.next(), await wire.next()], [["resolve", 2, ["undefined"]], ["resolve", 3, ["undefined"]]])
    equal((await wire.ask(4, call("sinkState")))[2], {"chunks": [["a"]], "state": "closed", "reason": None})


@check("a failed write is rejected by its id", 39, 42)
async def write_rejected(ground: Ground) -> None:
    wire = await ground.wire()
    _, number = (await wire.ask(1, call("makeFailingSink", 0)))[2]
    await wire.send(write(number, "a"))
    equal(await wire.wait("reject"), ["reject", 2, ["error", "Error", "sink failed at 0"]])


@check("a pipe takes an id of the sender's and feeds a readable", 38)
async def pipe(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(
        ["pipe"], ["push", call("collect", ["readable", 1])], ["pull", 2], write(1, "a"), write(1, [[1]]), close(1)
    )
    equal(await wire.answer(2), ["resolve", 2, [["a", [[1]]]]])


@check("what is written before the readable is named is kept", 38)
async def early_writes(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["pipe"], write(1, "a"), write(1, "b"), close(1))
    await wire.send(["push", call("collect", ["readable", 1])], ["pull", 5])
    equal(await wire.answer(5), ["resolve", 5, [["a", "b"]]])


@check("a pipe that is aborted rejects its reader", 42)
async def aborted_pipe(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["pipe"], ["push", call("collect", ["readable", 1])], ["pull", 2], write(1, "a"))
    await wire.send(["stream", ["pipeline", 1, ["abort"], [["error", "RangeError", "broken off"]]]])
    equal(await wire.answer(2), ["reject", 2, ["error", "RangeError", "broken off"]])


aborts(
    "a readable is used once", 38,
    frames=[["pipe"], ["push", call("argCount", ["readable", 1])], ["push", call("argCount", ["readable", 1])]],
    kind="Error", parts=("Export 1 is not a pipe or its readable end was already consumed.",),
)  # fmt: skip
aborts(
    "a readable of what is no pipe aborts", 38, frames=[["push", call("argCount", ["readable", 0])]], kind="Error",
    parts=("Export 0 is not a pipe or its readable end was already consumed.",),
)  # fmt: skip


@check("a readable result comes through a pipe that is announced first", 38)
async def readable_result(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("countdown", 1)], ["pull", 1])
    equal(await wire.next(), ["pipe"])
    equal(await wire.wait("resolve"), ["resolve", 1, ["readable", 1]])
    equal(await wire.wait("stream"), write(1, 1))


@check("a stream is released when it has ended", 38)
async def stream_released(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("countdown", 1)], ["pull", 1])
    writes = 1
    while (message := await wire.next())[0] != "release":
        if message[0] == "stream":
            writes += 1
            await wire.send(["resolve", writes, ["undefined"]])
    equal(message, ["release", 1, 1])


@check("a write to an unknown stream method is rejected", 42)
async def unknown_method(ground: Ground) -> None:
    wire = await ground.wire()
    _, number = (await wire.ask(1, call("makeSink")))[2]
    kind, _, _ = await wire.ask(2, ["pipeline", number, ["getWriter"], []])
    equal(kind, "reject")
    await wire.alive(3)


async def writes_until_quiet(wire: Wire) -> list[int]:
    """Sizes of the messages that the server writes while nothing is acknowledged: 60 writes would be a megabyte.

    It is quiet once several other calls have been answered without a write between them.
    """
    await wire.send(["push", call("drainTo", ["writable", -1], [["x" * 16_000] * 60])], ["pull", 1])
    sizes: list[int] = []
    quiet, number = 0, 2
    while quiet < 8:
        before = len(sizes)
        await wire.send(["push", call("square", 3)], ["pull", number])
        while not (text := await wire.text() or "").startswith('["resolve"'):
            true(text.startswith('["stream"'), f"got {text[:80]}")
            sizes.append(len(text))
        quiet, number = quiet + 1 if len(sizes) == before else 0, number + 1
    return sizes


@check("writes stop when 256 KiB are in flight, the message that crosses included", 40)
async def window(ground: Ground) -> None:
    sizes = await writes_until_quiet(await ground.wire())
    true(sum(sizes) >= WINDOW, f"it stopped at {sum(sizes)}")
    true(sum(sizes[:-1]) < WINDOW, f"it went on to {sum(sizes)}")


@check("acknowledgements in one moment open the window again", 40, 41)
async def acknowledged_at_once(ground: Ground) -> None:
    wire = await ground.wire()
    done = len(await writes_until_quiet(wire))
    acknowledged = 0
    while done < 61:  # 60 writes and a close
        await wire.send(*(["resolve", number + 1, ["undefined"]] for number in range(acknowledged, done)))
        acknowledged = done
        _ = await wire.wait("stream")
        done += 1
    await wire.send(*(["resolve", number + 1, ["undefined"]] for number in range(acknowledged, done)))
    equal(await wire.answer(1), ["resolve", 1, 60])


# ---- blobs


@check("a blob is a result, also an empty one", 43)
async def blob(ground: Ground) -> None:
    api = await ground.session()
    equal(await api.make_blob("h\u00e9llo", "text/plain"), Blob("h\u00e9llo".encode(), "text/plain"))
    equal(await api.make_blob("", ""), Blob(b"", ""))


@check("a blob is an argument", 43)
async def blob_argument(ground: Ground) -> None:
    api = await ground.session()
    equal(await api.blob_info(Blob(b"abc", "text/x")), BlobInfo(type="text/x", size=3, text="abc"))
    equal(await api.echo_blob(Blob(bytes(400_000))), Blob(bytes(400_000)))


@check("a blob travels through a pipe, even an empty one", 43)
async def blob_on_the_wire(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["push", call("makeBlob", "", "text/x")], ["pull", 1])
    equal(await wire.next(), ["pipe"])
    equal(await wire.wait("resolve"), ["resolve", 1, ["blob", "text/x", ["readable", 1]]])
    kind, expression = await wire.wait("stream")
    equal([kind, expression], close(1))


@check("a call waits for all of a blob, and may be overtaken", 31, 43)
async def blob_overtaken(ground: Ground) -> None:
    wire = await ground.wire()
    await wire.send(["pipe"], ["push", call("blobInfo", ["blob", "a/b", ["readable", 1]])], ["pull", 2])
    await wire.alive(3)
    await wire.send(write(1, ["bytes", "YWI"]), write(1, ["bytes", "Yw"]), close(1))
    equal(await wire.answer(2), ["resolve", 2, {"type": "a/b", "size": 3, "text": "abc"}])


@check("a request with a body is an argument", 43)
async def request_body(ground: Ground) -> None:
    api = await ground.session()
    equal(await api.kind_of(Request("https://example.com/", "POST", body=b"payload")), "request")
