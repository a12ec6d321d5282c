"""Hooks over what is on this side: by table only, in order, each owned by somebody."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import ANY, INT
from capnweb_runtime.core.hook import DISPOSED, ErrorHook, Hook, Payload, PlainPromise, PlainStub
from capnweb_runtime.core.interface import ANY_METHOD, method, param
from capnweb_runtime.core.invoke import own_result, run
from capnweb_runtime.core.target_hooks import FunctionHook, Shares, TargetHook
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook, not_a_function
from capnweb_runtime.errors import DisposedError
from capnweb_runtime.values import UNDEFINED
from tests.runtime.example import BOOK, COUNTER, LIST_COUNTER, SHELF, Counter, CounterSpec, CounterStub, Desk, DeskSpec
from tests.runtime.pair import Recording, SyncHost, pulled

ONE = method("", INT, param("n", INT))


class Counted(ErrorHook):
    """Counts references."""

    __slots__ = ("references",)

    def __init__(self) -> None:
        super().__init__(ValueError("broken"))
        self.references = 1

    def dup(self) -> Hook:
        self.references += 1
        return self

    def get(self, path: Any, expect: Any = None) -> Hook:
        return self.dup() if not path else self

    def dispose(self) -> None:
        self.references -= 1


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


class TestFunctionHook:
    def test_it_is_called_with_an_empty_path(self, host: SyncHost) -> None:
        hook = FunctionHook(lambda n: n + 1, ONE, host, "f")
        assert pulled(hook.call((), Payload([1]))) == 2
        with pytest.raises(TypeError, match=r"'x\.y' is not a function"):
            pulled(hook.call(("x", "y"), Payload([1])))

    def test_it_has_no_attributes(self, host: SyncHost) -> None:
        hook = function_hook(len, host)
        for name in ("__call__", "__globals__", "__self__", "__class__", "name"):
            assert pulled(hook.get((name,))) is UNDEFINED
        with pytest.raises(TypeError, match="Cannot read properties of undefined"):
            pulled(hook.get(("__globals__", "os")))

    def test_its_value_is_a_stub_of_it(self, host: SyncHost) -> None:
        stub = pulled(function_hook(lambda: 5, host))
        assert isinstance(stub, PlainStub)
        assert pulled(stub._hook.call((), Payload([]))) == 5

    def test_a_duplicate_works_after_the_first_is_disposed(self, host: SyncHost) -> None:
        hook = function_hook(lambda: 5, host)
        second = hook.dup()
        hook.dispose()
        assert pulled(second.call((), Payload([]))) == 5
        argument = Counted()
        with pytest.raises(DisposedError):
            pulled(hook.call((), Payload([], None, [argument])))
        assert argument.references == 0
        with pytest.raises(DisposedError):
            hook.dup()

    def test_arguments_are_checked_before_it_runs(self, host: SyncHost) -> None:
        ran: list[int] = []
        hook = FunctionHook(ran.append, ONE, host, "f")
        with pytest.raises(TypeError, match="argument 'n': expected int, got str 'x'"):
            pulled(hook.call((), Payload(["x"])))
        assert ran == []


class TestTargetHook:
    def test_methods_and_properties_of_the_table(self, host: SyncHost) -> None:
        hook = target_hook(Counter(5), host)
        assert pulled(hook.get(("value",))) == 5
        assert pulled(hook.call(("increment",), Payload([2]))) == 7
        assert pulled(hook.call(("increment",), Payload([]))) == 8
        hook.dispose()

    @pytest.mark.parametrize(
        "name",
        [
            *("secret", "log", "made", "_make", "disposed", "dispose", "_export", "_rpc_members", "_abc_impl"),
            *("__class__", "__init__", "__dict__", "__doc__", "__getattribute__", "__reduce__", "__module__"),
            *("hold_counter", "by_name", "toString", "constructor", "", "nothing ", "Nothing"),
        ],
    )
    def test_nothing_else_can_be_read_or_called(self, host: SyncHost, name: str) -> None:
        desk = Desk()
        hook = target_hook(desk, host)
        assert pulled(hook.get((name,))) is UNDEFINED
        with pytest.raises(TypeError, match=rf"^'{name}' is not a function\.$"):
            pulled(hook.call((name,), Payload([])))
        for path in ((name, "x"), (name, "__class__", "__init__")):
            with pytest.raises(TypeError, match="Cannot read properties of undefined"):
                pulled(hook.get(path))
            with pytest.raises(TypeError):
                pulled(hook.call(path, Payload([])))
        assert desk.log == []
        assert desk.disposed == 0
        hook.dispose()

    @pytest.mark.parametrize("path", [(0,), (-1,), (0, "x"), ()])
    def test_numbers_and_nothing_are_no_methods(self, host: SyncHost, path: Any) -> None:
        hook = target_hook(Desk(), host)
        with pytest.raises(TypeError, match=r"is not a function|Cannot read properties"):
            pulled(hook.call(path, Payload([])))
        hook.dispose()

    @pytest.mark.parametrize("rest", ["__self__", "__func__", "__globals__", "__call__", "name"])
    def test_a_method_has_no_attributes(self, host: SyncHost, rest: str) -> None:
        hook = target_hook(Desk(), host)
        assert pulled(hook.get(("nothing", rest))) is UNDEFINED
        with pytest.raises(TypeError, match=rf"'nothing\.{rest}' is not a function"):
            pulled(hook.call(("nothing", rest), Payload([])))
        hook.dispose()

    def test_a_method_that_is_read_is_a_function(self, host: SyncHost) -> None:
        hook = target_hook(Counter(5), host)
        stub = pulled(hook.get(("increment",)))
        assert pulled(stub._hook.call((), Payload([3]))) == 8
        hook.dispose()

    def test_a_property_that_holds_a_capability_is_called_through(self, host: SyncHost) -> None:
        hook = target_hook(Desk(), host)
        assert pulled(hook.call(("home", "increment"), Payload([1]))) == 101
        assert pulled(hook.get(("home", "value"))) == 100
        with pytest.raises(TypeError, match=r"'home\.nothing' is not a function"):
            pulled(hook.call(("home", "nothing"), Payload([])))
        assert pulled(hook.get(("best", "tags", 0))) == "novel"
        with pytest.raises(TypeError, match=r"'best\.title' is not a function"):
            pulled(hook.call(("best", "title"), Payload([])))
        hook.dispose()

    def test_the_disposer_runs_with_the_last_reference(self, host: SyncHost) -> None:
        counter = Counter()
        hook = target_hook(counter, host)
        second = hook.dup()
        stub = pulled(hook)
        hook.dispose()
        hook.dispose()
        second.dispose()
        assert counter.disposed == 0
        stub._hook.dispose()
        assert counter.disposed == 1

    def test_each_export_of_a_target_has_a_disposer_of_its_own(self, host: SyncHost) -> None:
        counter = Counter()
        first, second = target_hook(counter, host), target_hook(counter, host)
        first.dispose()
        second.dispose()
        assert counter.disposed == 2

    def test_a_disposer_that_fails_is_reported(self, host: SyncHost) -> None:
        class Failing(Counter):
            def dispose(self) -> None:
                raise RuntimeError("cannot")

        target_hook(Failing(), host).dispose()
        assert isinstance(host._observer, Recording)
        assert [(where, str(error)) for where, error in host._observer.failures] == [("Failing.dispose", "cannot")]

    def test_once_disposed_it_fails(self, host: SyncHost) -> None:
        hook = target_hook(Counter(), host)
        hook.dispose()
        argument = Counted()
        for result in (
            hook.get(("value",)),
            hook.get(()),
            hook.call(("increment",), Payload([], None, [argument])),
            hook.call(("itself", "increment"), Payload([])),
        ):
            with pytest.raises(DisposedError):
                pulled(result)
        with pytest.raises(DisposedError):
            hook.dup()
        assert argument.references == 0
        assert hook.target is None

    def test_a_reference_that_is_dropped_is_disposed_at_the_next_turn(self, host: SyncHost) -> None:
        counter = Counter()
        hook = target_hook(counter, host)
        del hook
        assert (host.wakes, counter.disposed) == (1, 0)
        host.collect()
        assert counter.disposed == 1

    def test_the_object_itself_is_known(self, host: SyncHost) -> None:
        counter = Counter()
        hook = target_hook(counter, host)
        assert hook.target is counter
        hook.dispose()

    def test_it_never_breaks(self, host: SyncHost) -> None:
        got: list[BaseException] = []
        hook = target_hook(Counter(), host)
        hook.on_broken(got.append)
        function_hook(len, host).on_broken(got.append)
        hook.dispose()
        assert got == []

    def test_attributes_set_on_the_target_do_not_widen_the_table(self, host: SyncHost) -> None:
        counter = Counter()
        counter.extra = lambda: "reached"  # type: ignore[attr-defined]
        hook = TargetHook(counter, CounterSpec.rpc_members, host, Shares(lambda: None))
        assert pulled(hook.get(("extra",))) is UNDEFINED
        assert set(CounterSpec.rpc_members) == {"value", "increment", "itself"}
        assert "extra" not in DeskSpec.rpc_members
        hook.dispose()


class TestRun:
    """Calls of the application: results, errors, and what happens to their arguments."""

    def test_arguments_are_disposed_when_the_call_returns(self, host: SyncHost) -> None:
        held = Counted()
        result = run(lambda: held.references, (), {}, INT, host, "f", [held])
        assert pulled(result) == 1
        assert held.references == 0

    def test_arguments_are_disposed_when_it_fails_and_the_application_is_told(self, host: SyncHost) -> None:
        held = Counted()

        def failing() -> None:
            raise ValueError("no")

        result = run(failing, (), {}, INT, host, "Where.it", [held])
        with pytest.raises(ValueError, match="no"):
            pulled(result)
        assert held.references == 0
        assert isinstance(host._observer, Recording)
        assert [where for where, _ in host._observer.failures] == ["Where.it"]

    def test_arguments_are_kept_while_it_takes_time(self, host: SyncHost) -> None:
        cell: Cell[int] = Cell()
        held = Counted()
        result = run(lambda: cell, (), {}, INT, host, "f", [held])
        assert held.references == 1
        cell.resolve(5)
        assert held.references == 0
        assert pulled(result) == 5

    def test_arguments_are_disposed_when_what_takes_time_fails(self, host: SyncHost) -> None:
        cell: Cell[int] = Cell()
        held = Counted()
        result = run(lambda: cell, (), {}, INT, host, "f", [held])
        cell.reject(ValueError("no"))
        assert held.references == 0
        with pytest.raises(ValueError, match="no"):
            pulled(result)

    def test_a_result_with_a_capability_that_came_as_an_argument_keeps_it(self, host: SyncHost) -> None:
        held = Counted()
        result = run(lambda: [CounterStub(held)], (), {}, LIST_COUNTER, host, "f", [held.dup()])
        assert held.references == 1  # the result's; the argument's and the function's are given up
        result.dispose()
        assert held.references == 0

    def test_a_result_of_another_type_is_an_error_and_capabilities_in_it_are_given_back(self, host: SyncHost) -> None:
        counter = Counter()
        result = run(lambda: [counter, 5], (), {}, LIST_COUNTER, host, "Where.it", [])
        with pytest.raises(
            TypeError, match=r"result of Where.it\[1\]: expected CounterTarget or CounterStub, got int 5"
        ):
            pulled(result)
        assert counter.disposed == 1

    def test_a_result_without_wire_form_is_an_error(self, host: SyncHost) -> None:
        with pytest.raises(TypeError, match="Cannot serialize value"):
            pulled(run(object, (), {}, ANY, host, "f", []))


def test_stubs_that_are_returned_belong_to_the_caller(host: SyncHost) -> None:
    inner = Counted()
    payload = Payload({"a": [CounterStub(inner)]}, rpc.dict_of(rpc.list_of(COUNTER)))
    own_result(payload, host)
    assert inner.references == 1
    payload.dispose()
    assert inner.references == 0


def test_the_error_for_what_cannot_be_called_names_the_path() -> None:
    assert str(not_a_function(("a", 0, "b"))) == "'a.0.b' is not a function."
    assert str(not_a_function(())) == "'' is not a function."


def test_a_disposed_stub_in_a_result_is_an_error_of_whoever_uses_it(host: SyncHost) -> None:
    hook = value({"a": PlainStub(DISPOSED)}, host)
    with pytest.raises(DisposedError):
        pulled(hook.call(("a", "m"), Payload([])))
