"""Hooks over targets and functions: by table only, and disposed with the last reference."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime.core.codecs import INT
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.core.interface import ANY_METHOD, method, param
from capnweb_runtime.core.refs import PlainStub
from capnweb_runtime.core.target_hooks import FunctionHook, Shares, TargetHook
from capnweb_runtime.errors import DisposedError
from capnweb_runtime.values import UNDEFINED
from tests.runtime.example import Counter, CounterSpec, Desk, DeskSpec
from tests.runtime.pair import Counted, Recording, SyncHost, pulled

ONE = method("", INT, param("n", INT))


@pytest.fixture
def host() -> SyncHost:
    return SyncHost(Recording())


def function_hook(function: Any, host: SyncHost) -> FunctionHook:
    return FunctionHook(function, ANY_METHOD, host, "function")


def target_hook(target: Any, host: SyncHost) -> TargetHook:
    hook = target._export(host)
    assert isinstance(hook, TargetHook)
    return hook


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
        with pytest.raises(TypeError, match=rf"^'{name}' is not a function of Desk\.$"):
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
