"""Calls of the application: results, errors, and what happens to their arguments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import ANY, INT
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.core.invoke import own_result, run
from capnweb_runtime.driving.asyncio_host import AsyncioHost
from capnweb_runtime.objects.streams import StreamCodec
from tests.runtime.example import COUNTER, LIST_COUNTER, Counter, CounterStub
from tests.runtime.pair import Counted, Recording, SyncHost, pulled


@pytest.fixture
def host() -> SyncHost:
    return SyncHost(Recording())


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

    async def test_arguments_are_kept_until_a_stream_that_is_returned_ends(self, host: SyncHost) -> None:
        held = Counted()

        async def stream() -> AsyncIterator[int]:
            yield held.references

        result = run(stream, (), {}, StreamCodec(INT), host, "f", [held])
        assert held.references == 1
        assert [chunk async for chunk in pulled(result).chunks] == [1]
        assert held.references == 0

    async def test_arguments_are_disposed_when_a_stream_that_is_returned_is_closed_unread(self) -> None:
        host = AsyncioHost(asyncio.get_running_loop())
        held = Counted()

        async def stream() -> AsyncIterator[int]:
            yield 1

        result = run(stream, (), {}, StreamCodec(INT), host, "f", [held])
        assert held.references == 1
        result.dispose()
        await asyncio.gather(*host.tasks)
        assert held.references == 0

    async def test_arguments_are_disposed_when_a_stream_that_is_returned_fails(self, host: SyncHost) -> None:
        held = Counted()

        class Failing:
            def __aiter__(self) -> AsyncIterator[int]:
                raise ValueError("no")

        result = run(Failing, (), {}, StreamCodec(INT), host, "f", [held])
        with pytest.raises(ValueError, match="no"):
            await anext(pulled(result).chunks)
        assert held.references == 0

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


def test_stubs_that_an_object_holds_which_is_returned_stay_its_own(host: SyncHost) -> None:
    @dataclass(eq=False)
    class Holding(Counter):
        held: CounterStub

        def __post_init__(self) -> None:
            super().__init__()

    inner = Counted()
    payload = Payload([Holding(CounterStub(inner))], LIST_COUNTER)
    own_result(payload, host)
    assert inner.references == 1
    payload.dispose()
    assert inner.references == 1


def test_stubs_that_are_returned_belong_to_the_caller(host: SyncHost) -> None:
    inner = Counted()
    payload = Payload({"a": [CounterStub(inner)]}, rpc.dict_of(rpc.list_of(COUNTER)))
    own_result(payload, host)
    assert inner.references == 1
    payload.dispose()
    assert inner.references == 0
