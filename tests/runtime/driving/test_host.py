"""What every host offers: stubs, functions, and disposal at the next turn."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from capnweb_runtime.core.broken import DISPOSED, ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import INT
from capnweb_runtime.core.devaluate import LEAF
from capnweb_runtime.core.hook import OutgoingStream, Payload
from capnweb_runtime.objects.any_stub import AnyStub
from tests.runtime.pair import Recording, SyncHost, pulled


class Counted(ErrorHook):
    __slots__ = ("disposed", "then")

    def __init__(self) -> None:
        super().__init__(ValueError("broken"))
        self.disposed = 0
        self.then: Any = None

    def dispose(self) -> None:
        self.disposed += 1
        if self.then is not None:
            self.then()


def test_what_is_discarded_is_disposed_at_the_next_turn() -> None:
    host = SyncHost()
    hooks = [Counted(), Counted()]
    for hook in hooks:
        host.discard(hook)
    assert host.wakes == 2
    assert [hook.disposed for hook in hooks] == [0, 0]
    host.collect()
    host.collect()
    assert [hook.disposed for hook in hooks] == [1, 1]


def test_what_is_discarded_while_disposing_is_disposed_too() -> None:
    host = SyncHost()
    first, second = Counted(), Counted()
    first.then = lambda: host.discard(second)
    host.discard(first)
    host.collect()
    assert second.disposed == 1


def test_discarding_works_in_any_thread() -> None:
    host = SyncHost()
    hook = Counted()
    thread = threading.Thread(target=host.discard, args=(hook,))
    thread.start()
    thread.join()
    assert hook.disposed == 0
    host.collect()
    assert hook.disposed == 1


def test_a_function_becomes_a_hook() -> None:
    hook = SyncHost().function_hook(lambda *args: list(args))
    assert pulled(hook.call((), Payload([1, "a"]))) == [1, "a"]


def test_a_failing_function_is_reported_by_its_name() -> None:
    observer = Recording()

    def failing() -> None:
        raise ValueError("no")

    hook = SyncHost(observer).function_hook(failing)
    with pytest.raises(ValueError, match="no"):
        pulled(hook.call((), Payload([])))
    assert [where.rsplit(".", 1)[-1] for where, _ in observer.failures] == ["failing"]


def test_stubs_without_a_schema_are_untyped() -> None:
    assert type(SyncHost().new_stub(DISPOSED)) is AnyStub


def test_a_value_that_comes_later_has_a_hook() -> None:
    cell: Cell[Any] = Cell()
    hook = SyncHost().value_hook(cell)
    later = hook.get(("a",))
    cell.resolve({"a": 5})
    assert pulled(later) == 5
    assert pulled(hook) == {"a": 5}


def test_a_value_that_never_comes_is_an_error() -> None:
    cell: Cell[Any] = Cell()
    hook = SyncHost().value_hook(cell)
    cell.reject(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        pulled(hook)


class OneStep:
    """An awaitable that is ready."""

    def __await__(self) -> Any:
        return iter(())


def test_an_awaitable_is_started_like_a_call() -> None:
    cell: Cell[Any] = Cell()
    started: list[Any] = []

    class Host(SyncHost):
        def start(self, function: Any, args: Any, kwargs: Any) -> Any:
            started.append(function(*args, **kwargs))
            return cell

    awaitable = OneStep()
    hook = Host().awaitable_hook(awaitable, INT)
    assert started == [awaitable]
    cell.resolve(5)
    assert pulled(hook) == 5


class Closable:
    """A stream that can be closed, or fails to be."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.closed = 0

    def aclose(self) -> None:
        self.closed += 1
        if self.error is not None:
            raise self.error


def test_a_stream_that_nobody_reads_is_closed() -> None:
    host = SyncHost()
    stream = Closable()
    host.close(OutgoingStream(stream, LEAF))
    assert stream.closed == 1
    host.close(OutgoingStream(object(), LEAF))  # which cannot be


def test_a_stream_that_fails_as_it_is_closed_is_reported() -> None:
    seen = Recording()
    host = SyncHost(seen)
    error = ValueError("no")
    host.close(OutgoingStream(Closable(error), LEAF))
    assert seen.failures == [("a stream", error)]
