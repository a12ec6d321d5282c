"""Targets: what a peer can reach, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.objects.target import RpcTarget, target_hook
from tests.runtime.example import COUNTER, Counter, CounterTarget, Desk, DeskSpec, DeskTarget
from tests.runtime.pair import Side, SyncHost, pulled


class NamedSpec(rpc.Interface):
    name = rpc.prop("displayName", rpc.STR)
    rename = rpc.method("rename", rpc.NONE, rpc.param("name", rpc.STR))


class NamedTarget(RpcTarget, spec=NamedSpec):
    pass


class NamedCounter(NamedTarget, Counter):
    """Implements two interfaces."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "first"

    def rename(self, name: str) -> None:
        self.name = name

    def helper(self) -> str:
        return "not in any table"


def test_a_class_that_implements_two_interfaces_has_both_tables() -> None:
    hook = target_hook(NamedCounter(), SyncHost())
    pulled(hook.call(("rename",), Payload(["second"])))
    assert pulled(hook.get(("displayName",))) == "second"
    assert pulled(hook.call(("increment",), Payload([2]))) == 2
    with pytest.raises(TypeError, match="'helper' is not a function"):
        pulled(hook.call(("helper",), Payload([])))
    hook.dispose()


def test_tables_of_classes_do_not_mix() -> None:
    assert set(Counter._rpc_members) == {"value", "increment", "itself"}
    assert set(NamedCounter._rpc_members) == {"value", "increment", "itself", "displayName", "rename"}
    assert set(Desk._rpc_members) == set(DeskSpec.rpc_members)
    assert RpcTarget._rpc_members == {}


def test_a_subclass_that_overrides_a_method_is_called() -> None:
    class Doubling(Counter):
        def increment(self, n: int = 1) -> int:
            return super().increment(2 * n)

    hook = target_hook(Doubling(), SyncHost())
    assert pulled(hook.call(("increment",), Payload([3]))) == 6
    hook.dispose()


def test_a_class_that_looks_alike_is_no_target() -> None:
    class LooksAlike:
        value = 5

        def increment(self, n: int = 1) -> int:
            return n

    impostor: Any = LooksAlike()
    with pytest.raises(Mismatch) as caught:
        COUNTER.encode(impostor, Side().session)
    assert caught.value.actual == "an instance of LooksAlike"


def test_an_incomplete_target_cannot_be_made() -> None:
    class Incomplete(CounterTarget):
        pass

    incomplete: Any = Incomplete
    with pytest.raises(TypeError, match="abstract"):
        incomplete()


def test_dispose_does_nothing_unless_overridden() -> None:
    class Silent(DeskTarget):
        pass

    target_hook(Silent(), SyncHost()).dispose()


UNREACHABLE = [
    *("__class__", "__init__", "__dict__", "__globals__", "__reduce_ex__", "__subclasshook__", "__getattribute__"),
    *("dispose", "_export", "_rpc_members", "_abc_impl", "_export_kind", "secret", "log", "held", "_make"),
    *("hold_counter", "by_name"),  # names in Python that differ from those on the wire
]


class TestOverTheWire:
    """What a peer may try, message by message."""

    @pytest.mark.parametrize("name", UNREACHABLE)
    def test_a_name_that_the_schema_does_not_declare_cannot_be_called(self, name: str) -> None:
        target = Desk()
        side = Side(target)
        assert side.hear(["push", ["pipeline", 0, [name], []]], ["pull", 1]) == [
            f"""["reject",1,["error","TypeError","'{name}' is not a function."]]"""
        ]
        assert (target.log, target.disposed) == ([], 0)

    @pytest.mark.parametrize("name", UNREACHABLE)
    def test_nor_read(self, name: str) -> None:
        side = Side(Desk())
        assert side.hear(["push", ["pipeline", 0, [name]]], ["pull", 1]) == ['["resolve",1,["undefined"]]']
        assert (
            "Cannot read properties of undefined" in side.hear(["push", ["pipeline", 0, [name, "x"]]], ["pull", 2])[0]
        )

    @pytest.mark.parametrize(
        "path",
        [
            *(["nothing", "__globals__"], ["nothing", "__self__", "secret"], ["nothing", "__func__", "__code__"]),
            *(["best", "__class__"], ["best", "model_dump"], ["best", "model_config"], ["best", "tags", "append"]),
            *(["best", "title", "format"], ["best", "title", "__class__"], ["best", "pages"], ["best", "title", 0]),
            *(["home", "disposed"], ["home", "count"], ["home", "__class__"], ["home", "increment", "__self__"]),
            *([0], ["best", 0], ["best", "tags", -1], ["best", "tags", "0"]),
        ],
        ids=str,
    )
    def test_nor_any_attribute_by_way_of_a_result(self, path: list[Any]) -> None:
        side = Side(Desk())
        (answer,) = side.hear(["push", ["pipeline", 0, path]], ["pull", 1])
        assert answer == '["resolve",1,["undefined"]]' or "Cannot read properties of undefined" in answer
        (answer,) = side.hear(["push", ["pipeline", 0, path, []]], ["pull", 2])
        assert "is not a function" in answer or "Cannot read properties of undefined" in answer

    @pytest.mark.parametrize(
        ("method", "args"),
        [("echo", [{"a": 1}]), ("echo", ["text"]), ("book", ["Emma"]), ("ints", [3]), ("fail", ["x"]), ("nothing", [])],
        ids=str,
    )
    @pytest.mark.parametrize(
        "name", ["__class__", "__init__", "keys", "append", "format", "model_dump", "args", "__traceback__"]
    )
    def test_results_of_methods_have_keys_and_no_attributes(self, method: str, args: list[Any], name: str) -> None:
        side = Side(Desk())
        side.hear(["push", ["pipeline", 0, [method], [*args]]])
        (answer,) = side.hear(["push", ["pipeline", 1, [name]]], ["pull", 2])
        assert answer == '["resolve",2,["undefined"]]' or answer.startswith('["reject",2,["error","ValueError","x"]')
        (answer,) = side.hear(["push", ["pipeline", 1, [name, "__globals__"]]], ["pull", 3])
        assert answer.startswith('["reject",3,')
        assert not side.session.closed

    def test_callbacks_and_capabilities_that_came_in_have_no_attributes_either(self) -> None:
        side = Side(Desk())
        side.hear(["push", ["pipeline", 0, ["counter"], []]], ["pull", 1], ["release", 1, 1])
        for number, path in enumerate((["_hook"], ["count"], ["__class__"]), 2):
            assert side.hear(["push", ["pipeline", -1, path]], ["pull", number]) == [
                f'["resolve",{number},["undefined"]]'
            ]

    def test_a_table_name_that_javascript_objects_inherit_reads_as_undefined(self) -> None:
        side = Side(Desk())
        for number, name in enumerate(("toString", "constructor", "__proto__", "toJSON"), 1):
            assert side.hear(["push", ["pipeline", 0, [name]]], ["pull", number]) == [
                f'["resolve",{number},["undefined"]]'
            ]
