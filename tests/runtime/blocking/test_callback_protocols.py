"""Callback protocols on the blocking face: functions that are passed get blocking objects, and those that come wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from capnweb_runtime import connect_blocking, serve
from capnweb_runtime.blocking import run
from tests.gen.golden.callback_protocols import expected as api
from tests.gen.golden.callback_protocols.schema import Item
from tests.gen.test_callback_protocols import Calls, Queue, recorder

SAW = Item(name="saw")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a queue, which is served on a loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    serving = serve(lambda peer: Queue(), "127.0.0.1", 0)

    async def start() -> str:
        return (await serving.__aenter__()).url

    yield asyncio.run_coroutine_threadsafe(start(), loop).result()
    asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def queue(url: str) -> Iterator[api.QueueBlockingStub]:
    with connect_blocking(url, api.QueueBlockingStub) as main:
        yield main


def test_functions_of_the_peer_wait_for_what_they_give(queue: api.QueueBlockingStub) -> None:
    with queue.on_item as on_item:
        assert isinstance(on_item, api.OnItemBlockingStub)
        assert on_item(SAW)
        assert on_item(SAW, 2, urgent=True)
        with on_item.dup() as other:
            assert other(item=SAW, sent_by="Ada")


def test_a_function_is_called_with_keywords_and_without_what_has_a_default(queue: api.QueueBlockingStub) -> None:
    calls: Calls = []
    given = queue.watch(recorder(calls), [recorder(calls)], queue.on_item)
    assert calls == [
        ("saw", 9, False, "nobody"),
        ("saw", 2, False, "nobody"),
        ("saw", 9, True, "Ada"),
        ("nut", 3, False, "nobody"),
        ("nut", 4, True, "nobody"),
    ]
    assert given is not None
    with given:
        assert given(SAW, urgent=True)


def test_capabilities_that_a_function_is_given_are_blocking_also_by_name(queue: api.QueueBlockingStub) -> None:
    given: list[str] = []

    def visit(depth: int, again: api.VisitBlockingStub | None = None) -> api.VisitBlockingStub | None:
        given.append(type(again).__name__)
        return None

    with queue.visit(visit) as found:
        assert found(2) is None
        assert found(depth=3, again=visit) is None
    assert given == ["VisitBlockingStub", "NoneType", "VisitBlockingStub"]


def test_what_comes_by_keyword_is_covered_too(queue: api.QueueBlockingStub) -> None:
    given: list[str] = []

    async def copy(
        source: api.SourceBlockingStub, chunks: object, *, into: object, on_item: api.OnItemBlockingStub | None = None
    ) -> list[int]:
        given.extend(type(one).__name__ for one in (source, chunks, into, on_item))
        raise LookupError("seen")

    with pytest.raises(LookupError, match="seen"):
        queue.copy(copy)
    assert given == ["SourceBlockingStub", "BlockingReadable", "BlockingWritable", "OnItemBlockingStub"]


def test_run_hands_over_the_function_that_does_not_wait(queue: api.QueueBlockingStub) -> None:
    with queue.on_item as on_item:
        assert run(on_item, lambda function: function(SAW, urgent=True))
