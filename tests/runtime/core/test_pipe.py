"""The receiving end of a stream, without a session."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.core.pipe import NOT_CONSUMED, UNREAD, Pipe
from capnweb_runtime.errors import LimitExceeded, RpcError

STOP = RpcError("stop")


class Chunk:
    def __init__(self, value: Any) -> None:
        self.value = value
        self.disposed = 0

    def dispose(self) -> None:
        self.disposed += 1


def state(cell: Cell[Any]) -> Any:
    """The value of a cell, the error in it, or the word pending."""
    found: list[Any] = ["pending"]
    cell.then(found.append, found.append)
    value = found[-1]
    return value.value if isinstance(value, Chunk) else value


@pytest.fixture
def pipe() -> Pipe:
    return Pipe(100, HeldBytes(1_000_000))


def test_chunks_come_out_in_the_order_in_which_they_went_in(pipe: Pipe) -> None:
    for value in "abc":
        pipe.write(Chunk(value), 1)
    assert [state(pipe.read()) for _ in range(3)] == ["a", "b", "c"]


def test_a_chunk_is_acknowledged_when_it_is_read_and_not_before(pipe: Pipe) -> None:
    first, second = pipe.write(Chunk("a"), 1), pipe.write(Chunk("b"), 1)
    assert not first.settled
    pipe.read()
    assert (state(first), state(second)) == (None, "pending")


def test_readers_that_wait_are_served_in_order(pipe: Pipe) -> None:
    readers = [pipe.read(), pipe.read()]
    assert state(pipe.write(Chunk("a"), 1)) is None
    assert [state(reader) for reader in readers] == ["a", "pending"]
    pipe.write(Chunk("b"), 1)
    assert state(readers[1]) == "b"


def test_closing_waits_until_everything_has_been_read(pipe: Pipe) -> None:
    pipe.write(Chunk("a"), 1)
    pipe.write(Chunk("b"), 1)
    closed = pipe.close()
    assert state(pipe.read()) == "a"
    assert not closed.settled
    assert state(pipe.read()) == "b"
    assert state(closed) is None
    assert state(pipe.read()) is None


def test_closing_a_pipe_that_has_been_read_is_done_at_once_and_ends_those_who_wait(pipe: Pipe) -> None:
    reader = pipe.read()
    assert state(pipe.close()) is None
    assert state(reader) is None


@pytest.mark.parametrize("action", [lambda pipe: pipe.write(Chunk("b"), 1), lambda pipe: pipe.close()])
def test_after_the_end_nothing_more_can_be_written(pipe: Pipe, action: Callable[[Pipe], Cell[None]]) -> None:
    pipe.close()
    error = state(action(pipe))
    assert (type(error), error.name, str(error)) == (RpcError, "TypeError", "TypeError: The stream has been closed.")


def test_a_failure_drops_what_waits_and_reaches_writer_and_reader(pipe: Pipe) -> None:
    chunk = Chunk("a")
    written = pipe.write(chunk, 1)
    pipe.fail(STOP)
    assert chunk.disposed == 1
    assert state(written) is STOP
    assert state(pipe.read()) is STOP
    assert state(pipe.write(Chunk("b"), 1)) is STOP
    assert state(pipe.close()) is STOP


def test_a_failure_reaches_a_reader_that_waits(pipe: Pipe) -> None:
    reader = pipe.read()
    pipe.fail(STOP)
    assert state(reader) is STOP


def test_only_the_first_failure_counts(pipe: Pipe) -> None:
    pipe.fail(STOP)
    pipe.fail(RpcError("later"))
    assert state(pipe.read()) is STOP


def test_a_failure_after_the_end_changes_nothing(pipe: Pipe) -> None:
    pipe.write(Chunk("a"), 1)
    pipe.close()
    pipe.fail(STOP)
    assert state(pipe.read()) == "a"
    assert state(pipe.read()) is None


def test_cancelling_drops_what_waits_and_tells_the_writer(pipe: Pipe) -> None:
    chunk = Chunk("a")
    written = pipe.write(chunk, 1)
    pipe.cancel(STOP)
    assert chunk.disposed == 1
    assert state(written) is STOP
    late = Chunk("b")
    assert state(pipe.write(late, 1)) is STOP
    assert late.disposed == 1
    assert state(pipe.close()) is STOP
    assert state(pipe.read()) is None


def test_cancelling_ends_a_reader_that_waits(pipe: Pipe) -> None:
    reader = pipe.read()
    pipe.cancel(STOP)
    assert state(reader) is None


def test_only_the_first_reason_of_a_cancellation_counts(pipe: Pipe) -> None:
    pipe.cancel(STOP)
    pipe.cancel(RpcError("later"))
    assert state(pipe.write(Chunk("a"), 1)) is STOP


def test_cancelling_after_the_close_was_received_still_fails_the_close(pipe: Pipe) -> None:
    pipe.write(Chunk("a"), 1)
    closed = pipe.close()
    pipe.cancel(STOP)
    assert state(closed) is STOP


def test_more_than_the_limit_unread_breaks_the_stream_only(pipe: Pipe) -> None:
    first, over = Chunk("a"), Chunk("b")
    acknowledged = pipe.write(first, 60)
    refused = state(pipe.write(over, 41))
    assert isinstance(refused, LimitExceeded)
    assert "more than 100 bytes of a stream wait to be read" in str(refused)
    assert (first.disposed, over.disposed) == (1, 1)
    assert state(acknowledged) is refused
    assert state(pipe.read()) is refused


def test_only_what_is_unread_counts_towards_the_limit(pipe: Pipe) -> None:
    for _ in range(10):
        pipe.write(Chunk("a"), 100)
        assert state(pipe.read()) == "a"
    reader = pipe.read()
    pipe.write(Chunk("b"), 1000)  # somebody waits for it: it is never in the buffer
    assert state(reader) == "b"


def test_what_waits_behind_a_chunk_with_promises_counts_though_somebody_reads(pipe: Pipe) -> None:
    reader = pipe.read()
    pipe.write(Chunk("a"), 60, Cell())
    refused = state(pipe.write(Chunk("b"), 41))
    assert isinstance(refused, LimitExceeded)
    assert state(reader) is refused


@pytest.mark.parametrize("how", ["read", "cancelled", "failed", "refused"])
def test_what_is_unread_counts_towards_what_the_session_holds_until_it_is_gone(how: str) -> None:
    held = HeldBytes(UNREAD + 150)
    pipes = [Pipe(100, held), Pipe(100, held)]
    waiting: Cell[None] = Cell()
    assert not pipes[0].write(Chunk("a"), 90, waiting).settled
    refused = state(pipes[1].write(Chunk("b"), 61))
    assert isinstance(refused, LimitExceeded)
    assert "bytes are held for the peer" in str(refused)
    assert state(pipes[1].read()) is refused
    assert held.bytes == UNREAD + 90
    if how == "read":
        waiting.resolve(None)
        pipes[0].read()
    elif how == "cancelled":
        pipes[0].cancel(STOP)
    elif how == "failed":
        pipes[0].fail(STOP)
    else:
        waiting.reject(STOP)
    assert held.bytes == 0


@pytest.mark.parametrize("value", [b"\xff" * 1000, "a" * 1000, "\N{CAT}" * 1000], ids=["bytes", "text", "wide text"])
def test_bytes_and_text_that_are_unread_count_for_what_they_take(value: object) -> None:
    held = HeldBytes(100_000)
    Pipe(10_000, held).write(Chunk(value), 5000)
    assert held.bytes == UNREAD + sys.getsizeof(value)


class TestCollecting:
    def test_gives_all_bytes_once_the_stream_has_ended(self, pipe: Pipe) -> None:
        collected = pipe.collect(10)
        chunks = [Chunk(b"abc"), Chunk(bytearray(b"de"))]
        for chunk in chunks:
            pipe.write(chunk, 1)
        assert not collected.settled
        pipe.close()
        assert state(collected) == b"abcde"
        assert [chunk.disposed for chunk in chunks] == [1, 1]
        assert pipe.taken

    def test_gives_nothing_for_an_empty_stream(self, pipe: Pipe) -> None:
        pipe.close()
        assert state(pipe.collect(0)) == b""

    def test_may_begin_when_the_bytes_are_there_already(self, pipe: Pipe) -> None:
        pipe.write(Chunk(b"abc"), 1)
        pipe.close()
        assert state(pipe.collect(3)) == b"abc"

    def test_refuses_more_bytes_than_allowed(self, pipe: Pipe) -> None:
        collected = pipe.collect(4)
        pipe.write(Chunk(b"abc"), 1)
        pipe.write(Chunk(b"de"), 1)
        error = state(collected)
        assert isinstance(error, LimitExceeded)
        assert str(error) == "a blob of more than 4 bytes came in"
        assert state(pipe.write(Chunk(b"f"), 1)) is error

    @pytest.mark.parametrize("value", ["text", 1, None, [b"a"]])
    def test_refuses_what_is_not_bytes(self, pipe: Pipe, value: Any) -> None:
        collected = pipe.collect(4)
        pipe.write(Chunk(value), 1)
        assert isinstance(state(collected), TypeError)

    def test_fails_with_the_stream(self, pipe: Pipe) -> None:
        collected = pipe.collect(4)
        pipe.fail(STOP)
        assert state(collected) is STOP

    def test_of_many_chunks_does_not_exhaust_the_stack(self) -> None:
        many = 50_000
        pipe = Pipe(100, HeldBytes((many + 2) * UNREAD))
        for _ in range(many):
            pipe.write(Chunk(b"a"), 0)
        pipe.close()
        assert state(pipe.collect(many)) == b"a" * many


class TestOwners:
    """Payloads own a stream together, until somebody takes it."""

    def test_the_last_of_them_cancels_what_nobody_has_taken(self, pipe: Pipe) -> None:
        write = pipe.write(Chunk("a"), 1)
        pipe.own()
        pipe.own()
        pipe.disown()
        assert state(write) == "pending"
        pipe.disown()
        assert str(state(write)) == NOT_CONSUMED

    def test_whoever_has_taken_it_answers_for_it(self, pipe: Pipe) -> None:
        write = pipe.write(Chunk("a"), 1)
        pipe.own()
        pipe.taken = True
        pipe.disown()
        assert state(write) == "pending"
        assert state(pipe.read()) == "a"


def test_who_asked_for_it_is_told_of_a_failure_at_once_and_of_nothing_else(pipe: Pipe) -> None:
    told: list[BaseException] = []
    pipe.on_failed = told.append
    pipe.write(Chunk("a"), 1)
    assert state(pipe.read()) == "a"
    pipe.fail(STOP)
    pipe.fail(RpcError("again"))
    pipe.cancel(RpcError("and again"))
    assert told == [STOP]
