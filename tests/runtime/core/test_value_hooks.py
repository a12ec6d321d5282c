"""Hooks over values and promises of hooks: in order, and each owned by somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from capnweb_runtime.core.broken import DISPOSED
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Hook, Payload
from capnweb_runtime.core.interface import ANY_METHOD
from capnweb_runtime.core.refs import PlainPromise, PlainStub
from capnweb_runtime.core.target_hooks import FunctionHook, TargetHook
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook, not_a_function
from capnweb_runtime.errors import DisposedError
from capnweb_runtime.values import UNDEFINED
from tests.runtime.example import BOOK, SHELF, Counter
from tests.runtime.pair import Counted, Recording, SyncHost, pulled


@pytest.fixture
def host() -> SyncHost:
    return SyncHost(Recording())


def value(payload: Any, host: SyncHost) -> PayloadHook:
    return PayloadHook(Payload(payload), host)


def function_hook(function: Any, host: SyncHost) -> FunctionHook:
    return FunctionHook(function, ANY_METHOD, host, "function")


def target_hook(target: Any, host: SyncHost) -> TargetHook:
    hook = target._export(host)
    assert isinstance(hook, TargetHook)
    return hook


class TestPayloadHook:
    def test_parts_are_read_by_path(self, host: SyncHost) -> None:
        hook = value({"a": [1, {"b": 2}]}, host)
        assert pulled(hook.get(("a", 1, "b"))) == 2
        assert pulled(hook.get(("a", "missing"))) is UNDEFINED
        with pytest.raises(TypeError, match=r"Cannot read properties of undefined \(reading 'x'\)"):
            pulled(hook.get(("missing", "x")))

    def test_what_is_read_is_a_copy_with_references_of_its_own(self, host: SyncHost) -> None:
        inner = Counted()
        tree = {"a": [PlainStub(inner)]}
        hook = PayloadHook(Payload(tree, None, [inner]), host)
        copied = hook.get(("a",))
        assert inner.references == 2
        pulled(copied).append(1)
        assert len(tree["a"]) == 1
        hook.dispose()
        assert inner.references == 1
        copied.dispose()
        assert inner.references == 0

    def test_a_model_has_its_fields_and_no_attributes(self, host: SyncHost) -> None:
        hook = PayloadHook(Payload(SHELF[0], BOOK), host)
        assert pulled(hook.get(("title",))) == "Emma"
        assert pulled(hook.get(("place", "x"))) == 1
        for name in ("model_dump", "__class__", "__dict__", "pages", "tags.append"):
            assert pulled(hook.get((name,))) is UNDEFINED

    def test_data_is_not_a_function(self, host: SyncHost) -> None:
        hook = value({"a": [1]}, host)
        for path, name in (((), ""), (("a",), "a"), (("a", 0), "a.0"), (("b",), "b")):
            with pytest.raises(TypeError, match=rf"^'{name}' is not a function\.$"):
                pulled(hook.call(path, Payload([])))

    def test_arguments_of_a_call_that_leads_nowhere_are_disposed(self, host: SyncHost) -> None:
        argument = Counted()
        value(1, host).call(("x",), Payload([], None, [argument]))
        value(1, host).call(("x", "y"), Payload([], None, [argument.dup()]))
        assert argument.references == 0

    def test_a_capability_in_it_is_called(self, host: SyncHost) -> None:
        hook = value({"f": PlainStub(function_hook(lambda n: n + 1, host))}, host)
        assert pulled(hook.call(("f",), Payload([1]))) == 2

    def test_a_capability_that_is_the_whole_is_called_read_and_duplicated(self, host: SyncHost) -> None:
        counter = Counter(5)
        inner = target_hook(counter, host)
        hook = PayloadHook(Payload(PlainStub(inner), None, [inner]), host)
        assert pulled(hook.get(("value",))) == 5
        assert pulled(hook.call(("increment",), Payload([2]))) == 7
        second = hook.dup()
        assert isinstance(second, TargetHook)
        hook.dispose()
        assert counter.disposed == 0
        second.dispose()
        assert counter.disposed == 1

    def test_a_promise_that_is_the_whole_is_passed_through(self, host: SyncHost) -> None:
        hook = value(PlainPromise(value({"a": 1}, host)), host)
        assert pulled(hook.get(("a",))) == 1

    def test_a_part_that_waits_for_a_promise_in_it_outlives_it(self, host: SyncHost) -> None:
        known: Cell[Hook] = Cell()
        promise = PlainPromise(PromiseHook(known, host))
        tree: dict[str, Any] = {"a": [promise], "b": 2}
        counted = Counted()
        hook = PayloadHook(Payload(tree, None, [promise._hook, counted], [(tree["a"], 0, promise)]), host)
        first, second, given_up = hook.get(("a",)), hook.get(()), hook.get(("b",))
        given_up.dispose()
        hook.dispose()
        assert counted.references == 1
        known.resolve(value({"c": 1}, host))
        assert (pulled(first), pulled(second)) == ([{"c": 1}], {"a": [{"c": 1}], "b": 2})
        assert counted.references == 1  # which the whole owns as well
        second.dispose()
        assert counted.references == 0

    def test_the_whole_is_shared_and_given_back_by_the_last_who_has_it(self, host: SyncHost) -> None:
        counted = Counted()
        tree = [PlainStub(counted)]
        hook = PayloadHook(Payload(tree, None, [counted]), host)
        second, third = hook.get(()), hook.dup()
        assert pulled(second) is tree
        assert pulled(third) is tree
        for owner in (hook, second):
            owner.dispose()
            assert counted.references == 1
        third.dispose()
        assert counted.references == 0

    def test_what_owns_a_share_of_what_owns_a_share_is_given_back_however_many_there_are(self, host: SyncHost) -> None:
        counted = Counted()
        hook: Hook = PayloadHook(Payload([PlainStub(counted)], None, [counted]), host)
        for _ in range(3000):
            whole = hook.get(())
            hook.dispose()
            hook = PayloadHook(Payload(pulled(whole), None, [whole]), host)
        assert counted.references == 1
        hook.dispose()
        assert counted.references == 0

    def test_parts_that_wait_and_are_given_up_hold_nothing(self, host: SyncHost) -> None:
        promise = PlainPromise(PromiseHook(Cell(), host))
        counted = Counted()
        hook = PayloadHook(Payload([promise], None, [promise._hook, counted], [([promise], 0, promise)]), host)
        parts = [hook.get(()), hook.get((0,))]
        hook.dispose()
        assert counted.references == 1
        for part in parts:
            part.dispose()
        assert counted.references == 0

    def test_a_part_that_waits_for_a_promise_that_fails_fails_with_it(self, host: SyncHost) -> None:
        known: Cell[Hook] = Cell()
        promise = PlainPromise(PromiseHook(known, host))
        counted = Counted()
        hook = PayloadHook(Payload([promise], None, [promise._hook, counted], [([promise], 0, promise)]), host)
        part = hook.get(())
        hook.dispose()
        known.reject(ValueError("no"))
        with pytest.raises(ValueError, match="no"):
            pulled(part)
        assert counted.references == 0

    def test_once_disposed_it_fails(self, host: SyncHost) -> None:
        hook = value({"a": 1}, host)
        hook.dispose()
        hook.dispose()
        capture = Counted()
        for result in (hook.get(("a",)), hook.call(("a",), Payload([])), hook.map((), [capture], [1])):
            with pytest.raises(DisposedError):
                pulled(result)
        assert capture.references == 0
        with pytest.raises(DisposedError):
            hook.pull()
        with pytest.raises(DisposedError):
            hook.dup()

    def test_broken_concerns_a_capability_only(self, host: SyncHost) -> None:
        got: list[BaseException] = []
        value([PlainStub(Counted())], host).on_broken(got.append)
        assert got == []
        value(PlainStub(Counted()), host).on_broken(got.append)
        assert [str(error) for error in got] == ["broken"]


class TestPromiseHook:
    def test_what_is_asked_before_is_asked_again_in_order(self, host: SyncHost) -> None:
        cell: Cell[Hook] = Cell()
        hook = PromiseHook(cell, host)
        counter = Counter(1)
        results = [
            hook.call(("increment",), Payload([1])),
            hook.get(("value",)),
            hook.call(("increment",), Payload([10])),
            hook.get(("value",)),
        ]
        cell.resolve(target_hook(counter, host))
        results.append(hook.call(("increment",), Payload([100])))
        assert [pulled(result) for result in results] == [2, 2, 12, 12, 112]
        hook.dispose()
        assert counter.disposed == 1

    def test_chains(self, host: SyncHost) -> None:
        cell: Cell[Hook] = Cell()
        hook = PromiseHook(cell, host)
        last = hook.call(("itself",), Payload([])).call(("itself",), Payload([])).get(("value",))
        cell.resolve(target_hook(Counter(3), host))
        assert pulled(last) == 3

    def test_it_follows_promises_of_promises(self, host: SyncHost) -> None:
        outer: Cell[Hook] = Cell()
        inner: Cell[Hook] = Cell()
        hook = PromiseHook(outer, host)
        result = hook.get(("a",))
        outer.resolve(PromiseHook(inner, host))
        inner.resolve(value({"a": 5}, host))
        assert pulled(result) == 5
        assert pulled(hook) == {"a": 5}

    def test_its_error_is_the_error_of_everything_and_what_it_was_given_is_disposed(self, host: SyncHost) -> None:
        cell: Cell[Hook] = Cell()
        hook = PromiseHook(cell, host)
        argument, capture = Counted(), Counted()
        got: list[BaseException] = []
        hook.on_broken(got.append)
        results = [
            hook.call(("m",), Payload([], None, [argument])),
            hook.get(("a",)),
            hook.map((), [capture], [1]),
            hook.dup(),
            hook,
        ]
        error = ValueError("no")
        cell.reject(error)
        for result in results:
            with pytest.raises(ValueError, match="no"):
                pulled(result)
        assert (argument.references, capture.references) == (0, 0)
        assert got == [error]

    def test_disposing_it_disposes_what_it_resolves_to_once(self, host: SyncHost) -> None:
        cell: Cell[Hook] = Cell()
        hook = PromiseHook(cell, host)
        hook.dispose()
        hook.dispose()
        inner = Counted()
        cell.resolve(inner)
        assert inner.references == 0

    def test_what_was_put_off_is_asked_before_it_is_disposed(
        self, host: SyncHost, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_off: list[Callable[[], object]] = []
        monkeypatch.setattr(host, "put_off", put_off.append)
        cell: Cell[Hook] = Cell()
        cell.resolve(value({"a": 5}, host))
        hook = PromiseHook(cell, host)
        host.account.end_turn()
        part = hook.get(("a",))
        hook.dispose()
        host.account.begin_turn()
        for work in put_off:
            work()
        assert pulled(part) == 5
        with pytest.raises(DisposedError):
            pulled(PromiseHook(cell, host))

    def test_a_duplicate_is_disposed_on_its_own(self, host: SyncHost) -> None:
        cell: Cell[Hook] = Cell()
        hook = PromiseHook(cell, host)
        second = hook.dup()
        inner = Counted()
        cell.resolve(inner)
        assert inner.references == 2
        hook.dispose()
        assert inner.references == 1
        second.dispose()
        assert inner.references == 0

    def test_arguments_are_as_they_were_when_the_call_was_made(self, host: SyncHost) -> None:
        cell: Cell[Hook] = Cell()
        hook = PromiseHook(cell, host)
        argument = [1]
        result = hook.call((), Payload(((argument,), {}), ANY_METHOD.params))
        argument.append(2)
        cell.resolve(function_hook(lambda items: items, host))
        assert pulled(result) == [1]

    def test_a_hook_that_was_disposed_meanwhile_rejects_the_call(self, host: SyncHost) -> None:
        cell: Cell[Hook] = Cell()
        hook = PromiseHook(cell, host)
        result = hook.dup()
        inner = value(1, host)
        inner.dispose()
        cell.resolve(inner)
        with pytest.raises(DisposedError):
            pulled(result)
        with pytest.raises(DisposedError):
            pulled(hook)


def test_the_error_for_what_cannot_be_called_names_the_path() -> None:
    assert str(not_a_function(("a", 0, "b"))) == "'a.0.b' is not a function."
    assert str(not_a_function(())) == "'' is not a function."


def test_a_disposed_stub_in_a_result_is_an_error_of_whoever_uses_it(host: SyncHost) -> None:
    hook = value({"a": PlainStub(DISPOSED)}, host)
    with pytest.raises(DisposedError):
        pulled(hook.call(("a", "m"), Payload([])))
