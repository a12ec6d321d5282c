"""Functions with defaults and keywords, passed to the npm package and given by it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from capnweb_runtime import connect, serve
from tests.gen.golden.callback_protocols import expected as api
from tests.gen.golden.callback_protocols.schema import Item, Job
from tests.gen.test_callback_protocols import Calls, Queue, recorder
from tests.interop.node import program
from tests.needs import needs_node

pytestmark = needs_node

SAW = Item(name="saw")


@pytest.fixture
async def reference() -> AsyncIterator[api.QueueStub]:
    """A queue that the npm package serves."""
    async with program("callbacks.mjs", "serve") as server:
        port = (await server.line()).removeprefix("listening ")
        async with connect(f"ws://127.0.0.1:{port}/", api.QueueStub) as queue:
            yield queue


async def test_a_function_is_called_with_keywords_and_without_what_has_a_default(reference: api.QueueStub) -> None:
    calls: Calls = []
    others: Calls = []
    assert await reference.watch(recorder(calls), [recorder(others)]) is None
    assert calls == [
        ("saw", 9, False, "nobody"),
        ("saw", 2, False, "nobody"),
        ("saw", 9, True, "nobody"),
        ("saw", 9, False, "Ada"),
    ]
    assert others == [("saw", 3, True, None)]


async def test_omitted_and_variadic_arguments_of_a_function(reference: api.QueueStub) -> None:
    batches: list[tuple[int, bool]] = []

    def judge(first: Item, second: Item | None = None, /, weight: float = 3.0) -> float:
        return weight

    async def total(start: int, *numbers: int) -> int:
        return start + sum(numbers)

    def on_batch(*items: Item, is_last: bool) -> None:
        batches.append((len(items), is_last))

    assert await reference.judge(judge, total, on_batch)(4, 1, 1) == 42
    assert batches == [(2, False), (0, True)]


async def test_functions_that_the_reference_gives_are_called_by_the_same_contract(reference: api.QueueStub) -> None:
    calls: Calls = []
    assert await reference.on_item(SAW, 2, urgent=True)
    assert not await reference.on_item(SAW, urgent=True)
    assert await reference.watch(recorder([]), [], recorder(calls))(SAW, sent_by="Bob")
    assert calls == [("saw", 9, False, "Bob")]


async def test_functions_in_fields_of_models(reference: api.QueueStub) -> None:
    calls: Calls = []
    function: Any = recorder(calls)
    assert await reference.job(Job(on_item=function, others=[function])).on_item(SAW)
    assert calls == [("saw", 9, True, "nobody"), ("saw", 7, False, "nobody")]


async def test_wrong_arguments_of_the_reference_are_refused(reference: api.QueueStub) -> None:
    seen: list[object] = []

    async def number(value: int, *, late: bool = False) -> int:
        seen.append(value)
        return value

    def visit(depth: int, again: api.VisitStub | None = None) -> None:
        seen.append(depth)

    with pytest.raises(TypeError, match="argument 'value': expected int, got str 'four'"):
        await reference.reply(number, lambda value, *, late=False: value, lambda item: None)
    with pytest.raises(TypeError, match="arguments: expected at most 2 arguments, got 3"):
        await reference.visit(visit)
    assert seen == []


async def test_a_client_passes_functions_and_calls_those_of_our_server() -> None:
    async with (
        serve(lambda peer: Queue(), "127.0.0.1", 0, path="/rpc") as server,
        program("callbacks.mjs", "call", server.url) as reference,
    ):
        said = [json.loads(line) for line in await reference.rest()]
    saw, nut = {"name": "saw"}, {"name": "nut"}
    assert said == [
        ["onItem", saw],
        ["onItem", saw, 2],
        ["onItem", saw, None, {"urgent": True, "sentBy": "Ada"}],
        ["onItem", nut, 3],
        ["onItem", nut, 4, {"urgent": True}],
        ["judge", saw, None, 2.5],
        ["judge", saw, nut, 3],
        ["total", 1],
        ["total", 1, 2, 3],
        ["onBatch", [saw, nut], {"isLast": False}],
        ["onBatch", [], {"isLast": True}],
        ["sum", 42],
        ["given", True, True],
        ["TypeError", "argument 'item': expected Item, got nothing"],
        ["TypeError", "argument 'count': expected int, got str '2'"],
        ["TypeError", "argument 'speed': expected one of the keywords urgent, sentBy, got an unknown one"],
        ["TypeError", "arguments: expected at most 2 arguments, got 3"],
    ]
