"""Two sessions in one process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_runtime.errors import GoingAway, LimitExceeded, SessionClosed
from capnweb_runtime.limits import Limits
from capnweb_runtime.transports import memory
from tests.runtime.transports.example_api import Example, ExampleStub


class Repeating(Example):
    """Answers a number with a text of that length."""

    def echo(self, value: Any) -> Any:
        return "x" * int(value)


async def test_both_sides_call_each_other() -> None:
    a, b = memory.pair(Example(), Example())
    of_b, of_a = a.main(ExampleStub), b.main(ExampleStub)
    assert list(await asyncio.gather(of_b.add(1, 2), of_a.add(3, 4), of_b.apply(lambda n: n + 1, 5))) == [3, 7, 6]
    of_b.dispose()
    await b.wait_closed()


async def test_a_call_arrives_in_a_later_turn() -> None:
    a, b = memory.pair(None, Example())
    stub = a.main(ExampleStub)
    promise = stub.add(1, 2)
    assert b.stats().messages_received == 0
    assert await promise == 3
    stub.dispose()
    await a.wait_closed()


async def test_disposing_the_main_stub_ends_both_sides() -> None:
    a, b = memory.pair(None, Example())
    stub = a.main(ExampleStub)
    kept = stub.add(1, 2)
    stub.dispose()
    await a.wait_closed()
    await b.wait_closed()
    assert "disposing the main stub" in str(b.session.reason)
    with pytest.raises(SessionClosed, match="disposing the main stub"):
        await kept


async def test_the_other_side_is_told_what_a_socket_would_tell_it() -> None:
    for reason, told in ((SessionClosed("bye"), SessionClosed), (GoingAway("restart"), GoingAway)):
        a, b = memory.pair(None, Example())
        b.abort(reason, notify=False)
        await a.wait_closed()
        assert type(a.session.reason) is told


async def test_calls_see_no_task() -> None:
    a, _ = memory.pair(None, Example())
    stub = a.main(ExampleStub)
    assert await stub.task_name() == "none"
    stub.dispose()
    await a.wait_closed()


async def test_what_is_on_its_way_counts_as_queued() -> None:
    a, _ = memory.pair(None, Example())
    stub = a.main(ExampleStub)
    promise = stub.add(1, 2)
    waiting = a.queued_bytes
    a.flush()
    assert a.queued_bytes == waiting > 0
    await promise
    assert a.queued_bytes < waiting
    stub.dispose()
    await a.wait_closed()


async def test_a_sender_holds_back_what_the_other_side_has_not_taken() -> None:
    a, _ = memory.pair(None, Example())
    stub = a.main(ExampleStub)
    text = "x" * 30_000
    promises = [stub.echo(text) for _ in range(20)]
    on_their_way = a.queued_bytes - a.session.outbox_bytes
    assert memory.HIGH_WATER < on_their_way < memory.HIGH_WATER + 2 * len(text)
    assert await asyncio.gather(*promises) == [text] * 20
    stub.dispose()
    await a.wait_closed()


async def test_of_more_calls_than_the_outbox_holds_in_one_turn_those_beyond_are_refused_and_the_others_go_on() -> None:
    a, _ = memory.pair(None, Example(), limits=Limits(outbox_bytes=100_000))
    stub = a.main(ExampleStub)
    results = await asyncio.gather(*(stub.echo("x" * 30_000) for _ in range(20)), return_exceptions=True)
    answered = [result for result in results if result == "x" * 30_000]
    refused = [result for result in results if isinstance(result, LimitExceeded)]
    assert len(answered) >= 100_000 // 30_000
    assert len(answered) + len(refused) == 20
    assert "bytes wait to be sent" in str(refused[0])
    assert await stub.add(1, 2) == 3
    stub.dispose()
    await a.wait_closed()


async def test_answers_to_more_than_the_outbox_holds_in_one_turn_all_come() -> None:
    a, _ = memory.pair(None, Repeating(), limits=Limits(outbox_bytes=100_000))
    stub = a.main(ExampleStub)
    assert await asyncio.gather(*(stub.echo(30_000) for _ in range(50))) == ["x" * 30_000] * 50
    stub.dispose()
    await a.wait_closed()
