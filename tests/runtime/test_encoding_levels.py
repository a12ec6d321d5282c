"""What a transport carries: JSON text, JSON trees, or trees in which bytes stay bytes; nothing else differs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from capnweb_runtime import UNDEFINED, Blob, RpcError
from capnweb_runtime.core.exchange import Encoding
from capnweb_runtime.core.session import Session
from capnweb_runtime.limits import Limits
from tests.runtime.example import Counter
from tests.runtime.pair import SyncHost
from tests.runtime.stream_example import Depot, Joined, Joining, Producer, Sink, collected, within

ENCODINGS: list[Encoding] = ["string", "json", "json-with-bytes"]
TREES: list[Encoding] = ["json", "json-with-bytes"]


@pytest_asyncio.fixture
async def join() -> AsyncIterator[Joining]:
    joining = Joining()
    yield joining
    await joining.assert_empty()


def leaves(tree: Any) -> set[type]:
    """The types in a tree."""
    if isinstance(tree, list):
        return {list}.union(*(leaves(item) for item in tree))
    if isinstance(tree, dict):
        return {dict}.union(*(leaves(item) for item in tree.values()))
    return {type(tree)}


VALUES = [
    None, True, 7, -2.5, "text", "é😀", [], [[1], {"a": [2]}], {"k": None}, b"\x00\xff", bytearray(b"ab"),
    float("inf"), 2**80, datetime(2024, 2, 29, 12, tzinfo=UTC), UNDEFINED, Blob(b"abc", "text/plain"),
]  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_every_value_arrives(join: Joining, encoding: Encoding, value: Any) -> None:
    joined = join(Depot(), encoding=encoding)
    came = await within(joined.depot.echo([value]))
    assert came == [value]
    assert isinstance(came[0], type(value))


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_calls_capabilities_errors_maps_and_streams_work(join: Joining, encoding: Encoding) -> None:
    def fail(_: Any) -> Any:
        raise RpcError("no", "RangeError", data=b"why")

    counter, sink = Counter(1), Sink()
    joined = join(Depot(do=fail, take=collected, give=lambda: Producer([1, b"two"]).run(), open=lambda: sink),
                  encoding=encoding)  # fmt: skip
    stub = await joined.depot.echo(counter)
    assert await stub.call("increment", 4) == 5
    stub.dispose()
    with pytest.raises(RpcError, match="no") as caught:
        await joined.depot.do(None)
    assert (caught.value.name, caught.value.props) == ("RangeError", {"data": b"why"})
    assert await joined.depot.echo([1, 2]).map(lambda n: joined.depot.echo({"n": n})) == [{"n": 1}, {"n": 2}]
    assert await joined.depot.take(Producer([b"one", 2]).run()) == [b"one", 2]
    assert await collected(joined.depot.give()) == [1, b"two"]
    async with await joined.depot.open() as writable:
        await writable.write(b"three")
    assert sink.chunks == [b"three"]
    await joined.assert_empty()
    assert counter.disposed == 1


@pytest.mark.parametrize("encoding", TREES)
async def test_trees_hold_nothing_but_json_and_bytes_only_where_they_may(join: Joining, encoding: Encoding) -> None:
    joined = join(Depot(), encoding=encoding)
    for value in VALUES:
        await within(joined.depot.echo({"value": value}))
    await joined.quiet()
    assert joined.to_b.bytes == joined.to_a.bytes == 0
    allowed = {list, dict, str, int, float, bool, type(None)} | ({bytes} if encoding == "json-with-bytes" else set())
    for message in (*joined.to_b.sent, *joined.to_a.sent):
        assert leaves(message) <= allowed
        if encoding == "json":
            assert json.loads(json.dumps(message, allow_nan=False)) == message


async def test_bytes_stay_as_they_are_only_where_the_transport_carries_them(join: Joining) -> None:
    sent = {}
    for encoding in ENCODINGS:
        joined = join(Depot(), encoding=encoding)
        await joined.depot.echo(b"\x00\xff")
        sent[encoding] = joined.to_b.sent[0][1][3]
    assert sent == {
        "string": [["bytes", "AP8"]],
        "json": [["bytes", "AP8"]],
        "json-with-bytes": [["bytes", b"\x00\xff"]],
    }


@pytest.mark.parametrize("encoding", TREES)
async def test_the_senders_values_may_change_after_the_call(join: Joining, encoding: Encoding) -> None:
    joined = join(Depot(), encoding=encoding)
    value: dict[str, Any] = {"list": [1], "data": bytearray(b"ab")}
    promise = joined.depot.echo(value)
    value["list"].append(2)
    value["data"].clear()
    value["more"] = True
    assert await promise == {"list": [1], "data": bytearray(b"ab")}


def session(encoding: Encoding, limits: Limits) -> tuple[Session, list[BaseException]]:
    closed: list[BaseException] = []
    return (
        Session(None, host=SyncHost(), wake=lambda: None, on_closed=closed.append, limits=limits, encoding=encoding),
        closed,
    )


@pytest.mark.parametrize("encoding", TREES)
@pytest.mark.parametrize("tree", [None, 7, "text", {}, [], [[]], ["push"], ["nonsense", 1], b"bytes", ["pull", b"1"]])
def test_a_tree_that_is_no_message_aborts_with_a_reason(encoding: Encoding, tree: Any) -> None:
    made, closed = session(encoding, Limits())
    made.receive(tree)
    assert len(closed) == 1
    [abort] = made.take_outbox()
    assert abort[0] == "abort"
    assert leaves(abort) <= {list, str}


@pytest.mark.parametrize("encoding", TREES)
def test_the_depth_of_trees_is_bounded(encoding: Encoding) -> None:
    made, closed = session(encoding, Limits())
    tree: Any = 1
    for _ in range(20_000):
        tree = [[tree]]
    made.receive(["push", tree])
    assert "maximum allowed message depth of 256" in str(closed[0])
    while isinstance(tree, list):  # or freeing it would exhaust the stack of some interpreters
        tree = tree[0]


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_stream_is_slowed_down_by_its_reader(join: Joining, encoding: Encoding) -> None:
    gate = asyncio.Event()

    async def take(stream: Any) -> int:
        await gate.wait()
        return len(await collected(stream))

    joined: Joined = join(Depot(take=take), encoding=encoding)
    producer = Producer([b"x" * 64 * 1024] * 50)
    reading = joined.depot.take(producer.run())
    await joined.quiet()
    assert producer.given <= 5
    gate.set()
    assert await within(reading) == 50


def test_bytes_count_towards_what_waits_for_a_peer_that_does_not_read() -> None:
    assert _waiting_behind(1000) == 0
    assert _waiting_behind(60_000) == 1


def _waiting_behind(size: int) -> int:
    """How many answers wait behind one of the size."""
    made, _ = session("json-with-bytes", Limits(outbox_bytes=50_000))
    for number, value in enumerate((["bytes", b"x" * size], 1), 1):
        made.receive(["push", value])
        made.receive(["pull", number])
    return len(made._held_back)
