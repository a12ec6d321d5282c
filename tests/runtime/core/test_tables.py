"""Entries of the import table: references, resolutions, releases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload
from capnweb_runtime.core.tables import ExportEntry, ImportEntry, ImportHook, MainHook, Watch
from capnweb_runtime.core.value_hooks import PayloadHook
from capnweb_runtime.errors import DisposedError, RpcError
from tests.runtime.pair import SyncHost, pulled


class Log:
    """A sender that writes down what it is asked to send."""

    def __init__(self) -> None:
        self.turns = SyncHost()
        self.host: Host = self.turns
        self.home = None
        self.closed = False
        self.log: list[Any] = []
        self.watches: list[Watch] = []

    def send_call(self, import_id: int, path: Path, args: Payload | None, expect: Codec | None) -> Hook:
        self.log.append(("call", import_id, path, None if args is None else args.value))
        return ErrorHook(ValueError("not sent"))

    def send_stream(self, import_id: int, path: Path, args: Payload) -> tuple[Cell[Payload], int]:
        raise NotImplementedError

    def send_map(
        self, import_id: int, path: Path, captures: list[Hook], instructions: list[Any], expect: Codec | None
    ) -> Hook:
        self.log.append(("map", import_id, path, captures, instructions))
        return ErrorHook(ValueError("not sent"))

    def send_pull(self, import_id: int) -> None:
        self.log.append(("pull", import_id))

    def give_up(self, import_id: int, count: int) -> None:
        self.send_release(import_id, count)

    def send_release(self, import_id: int, count: int) -> None:
        self.log.append(("release", import_id, count))

    def backlog(self) -> Cell[None] | None:
        return None

    def full(self) -> Cell[None] | None:
        return None

    def watch(self, callback: Callable[[BaseException], object]) -> Watch:
        self.watches.append(Watch(callback))
        return self.watches[-1]


@pytest.fixture
def sender() -> Log:
    return Log()


def value_hook(value: Any) -> Hook:
    return PayloadHook(Payload(value), SyncHost())


def outcomes(hook: Hook) -> list[Any]:
    """Collects what a pull settles with."""
    got: list[Any] = []
    result = hook.pull()
    if isinstance(result, Payload):
        got.append(result.value)
    else:
        result.then(lambda payload: got.append(payload.value), got.append)
    return got


class TestPending:
    def test_calls_reads_and_maps_go_to_the_peer(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        hook.call(("m",), Payload([1]))
        hook.get(("a", 0))
        hook.map(("l",), [], [None])
        assert sender.log == [("call", 7, ("m",), [1]), ("call", 7, ("a", 0), None), ("map", 7, ("l",), [], [None])]
        hook.dispose()

    def test_it_is_pulled_once(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        first, second = outcomes(hook), outcomes(hook)
        assert sender.log == [("pull", 7)]
        hook.opened().resolve(value_hook("x"))
        assert (first, second) == (["x"], ["x"])

    def test_a_read_of_nothing_is_another_reference(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        other = hook.get(())
        hook.dispose()
        assert sender.log == []
        other.dispose()
        assert sender.log == [("release", 7, 1)]

    def test_it_is_released_with_the_last_reference_as_often_as_it_was_introduced(self, sender: Log) -> None:
        entry = ImportEntry(sender, -7)
        entry.remote_refs = 3
        first = ImportHook(entry)
        second = first.dup()
        first.dispose()
        first.dispose()
        assert sender.log == []
        second.dispose()
        assert sender.log == [("release", -7, 3)]

    def test_whoever_waits_when_it_is_disposed_gets_an_error(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        got = outcomes(hook)
        hook.dispose()
        assert [type(error) for error in got] == [RpcError]
        assert "canceled because the RpcPromise was disposed" in str(got[0])
        assert sender.log == [("pull", 7), ("release", 7, 1)]


class TestResolved:
    def test_it_is_released_at_once_and_then_is_what_it_resolved_to(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        hook.opened().resolve(value_hook({"a": [1, 2]}))
        assert sender.log == [("release", 7, 1)]
        assert pulled(hook.get(("a", 1))) == 2
        assert pulled(hook) == {"a": [1, 2]}
        with pytest.raises(TypeError, match="'a' is not a function"):
            pulled(hook.call(("a",), Payload([])))
        hook.dispose()
        assert sender.log == [("release", 7, 1)]

    def test_a_second_resolution_is_disposed(self, sender: Log) -> None:
        entry = ImportEntry(sender, 7)
        hook = ImportHook(entry)
        inner = ImportHook(ImportEntry(sender, -1))
        entry.resolve(value_hook("first"))
        entry.resolve(inner)
        assert inner.entry is None
        assert pulled(hook) == "first"

    def test_a_resolution_that_nobody_waits_for_any_more_is_disposed(self, sender: Log) -> None:
        entry = ImportEntry(sender, 7)
        ImportHook(entry).dispose()
        inner = ImportHook(ImportEntry(sender, -1))
        entry.resolve(inner)
        assert sender.log == [("release", 7, 1), ("release", -1, 1)]

    def test_what_it_resolved_to_goes_with_its_last_reference(self, sender: Log) -> None:
        entry = ImportEntry(sender, 7)
        first = ImportHook(entry)
        second = first.dup()
        entry.resolve(ImportHook(ImportEntry(sender, -1)))
        first.dispose()
        assert sender.log == [("release", 7, 1)]
        second.dispose()
        assert sender.log == [("release", 7, 1), ("release", -1, 1)]

    def test_waiters_follow_a_resolution_that_is_a_promise(self, sender: Log) -> None:
        outer, inner = ImportEntry(sender, 7), ImportEntry(sender, 8)
        hook = ImportHook(outer)
        got = outcomes(hook)
        outer.resolve(ImportHook(inner))
        assert got == []
        inner.resolve(value_hook("deep"))
        assert got == ["deep"]


class TestFailed:
    def test_everything_fails_and_nothing_is_sent(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        got = outcomes(hook)
        error = ValueError("ended")
        hook.opened().fail(error)
        assert got == [error]
        with pytest.raises(ValueError, match="ended"):
            pulled(hook.call(("m",), Payload([])))
        hook.dispose()
        assert sender.log == [("pull", 7)]


class TestDisposed:
    def test_using_the_reference_fails(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        hook.dispose()
        for result in (hook.call(("m",), Payload([])), hook.get(("a",)), hook.map((), [], [])):
            with pytest.raises(DisposedError, match="had been disposed"):
                pulled(result)
        with pytest.raises(DisposedError):
            hook.dup()
        with pytest.raises(DisposedError):
            hook.pull()
        with pytest.raises(DisposedError):
            _ = hook.host

    def test_arguments_and_captures_are_disposed(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        hook.dispose()
        argument, capture = ImportHook(ImportEntry(sender, -1)), ImportHook(ImportEntry(sender, -2))
        hook.call((), Payload([], None, [argument]))
        hook.map((), [capture], [])
        assert sender.log == [("release", 7, 1), ("release", -1, 1), ("release", -2, 1)]


class TestBroken:
    def test_the_callback_runs_when_the_session_ends(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        hook.on_broken(lambda error: None)
        assert len(sender.watches) == 1
        hook.dispose()

    def test_it_moves_on_to_what_the_promise_resolves_to(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        got: list[BaseException] = []
        hook.on_broken(got.append)
        inner = ImportEntry(sender, -1)
        hook.opened().resolve(ImportHook(inner))
        assert [watch.callback is not None for watch in sender.watches] == [False, True]
        hook.on_broken(got.append)
        assert len(sender.watches) == 3
        hook.dispose()

    def test_it_is_called_when_the_promise_is_rejected(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        got: list[BaseException] = []
        hook.on_broken(got.append)
        error = ValueError("rejected")
        hook.opened().resolve(ErrorHook(error))
        assert got == [error]

    def test_a_value_never_breaks(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        got: list[BaseException] = []
        hook.on_broken(got.append)
        hook.opened().resolve(value_hook(1))
        assert got == []
        assert sender.watches[0].callback is None


class TestDropped:
    def test_a_reference_that_is_dropped_is_disposed_at_the_next_turn(self, sender: Log) -> None:
        hook = ImportHook(ImportEntry(sender, 7))
        del hook
        assert sender.turns.wakes == 1
        assert sender.log == []
        sender.host.collect()
        assert sender.log == [("release", 7, 1)]

    def test_not_after_it_was_disposed_or_resolved_or_the_session_ended(self, sender: Log) -> None:
        disposed = ImportHook(ImportEntry(sender, 7))
        disposed.dispose()
        resolved = ImportHook(ImportEntry(sender, 8))
        resolved.opened().resolve(value_hook(1))
        ended = ImportHook(ImportEntry(sender, 9))
        assert ended.held
        sender.closed = True
        assert [hook.held for hook in (disposed, resolved, ended)] == [False, False, False]
        del disposed, resolved, ended
        assert sender.turns.wakes == 0


def test_disposing_the_main_reference_shuts_down_once(sender: Log) -> None:
    calls: list[str] = []
    main = MainHook(ImportEntry(sender, 0), lambda: calls.append("shut down"))
    main.dispose()
    main.dispose()
    assert calls == ["shut down"]
    assert sender.log == []


def test_an_export_begins_with_one_reference_and_unpulled() -> None:
    entry = ExportEntry(value_hook(1))
    assert (entry.refcount, entry.pulled) == (1, False)
