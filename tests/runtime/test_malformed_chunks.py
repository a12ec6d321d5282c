"""Whose fault a malformed chunk is: that of the peer that has sent it, which is told, and not that of who reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from capnweb_runtime import AnyStub, ReadableStream
from tests.runtime.stream_example import Depot, Joined, Producer, collected

WRONG = r"chunk: expected int, got str 'two'"


def untyped(joined: Joined) -> AnyStub:
    """A stub of the depot that checks nothing."""
    stub: Any = joined.depot
    return AnyStub(stub._hook.dup())


async def doubled(stream: ReadableStream[int]) -> AsyncIterator[int]:
    async for number in stream:
        yield 2 * number


async def test_a_method_that_reads_one_has_not_failed() -> None:
    joined = Joined(Depot(take_ints=collected))
    with untyped(joined) as stub, pytest.raises(TypeError, match=WRONG):
        await stub.call("takeInts", Producer([1, "two", 3]).run())
    assert joined.seen.failures == []


async def test_a_stream_that_is_made_of_one_has_not_failed() -> None:
    joined = Joined(Depot(take_ints=doubled))
    with untyped(joined) as stub:
        stream = await stub.call("takeInts", Producer([1, "two", 3]).run())
        with pytest.raises(TypeError, match=WRONG):
            await collected(stream)
    assert joined.seen.failures == []


async def test_the_same_error_of_a_method_of_ones_own_is_a_failure() -> None:
    async def fail(stream: ReadableStream[int]) -> None:
        raise TypeError("chunk: expected int, got str 'two'")

    joined = Joined(Depot(take_ints=fail))
    with untyped(joined) as stub, pytest.raises(TypeError, match=WRONG):
        await stub.call("takeInts", Producer([1]).run())
    assert len(joined.seen.failures) == 1


async def test_a_malformed_chunk_of_one_peer_is_a_failure_towards_another() -> None:
    async def keep(stream: ReadableStream[int]) -> None:
        try:
            await collected(stream)
        except TypeError as error:
            caught.append(error)

    async def fail(_: object) -> None:
        raise caught[0]

    caught: list[TypeError] = []
    source, front = Joined(Depot(take_ints=keep)), Joined(Depot(do=fail))
    with untyped(source) as stub:
        await stub.call("takeInts", Producer(["two"]).run())
    with pytest.raises(TypeError, match=WRONG):
        await front.depot.do(None)
    assert (source.seen.failures, [error for _, error in front.seen.failures]) == ([], caught)
