"""A broken hook fails whatever is asked of it."""

from __future__ import annotations

import pytest

from capnweb_runtime.core.broken import DISPOSED, GIVEN_BACK, DisposedHook, DroppedReader, ErrorHook, ReadableGuard
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.core.hook import Hook, Payload
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.errors import DisposedError, RpcError
from tests.runtime.pair import pulled


class Counted(ErrorHook):
    __slots__ = ("disposed",)

    def __init__(self) -> None:
        super().__init__(ValueError("broken"))
        self.disposed = 0

    def dispose(self) -> None:
        self.disposed += 1


class TestErrorHook:
    def test_whatever_is_asked_of_it_fails_with_its_error(self) -> None:
        error = ValueError("broken")
        hook = ErrorHook(error)
        results: list[Hook] = [
            hook,
            hook.get(("a",)),
            hook.call(("m",), Payload([])),
            hook.map((), [], []),
            hook.dup(),
        ]
        for result in results:
            with pytest.raises(ValueError, match="broken") as caught:
                pulled(result)
            assert caught.value is error

    def test_it_owns_arguments_and_captures_and_disposes_them(self) -> None:
        hook = ErrorHook(ValueError("broken"))
        argument, capture = Counted(), Counted()
        hook.call((), Payload([PlainStub(argument)], None, [argument]))
        hook.map((), [capture], [])
        assert (argument.disposed, capture.disposed) == (1, 1)

    def test_whoever_watches_it_is_called_at_once(self) -> None:
        error = ValueError("broken")
        got: list[BaseException] = []
        ErrorHook(error).on_broken(got.append)
        assert got == [error]

    def test_it_has_no_host(self) -> None:
        with pytest.raises(ValueError, match="broken"):
            _ = ErrorHook(ValueError("broken")).host

    def test_nothing_is_held_for_it(self) -> None:
        assert not ErrorHook(ValueError("broken")).held

    def test_what_stands_for_a_disposed_stub_says_so(self) -> None:
        with pytest.raises(DisposedError, match=r"used after it had been disposed; keep a dup\(\)"):
            pulled(DISPOSED.call(("m",), Payload([])))
        DISPOSED.dispose()


class TestDisposedHook:
    def test_it_says_what_was_used_and_how_it_had_been_disposed(self) -> None:
        keep = "keep a dup() of a stub for what is still to come, and dispose that on its own"
        here = DisposedHook(("program.py", 12))
        assert str(here.error_of("A.b was called", "the stub")) == (
            f"A.b was called after the stub had been disposed at program.py:12; {keep}"
        )
        assert str(GIVEN_BACK.error_of("it was used", "it")) == (
            f"it was used after it had been disposed with the call or the result that it came in; {keep}"
        )
        with pytest.raises(DisposedError, match=r"^A\.b was read after it had been disposed at program\.py:12"):
            pulled(here.failing("A.b was read", "it"))

    def test_it_has_no_duplicate(self) -> None:
        with pytest.raises(DisposedError, match="had been disposed"):
            DISPOSED.dup()


def test_pulling_a_broken_hook_gives_a_rejected_cell() -> None:
    cell = ErrorHook(ValueError("broken")).pull()
    assert isinstance(cell, Cell)
    assert cell.settled
    assert not cell.fulfilled


class TestReadableGuard:
    """Owns a stream on behalf of a payload."""

    def test_each_gives_it_up_once(self) -> None:
        pipe = Pipe(100, HeldBytes(1_000_000))
        guard = ReadableGuard(pipe)
        second = guard.dup()
        guard.dispose()
        guard.dispose()
        assert not pipe.read().settled
        second.dispose()
        assert pipe.read().fulfilled  # with the end

    def test_there_is_nothing_to_call(self) -> None:
        with pytest.raises(RpcError, match="Cannot call methods on a ReadableStream stub"):
            pulled(ReadableGuard(Pipe(100, HeldBytes(1_000_000))).call(("m",), Payload([])))


def test_a_reader_that_was_dropped_cancels_what_it_had_taken() -> None:
    pipe = Pipe(100, HeldBytes(1_000_000))
    pipe.taken = True
    reading = pipe.read()
    DroppedReader(pipe).dispose()
    assert reading.fulfilled
