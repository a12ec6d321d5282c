"""What is told to clients of workers that cannot be told everything: exactly one gap, with its reason, and what follows
it without another.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

import pytest

from capnweb_runtime import connect
from capnweb_runtime.scale import Backplane, Bounds, Cursor
from tests.runtime.scale.conftest import SERVED
from tests.runtime.scale.engines import SERVERS, Served, served
from tests.scale.generated.relay import RelayStub
from tests.scale.schema.relay import Told
from tests.scale.subscriber import Record, follow, publish
from tests.scale.workers import workers

BOUNDS = Bounds(history_events=20, replay_events=10, queue_events=8)


async def told(api: RelayStub, after: str, backplane: Backplane, last: int) -> list[str]:
    """Reasons of gaps, and numbers, that a client is told, up to one that is published once it follows."""
    items = []
    async with asyncio.timeout(60):
        async for item in api.follow("t", after):
            if item.gap or item.data:
                items.append(item.gap or item.data)
            else:
                await backplane.publish("t", b"%d" % last)
            if item.data == str(last):
                return items
    raise AssertionError("it ended")


async def test_a_client_with_a_cursor_that_does_not_fit_is_told_why_and_goes_on(shared: Served) -> None:
    async with workers(shared.server.url, shared.name, 1, BOUNDS) as (worker,), shared.open(BOUNDS) as backplane:
        cursors = [await backplane.publish("t", b"%d" % number) for number in range(1, 31)]
        elsewhere = [await backplane.publish("other", b"%d" % number) for number in range(1, 3)][-1]
        ahead = Cursor(cursors[0].epoch, cursors[-1].offset + 1_000)
        cases = {
            str(cursors[4]): "trimmed",
            str(cursors[12]): "too_far",
            str(ahead): "ahead",
            f"0:{cursors[-1].offset}": "epoch",
        }
        async with connect(worker.url, RelayStub) as api:
            for number, (after, reason) in enumerate(cases.items(), 31):
                assert await told(api, after, backplane, number) == [reason, str(number)]
            assert await told(api, str(cursors[-1]), backplane, 35) == ["31", "32", "33", "34", "35"]
            assert await told(api, str(elsewhere), backplane, 36) == ["epoch", "36"], "a cursor of another topic"


async def test_a_slow_client_has_one_gap_and_the_worker_keeps_little_for_it(shared: Served) -> None:
    """What is not read waits on the line, then in the queue, and then nowhere."""
    bounds = Bounds(history_events=400, queue_events=100)
    record = Record(lambda: 300)
    async with (
        workers(shared.server.url, shared.name, 1, bounds) as (worker,),
        shared.open(bounds) as backplane,
        connect(worker.url, RelayStub) as api,
        asyncio.timeout(60),
    ):
        stream = aiter(api.follow("t", ""))
        record.see(await anext(stream))
        for number in range(1, 301):
            await backplane.publish("t", f"{number:<32000}".encode())
        while (await api.load()).waiting > bounds.queue_events:
            pass
        while not record.gaps:
            record.see(await anext(stream))
        await backplane.publish("t", b"301")
        while record.last < 301:
            record.see(await anext(stream))
    assert record.gaps == ["slow"]
    assert 0 < record.events < 300


def beginning_with(urls: list[str], place: int) -> list[str]:
    return urls[place:] + urls[:place]


@pytest.mark.parametrize("kind", SERVED)
async def test_clients_learn_of_a_killed_engine_or_miss_nothing(kind: str) -> None:
    """The engine is killed and started again while numbers are published, twice; the second time it forgets all."""
    engine = served(SERVERS[kind]())
    written = [0]

    def write(number: int) -> None:
        written[0] = number

    records = [Record(lambda: written[0], f"subscriber {number}") for number in range(4)]
    try:
        async with workers(engine.server.url, engine.name, 2) as running, asyncio.timeout(120):
            urls = [worker.url for worker in running]
            following = [
                asyncio.create_task(follow(record, partial(beginning_with, urls, place % 2), "t"))
                for place, record in enumerate(records)
            ]
            await asyncio.gather(*(record.begun() for record in records))
            for life in range(3):
                numbers = range(100 * life + 1, 100 * life + 101)
                publishing = asyncio.create_task(publish(lambda: urls, "t", numbers, write))
                await records[0].until(numbers[20])
                if life < 2:
                    engine.server.kill()
                    if life:
                        engine.server.lose()
                    engine.server.start()
                await publishing
                await asyncio.gather(*(record.until(numbers[-1]) for record in records))
            for task in following:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
    finally:
        engine.server.close()
    for record in records:
        assert set(record.gaps) == {"epoch"}, "that all was lost is not kept from anybody"


def test_what_a_client_is_told_shows_what_was_lost_and_doubled() -> None:
    """The judge itself."""
    for items, wrong in (
        ([Told("e:1", "1"), Told("e:3", "3")], "none between"),
        ([Told("e:1", "1"), Told("e:1", "1")], "again"),
        ([Told("e:1", "1"), Told("e:7", gap="epoch"), Told("e:9", "9")], "none between"),
        ([Told("e:1", "1"), Told("e:7", gap="epoch"), Told("e:8", "3"), Told("e:9", "6")], ""),
    ):
        record = Record(lambda: 5)
        if wrong:
            with pytest.raises(AssertionError, match=wrong):
                see_all(record, items)
        else:
            see_all(record, items)


def see_all(record: Record, items: list[Told]) -> None:
    for item in items:
        record.see(item)
