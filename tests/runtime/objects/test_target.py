"""Targets: what a peer can reach, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.errors import RpcError
from capnweb_runtime.limits import Limits
from capnweb_runtime.objects.target import RpcTarget, target_hook
from capnweb_runtime.transports import memory
from tests.runtime.example import COUNTER, Counter, CounterTarget, Desk, DeskSpec, DeskStub, DeskTarget
from tests.runtime.pair import Recording, Side, SyncHost, pulled


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


class FineCounterSpec(NamedSpec):
    rename = rpc.method("rename", rpc.STR, rpc.param("name", rpc.STR), cancellable=True)


class FineCounterTarget(NamedTarget, spec=FineCounterSpec):
    pass


class Named(NamedTarget):
    """What implements an interface, for those that implement one that extends it."""


class FineCounter(Named, FineCounterTarget):
    """Takes some of its methods from a class that knows less than its interface."""


def test_a_member_is_as_the_interface_says_that_extends_the_other_wherever_it_is_implemented() -> None:
    assert FineCounter._rpc_members["rename"] == ("rename", FineCounterSpec.rename)
    assert Named._rpc_members["rename"] == ("rename", NamedSpec.rename)
    assert set(FineCounter._rpc_members) == {"displayName", "rename"}
    assert FineCounter._rpc_interface == "FineCounter"


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
            f"""["reject",1,["error","TypeError","'{name}' is not a function of Desk."]]"""
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


class Releasing(Counter):
    """Gives up what it holds with some awaiting; `gate` lets it go on, `ended` tells how it ended."""

    def __init__(self, gate: asyncio.Event, error: Exception | None = None) -> None:
        super().__init__()
        self.gate = gate
        self.error = error
        self.begun = asyncio.Event()
        self.ended: list[str] = []

    async def dispose(self) -> None:  # type: ignore[override]  # Counter's own disposer says that it is none
        self.begun.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        self.ended.append("released")
        if self.error is not None:
            raise self.error


class Making(Desk):
    def __init__(self, target: CounterTarget) -> None:
        super().__init__()
        self.target = target

    def counter(self, start: int = 0) -> CounterTarget:
        return self.target


class TestAsyncDisposers:
    async def test_one_runs_as_a_task_once_the_last_stub_is_gone(self) -> None:
        target = Releasing(asyncio.Event())
        a, b = memory.pair(None, Making(target), observer=Recording())
        counter = await a.main(DeskStub).counter()
        with counter.dup():
            counter.dispose()
            await asyncio.sleep(0)
            assert not target.begun.is_set()
        await asyncio.wait_for(target.begun.wait(), 10)
        assert b.host.running == b.host.everybody.count == 1
        target.gate.set()
        a.session.remote_main.dispose()
        await asyncio.wait_for(b.wait_closed(), 10)
        assert target.ended == ["released"]
        assert b.host.running == b.host.everybody.count == 0

    async def test_its_failure_is_reported_and_concerns_nobody_else(self) -> None:
        gate = asyncio.Event()
        gate.set()
        observer = Recording()
        a, b = memory.pair(None, Making(Releasing(gate, ValueError("no"))), observer=observer)
        desk = a.main(DeskStub)
        (await desk.counter()).dispose()
        assert await desk.add(1, 2) == 3
        desk.dispose()
        await asyncio.wait_for(b.wait_closed(), 10)
        assert [(where, str(error)) for where, error in observer.failures] == [("Releasing.dispose", "no")]

    async def test_the_end_of_the_session_waits_for_it_and_cancels_it_not(self) -> None:
        target = Releasing(asyncio.Event())
        a, b = memory.pair(None, Making(target), observer=Recording())
        counter = await a.main(DeskStub).counter()
        a.session.remote_main.dispose()
        await asyncio.wait_for(target.begun.wait(), 10)
        await asyncio.wait_for(a.wait_closed(), 10)
        b.host.cancel_all()
        assert not b.closed
        assert b.host.disposing
        target.gate.set()
        await asyncio.wait_for(b.wait_closed(), 10)
        assert target.ended == ["released"]
        counter.dispose()

    async def test_it_counts_as_a_call_so_that_a_peer_cannot_leave_any_number_behind(self) -> None:
        target = Releasing(asyncio.Event())
        a, b = memory.pair(None, Making(target), limits=Limits(calls=1), observer=Recording())
        desk = a.main(DeskStub)
        (await desk.counter()).dispose()
        await asyncio.wait_for(target.begun.wait(), 10)
        with pytest.raises(RpcError, match="1 calls are running"):
            await desk.add(1, 2)
        target.gate.set()
        desk.dispose()
        await asyncio.wait_for(b.wait_closed(), 10)

    async def test_those_that_run_can_be_cancelled(self) -> None:
        target = Releasing(asyncio.Event())
        observer = Recording()
        a, b = memory.pair(None, Making(target), observer=observer)
        (await a.main(DeskStub).counter()).dispose()
        await asyncio.wait_for(target.begun.wait(), 10)
        a.session.remote_main.dispose()
        b.host.cancel_disposers()
        await asyncio.wait_for(b.wait_closed(), 10)
        assert target.ended == ["cancelled"]
        assert observer.failures == []
