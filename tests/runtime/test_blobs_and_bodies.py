"""Blobs, which arrive whole, and requests and responses, whose bodies arrive as streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import Blob, Headers, LimitExceeded, ReadableStream, Request, Response, RpcError
from capnweb_runtime.limits import Limits
from tests.runtime.stream_example import Depot, Joining, Producer, collected, within

KIB = 1024


@pytest_asyncio.fixture
async def join() -> AsyncIterator[Joining]:
    joining = Joining()
    yield joining
    await joining.assert_empty()


@pytest.mark.parametrize(
    "blob", [Blob(b""), Blob(b"", "text/plain"), Blob(b"abc", "text/plain"), Blob(bytes(range(256)) * 2000)],
    ids=lambda blob: f"{blob.size} bytes",
)  # fmt: skip
async def test_a_blob_arrives_whole_both_ways(join: Joining, blob: Blob) -> None:
    joined = join(Depot())
    assert await within(joined.depot.echo(blob)) == blob
    assert await within(joined.depot.echo({"blobs": [blob, blob]})) == {"blobs": [blob, blob]}


async def test_even_an_empty_blob_goes_through_a_pipe(join: Joining) -> None:
    joined = join(Depot(do=lambda blob: blob.size))
    assert await joined.depot.do(Blob(b"", "text/plain")) == 0
    await joined.quiet()
    assert joined.to_b.sent[:2] == [
        ["pipe"],
        ["push", ["pipeline", 0, ["do"], [["blob", "text/plain", ["readable", 1]]]]],
    ]
    assert [message for message in joined.to_b.sent if message[0] == "stream"] == [
        ["stream", ["pipeline", 1, ["close"], []]]
    ]


async def test_a_large_blob_is_sent_in_pieces_and_minds_the_window(join: Joining) -> None:
    joined = join(Depot(do=lambda blob: blob.size))
    joined.to_a.hold()
    call = joined.depot.do(Blob(b"x" * 2_000_000))
    await joined.quiet()
    assert joined.to_b.bytes < 500 * KIB
    joined.to_a.let_go()
    assert await within(call) == 2_000_000


async def test_a_call_with_a_blob_may_be_overtaken_while_its_bytes_are_on_the_way(join: Joining) -> None:
    log: list[str] = []
    joined = join(Depot(do=lambda value: log.append(value if isinstance(value, str) else "blob")))
    promises = [joined.depot.do(Blob(b"x" * 1_000_000)), joined.depot.do("next")]
    await within(asyncio.gather(*promises))
    assert log == ["next", "blob"]


async def test_a_blob_that_breaks_off_rejects_the_call(join: Joining) -> None:
    joined = join(Depot())
    b = joined.b
    b.received([b'["pipe"]', b'["push",["pipeline",0,["echo"],[["blob","t",["readable",1]]]]]', b'["pull",2]'])
    b.received([b'["stream",["pipeline",1,["write"],[["bytes","YWJj"]]]]', b'["release",1,1]'])
    assert joined.to_a.sent[-1] == [
        "reject", 2, ["error", "Error", "WritableStream RPC stub was disposed without calling close()"]
    ]  # fmt: skip
    join.forget(joined)


async def test_a_blob_of_something_else_than_bytes_rejects_the_call(join: Joining) -> None:
    joined = join(Depot())
    b = joined.b
    b.received([b'["pipe"]', b'["push",["pipeline",0,["echo"],[["blob","t",["readable",1]]]]]', b'["pull",2]'])
    b.received([b'["stream",["pipeline",1,["write"],["text"]]]'])
    assert joined.to_a.sent[0][:2] == ["reject", 2]
    assert "a blob is a stream of bytes" in joined.to_a.sent[0][2][2]
    join.forget(joined)


async def test_one_blob_too_large_ends_its_call_and_its_sender(join: Joining) -> None:
    joined = join(Depot(), limits=Limits(blob_bytes=100_000))
    blob = Blob(b"x" * 10_000_000)
    with pytest.raises(Exception, match="a blob of more than 100000 bytes came in"):
        await within(joined.depot.echo(blob))
    await joined.quiet()
    assert joined.to_b.bytes < 1_000_000
    assert await joined.depot.echo(1) == 1


BODIES: list[Any] = [None, "text", b"bytes", ""]


@pytest.mark.parametrize("body", BODIES, ids=repr)
async def test_requests_and_responses_arrive(join: Joining, body: Any) -> None:
    joined = join(Depot())
    request = Request("https://example.com/", "POST", Headers([("A", "1")]), body)
    response = Response(body, 201, "Created", Headers([("b", "2")]))
    assert await within(joined.depot.echo(request)) == request
    assert await within(joined.depot.echo([response])) == [response]


async def test_a_body_that_is_a_stream_is_read_as_it_comes(join: Joining) -> None:
    gate = asyncio.Event()
    pieces: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        yield b"first"
        await gate.wait()
        yield b"second"

    async def do(request: Request) -> Any:
        assert isinstance(request.body, ReadableStream)
        async for piece in request.body:
            pieces.append(piece)
        return Response(Producer([b"got ", str(len(pieces)).encode()]).run())

    joined = join(Depot(do=do))
    call = asyncio.ensure_future(within(joined.depot.do(Request("https://example.com/", "PUT", body=body()))))
    await joined.quiet()
    assert pieces == [b"first"]
    gate.set()
    response = await call
    assert (response.status, response.headers) == (200, Headers([]))
    assert b"".join(await collected(response.body)) == b"got 2"


async def test_a_body_nobody_reads_is_cancelled_when_the_call_returns(join: Joining) -> None:
    joined = join(Depot(do=lambda request: request.method))
    producer = Producer([b"x" * 64 * KIB] * 100)
    assert await joined.depot.do(Request("https://example.com/", "PUT", body=producer.run())) == "PUT"
    await within(producer.ended.wait())
    assert producer.how == "closed"


async def test_a_response_with_a_stream_is_passed_through(join: Joining) -> None:
    joined = join(Depot(do=lambda response: response))
    response = await within(joined.depot.do(Response(Producer([b"a", b"b"]).run(), 404, "Not Found")))
    assert (response.status, response.status_text) == (404, "Not Found")
    assert await within(collected(response.body)) == [b"a", b"b"]


async def test_a_body_past_the_limit_of_streams_breaks_that_stream_only(join: Joining) -> None:
    gate = asyncio.Event()

    async def do(request: Any) -> Any:
        await gate.wait()
        return b"".join(await collected(request.body))

    joined = join(Depot(do=do), limits=Limits(stream_bytes=10_000))
    call = asyncio.ensure_future(
        within(joined.depot.do(Request("https://example.com/", "PUT", body=Producer([b"x" * 4000] * 10).run())))
    )
    await joined.quiet()
    gate.set()
    with pytest.raises((LimitExceeded, RpcError), match="more than 10000 bytes of a stream wait to be read"):
        await call
    assert await joined.depot.echo(1) == 1
