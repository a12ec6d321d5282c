"""Read by type checkers, never run: topics know what is published to them, and whoever follows one knows it too."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from typing import assert_type

from capnweb_runtime.scale import (
    Backplane,
    Following,
    Topic,
    TopicBatch,
    TopicEvent,
    TopicGap,
    TopicSubscription,
    follow,
)
from tests.runtime.scale.generated.rooms import EventsSaidStub, EventsSaidTarget, HouseStub
from tests.runtime.scale.schema.rooms import Said


async def publishing(backplane: Backplane) -> EventsSaidTarget:
    topic = Topic(backplane, "room/7", Said)
    assert_type(topic, Topic[Said])
    assert_type(await topic.publish(Said(number=1), id="1"), str)
    await topic.publish("hello")  # type: ignore[arg-type]
    Topic(backplane, "room/7", Said).subscribe(7)  # type: ignore[arg-type]
    async with topic.subscribe("epoch:1") as events:
        assert_type(events, TopicSubscription[Said])
        assert_type(await events.batch(), TopicBatch[Said])
        async for item in events:
            assert_type(item, TopicEvent[Said] | TopicGap)
            print(item.data)  # type: ignore[union-attr]
            if isinstance(item, TopicEvent):
                assert_type(item.data, Said)
    assert_type(topic.target(EventsSaidTarget), EventsSaidTarget)
    return topic.target(EventsSaidTarget)


async def following(house: HouseStub, held: EventsSaidStub) -> None:
    async with follow(house.room("7").events(), after="epoch:1") as events:
        assert_type(events, Following[Said])
        async for item in events:
            assert_type(item, TopicEvent[Said] | TopicGap)
    assert_type(follow(held), Following[Said])
    follow(house)  # type: ignore[arg-type]
    follow(held, after=7)  # type: ignore[arg-type]

    def deliver(batch: TopicBatch[Said]) -> None:
        for item in batch.items:
            match item.kind:
                case "event":
                    assert_type(item, TopicEvent[Said])
                case "gap":
                    assert_type(item, TopicGap)

    def misled(batch: TopicBatch[int]) -> None: ...

    await held.subscribe(deliver)
    await held.subscribe(misled)  # type: ignore[arg-type]
