"""What a peer can do with the writable end of a pipe."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.evaluate import CallArguments
from capnweb_runtime.core.held import HeldBytes
from capnweb_runtime.core.hook import Payload, PromiseRef
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.refs import PlainPromise
from capnweb_runtime.core.stream_hooks import PipeHook
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import LimitExceeded, RpcError
from capnweb_runtime.values import UNDEFINED
from tests.runtime.pair import SyncHost, pulled

STOP = RpcError("stop")


class Watched(ErrorHook):
    """A capability that counts how often it is disposed."""

    def __init__(self) -> None:
        super().__init__(RpcError("not to be called"))
        self.disposed = 0

    def dispose(self) -> None:
        self.disposed += 1


@pytest.fixture
def host() -> SyncHost:
    return SyncHost()


@pytest.fixture
def pipe() -> Pipe:
    return Pipe(100, HeldBytes(1_000_000))


@pytest.fixture
def end(pipe: Pipe, host: SyncHost) -> PipeHook:
    return PipeHook(pipe, host)


def read(pipe: Pipe) -> Any:
    """The next chunk's value, the error, or the word pending."""
    found: list[Any] = ["pending"]
    pipe.read().then(found.append, found.append)
    return found[-1].value if isinstance(found[-1], Payload) else found[-1]


def chunk(*args: Any, hooks: list[Any] | None = None) -> Payload:
    return Payload(list(args), None, hooks)


def is_pending(result: Any) -> bool:
    outcome = result.pull()
    return isinstance(outcome, Cell) and not outcome.settled


def test_a_write_is_done_when_the_chunk_has_been_read(pipe: Pipe, end: PipeHook) -> None:
    result = end.call(("write",), chunk("a"))
    assert is_pending(result)
    assert read(pipe) == "a"
    assert pulled(result) is UNDEFINED


def test_a_write_as_it_stands_in_a_message_counts_with_its_size(host: SyncHost, pipe: Pipe, end: PipeHook) -> None:
    importer = Loopback(host)
    importer.message_bytes = 101
    with pytest.raises(LimitExceeded, match="more than 100 bytes of a stream"):
        pulled(end.call_wire(("write",), CallArguments(["a"], importer, 0)))


def test_a_write_without_a_chunk_writes_undefined(pipe: Pipe, end: PipeHook) -> None:
    end.call(("write",), chunk())
    assert read(pipe) is UNDEFINED


def test_the_capabilities_in_a_chunk_belong_to_the_reader(pipe: Pipe, end: PipeHook) -> None:
    hook = Watched()
    end.call(("write",), chunk("a", hooks=[hook]))
    payloads: list[Any] = []
    pipe.read().then(payloads.append, payloads.append)
    assert hook.disposed == 0
    payloads[0].dispose()
    assert hook.disposed == 1


def test_closing_ends_the_stream(pipe: Pipe, end: PipeHook) -> None:
    end.call(("write",), chunk("a"))
    closed = end.call(("close",), chunk())
    assert is_pending(closed)
    assert [read(pipe), read(pipe)] == ["a", None]
    assert pulled(closed) is UNDEFINED


def test_aborting_gives_the_reader_the_reason(pipe: Pipe, end: PipeHook) -> None:
    written = end.call(("write",), chunk("a"))
    assert pulled(end.call(("abort",), chunk(STOP))) is UNDEFINED
    assert read(pipe) is STOP
    with pytest.raises(RpcError, match="stop"):
        pulled(written)


@pytest.mark.parametrize(("args", "text"), [(("why",), "the stream was aborted: why"), ((), "the stream was aborted")])
def test_aborting_with_a_reason_that_is_no_error_makes_one(
    pipe: Pipe, end: PipeHook, args: tuple[Any, ...], text: str
) -> None:
    end.call(("abort",), chunk(*args))
    assert str(read(pipe)).startswith(text)


def test_giving_it_up_without_closing_aborts(pipe: Pipe, end: PipeHook) -> None:
    end.dispose()
    end.dispose()
    assert str(read(pipe)) == "WritableStream RPC stub was disposed without calling close()"


@pytest.mark.parametrize("last", ["close", "abort"])
def test_giving_it_up_afterwards_changes_nothing(pipe: Pipe, end: PipeHook, last: str) -> None:
    end.call(("write",), chunk("a"))
    end.call((last,), chunk(STOP) if last == "abort" else chunk())
    end.dispose()
    assert read(pipe) == ("a" if last == "close" else STOP)


@pytest.mark.parametrize("path", [("read",), ("getWriter",), ("write", "call"), (), ("__class__",), (0,)])
def test_there_is_nothing_else_to_call(pipe: Pipe, end: PipeHook, path: tuple[str | int, ...]) -> None:
    hook = Watched()
    with pytest.raises(RpcError, match="Unknown WritableStream method"):
        pulled(end.call(path, chunk("a", hooks=[hook])))
    assert hook.disposed == 1
    end.call(("close",), chunk())
    assert read(pipe) is None


def test_there_is_nothing_to_read_map_or_pull(end: PipeHook) -> None:
    hook = Watched()
    for result, text in [
        (end.get(("locked",)), "Cannot access properties on a WritableStream stub"),
        (end.map((), [hook], [0]), r"Cannot use map\(\) on a WritableStream"),
        (end.dup(), "Cannot dup the writable end of a pipe"),
        (end, "Cannot pull a WritableStream stub"),
    ]:
        with pytest.raises(RpcError, match=text):
            pulled(result)
    assert hook.disposed == 1


class TestChunksWithPromises:
    """They wait for their promises; what comes after them waits too."""

    def promised(self, host: SyncHost) -> tuple[Cell[Any], Payload]:
        value: Cell[Any] = Cell()
        promise = PlainPromise(PromiseHook(value, host))
        args = Payload([promise], None, [promise._hook])
        places: list[tuple[Any, Any, PromiseRef]] = [(args.value, 0, promise)]
        args.promises = places
        return value, args

    def test_a_chunk_waits_for_its_promises(self, host: SyncHost, pipe: Pipe, end: PipeHook) -> None:
        value, args = self.promised(host)
        written = end.call(("write",), args)
        assert is_pending(written)
        value.resolve(PayloadHook(Payload("a"), host))
        assert read(pipe) == "a"
        assert pulled(written) is UNDEFINED

    def test_later_chunks_and_the_end_do_not_overtake_it(self, host: SyncHost, pipe: Pipe, end: PipeHook) -> None:
        value, args = self.promised(host)
        end.call(("write",), args)
        end.call(("write",), chunk("b"))
        closed = end.call(("close",), chunk())
        value.resolve(PayloadHook(Payload("a"), host))
        assert [read(pipe), read(pipe), read(pipe)] == ["a", "b", None]
        assert pulled(closed) is UNDEFINED

    def test_a_promise_that_fails_fails_that_write_and_the_others_go_on(
        self, host: SyncHost, pipe: Pipe, end: PipeHook
    ) -> None:
        value, args = self.promised(host)
        hook = Watched()
        assert args.hooks is not None
        args.hooks.append(hook)
        written = end.call(("write",), args)
        end.call(("write",), chunk("b"))
        value.reject(STOP)
        with pytest.raises(RpcError, match="stop"):
            pulled(written)
        assert hook.disposed == 1
        assert read(pipe) == "b"

    def test_an_abort_does_not_wait(self, host: SyncHost, pipe: Pipe, end: PipeHook) -> None:
        _, args = self.promised(host)
        end.call(("write",), args)
        end.call(("abort",), chunk(STOP))
        assert read(pipe) is STOP
