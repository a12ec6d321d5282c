"""Topics with a type, with every engine."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from pydantic import BaseModel, RootModel

from capnweb_runtime.scale import Bounds, MemoryBackplane, Topic, TopicEvent, TopicGap
from capnweb_runtime.scale.topics import BATCH_EVENTS
from tests.runtime.scale.engines import Engine
from tests.runtime.scale.schema.rooms import Said


class Price(BaseModel):
    amount: float | None


class Picture(BaseModel):
    data: bytes


class Loud(Said):
    volume: int = 11


class Left(BaseModel):
    name: str


class Happened(RootModel[Said | Left]):
    pass


def of(items: list[TopicEvent[Said] | TopicGap]) -> list[int | str]:
    """The numbers of events, and the reasons of gaps."""
    return [item.reason if isinstance(item, TopicGap) else item.data.number for item in items]


async def test_what_is_published_arrives_as_it_was_behind_its_cursor(engine: Engine) -> None:
    async with (
        asyncio.timeout(30),
        engine.open() as here,
        engine.open() as there,
        Topic(there, "room", Said).subscribe() as events,
    ):
        cursors = [await Topic(here, "room", Said).publish(Said(number=number, text="ä")) for number in range(3)]
        items = [await anext(events) for _ in range(3)]
        assert items == [TopicEvent(cursor, Said(number=number, text="ä")) for number, cursor in enumerate(cursors)]
        assert events.cursor == cursors[-1]


async def test_a_cursor_as_text_resumes_behind_what_was_seen_or_where_nothing_was(engine: Engine) -> None:
    async with engine.open() as backplane, asyncio.timeout(30):
        topic = Topic(backplane, "room", Said)
        async with topic.subscribe() as events:
            nothing = events.cursor
        first = await topic.publish(Said(number=1))
        await topic.publish(Said(number=2))
        async with topic.subscribe(first) as behind, topic.subscribe(nothing) as before:
            assert of([await anext(behind)]) == [2]
            assert of([await anext(before), await anext(before)]) == [1, 2]


async def test_an_id_is_published_once(engine: Engine) -> None:
    async with engine.open() as backplane:
        topic = Topic(backplane, "room", Said)
        assert await topic.publish(Said(number=1), id="one") == await topic.publish(Said(number=1), id="one")


async def test_a_gap_says_why_and_where_it_goes_on(engine: Engine) -> None:
    async with engine.open() as backplane, asyncio.timeout(30):
        topic = Topic(backplane, "room", Said)
        async with topic.subscribe("another-life:17") as events:
            gap = await anext(events)
            assert isinstance(gap, TopicGap)
            assert (gap.reason, gap.cursor) == ("epoch", events.cursor)
            await topic.publish(Said(number=1))
            assert of([await anext(events)]) == [1]


async def test_what_is_no_cursor_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ValueError, match="'yesterday' is no cursor"):
        Topic(MemoryBackplane(), "room", Said).subscribe("yesterday")


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (Price, Price(amount=math.nan)),
        (Picture, Picture(data=b"\xff")),
        (Said, Price(amount=1.0)),
        (Said, Said.model_construct(number="one")),
        (int, "one"),
    ],
)
async def test_what_could_not_be_read_as_it_was_is_refused_where_it_is_published(model: Any, data: Any) -> None:
    topic = Topic(MemoryBackplane(), "room", model)
    async with topic.subscribe() as events:
        with pytest.raises(TypeError):
            await topic.publish(data)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0)


async def test_an_instance_of_a_subclass_is_published_as_the_class_of_the_topic() -> None:
    topic = Topic(MemoryBackplane(), "room", Said)
    async with topic.subscribe() as events:
        cursor = await topic.publish(Loud(number=1, text="!"))
        assert await anext(events) == TopicEvent(cursor, Said(number=1, text="!"))


async def test_a_topic_may_be_of_one_of_several_types() -> None:
    topic = Topic(MemoryBackplane(), "room", Happened)
    async with topic.subscribe() as events:
        await topic.publish(Happened(Left(name="ada")))
        item = await anext(events)
        assert isinstance(item, TopicEvent)
        assert item.data.root == Left(name="ada")


async def test_an_event_of_another_type_is_a_gap_and_the_next_one_is_read(caplog: pytest.LogCaptureFixture) -> None:
    backplane = MemoryBackplane()
    topic = Topic(backplane, "room", Said)
    async with topic.subscribe() as events:
        cursor = await backplane.publish("room", b'{"number": "from a later version"}')
        await topic.publish(Said(number=2))
        assert await anext(events) == TopicGap("unreadable", str(cursor))
        assert of([await anext(events)]) == [2]
    assert f"the event at {cursor} is no Said" in caplog.text


async def test_a_batch_has_what_is_there_and_no_more_than_its_bound() -> None:
    topic = Topic(MemoryBackplane(), "room", Said)
    async with topic.subscribe() as events:
        for number in range(BATCH_EVENTS + 1):
            await topic.publish(Said(number=number))
        first, second = await events.batch(), await events.batch()
        assert (of(first.items), of(second.items)) == ([*range(BATCH_EVENTS)], [BATCH_EVENTS])
        assert second.cursor == events.cursor == second.items[-1].cursor


async def test_a_batch_of_large_events_is_small() -> None:
    topic = Topic(MemoryBackplane(), "room", Said)
    async with topic.subscribe() as events:
        for number in range(8):
            await topic.publish(Said(number=number, text="x" * 250_000))
        assert [len((await events.batch()).items) for _ in range(2)] == [5, 3]


async def test_a_batch_of_nothing_is_the_end() -> None:
    backplane = MemoryBackplane()
    async with Topic(backplane, "room", Said).subscribe() as events:
        await backplane.close()
        assert (await events.batch()).items == []


async def test_a_subscriber_that_leaves_too_much_unread_gets_a_gap() -> None:
    topic = Topic(MemoryBackplane(bounds=Bounds(queue_events=3)), "room", Said)
    async with topic.subscribe() as events:
        for number in range(5):
            await topic.publish(Said(number=number))
        assert of((await events.batch()).items) == ["slow", 4]
