"""Each clause of the contract, with every engine."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_runtime.scale import Backplane, Bounds, Cursor, Event, Gap, Subscription
from tests.runtime.scale.engines import Engine, Memory

TOPIC = "room 7"


async def take(subscription: Subscription, number: int) -> list[bytes]:
    """The data of the next events; a gap is none of them."""
    async with asyncio.timeout(30):
        items = [await anext(subscription) for _ in range(number)]
    assert all(isinstance(item, Event) for item in items), items
    return [item.data for item in items if isinstance(item, Event)]


async def gap(subscription: Subscription) -> Gap:
    async with asyncio.timeout(30):
        item = await anext(subscription)
    assert isinstance(item, Gap), item
    return item


async def publish(backplane: Backplane, *numbers: int, topic: str = TOPIC) -> list[Cursor]:
    return [await backplane.publish(topic, b"%d" % number) for number in numbers]


async def test_events_come_in_the_order_in_which_they_were_published(engine: Engine) -> None:
    async with (
        engine.open() as here,
        engine.open() as there,
        here.subscribe(TOPIC) as one,
        there.subscribe(TOPIC) as other,
    ):
        cursors = await publish(here, 1, 2) + await publish(there, 3) + await publish(here, 4)
        assert await take(one, 4) == await take(other, 4) == [b"1", b"2", b"3", b"4"]
        assert [cursor.offset for cursor in cursors] == sorted({cursor.offset for cursor in cursors})
        assert one.cursor == other.cursor == cursors[-1]


async def test_several_processes_that_publish_at_once_are_seen_in_one_order(engine: Engine) -> None:
    async with (
        engine.open() as here,
        engine.open() as there,
        here.subscribe(TOPIC) as one,
        there.subscribe(TOPIC) as other,
    ):
        await asyncio.gather(publish(here, *range(50)), publish(there, *range(50, 100)))
        seen = await take(one, 100)
        assert seen == await take(other, 100)
        assert sorted(map(int, seen)) == [*range(100)]
        assert [int(data) for data in seen if int(data) < 50] == [*range(50)]


async def test_a_subscription_begins_with_what_is_published_after_it(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        await publish(there, 1, 2)
        async with here.subscribe(TOPIC) as subscription:
            await publish(there, 3)
            async with here.subscribe(TOPIC) as later:
                await publish(there, 4)
                assert await take(later, 1) == [b"4"]
            assert await take(subscription, 2) == [b"3", b"4"]


async def test_whoever_has_seen_nothing_can_resume(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        async with here.subscribe(TOPIC) as subscription:
            cursor = subscription.cursor
        await publish(there, 1)
        async with here.subscribe(TOPIC, cursor) as subscription:
            assert subscription.cursor == cursor
            assert await take(subscription, 1) == [b"1"]


async def test_what_was_missed_comes_once_and_then_what_is_new(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        cursors = await publish(here, *range(150))
        text = str(cursors[9])
        async with there.subscribe(TOPIC, Cursor.parse(text)) as subscription:
            await publish(here, 150)
            assert await take(subscription, 141) == [b"%d" % number for number in range(10, 151)]


async def test_whoever_has_missed_nothing_is_told_nothing(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        (*_, last) = await publish(here, 1, 2)
        await publish(here, 3, topic="another")
        async with there.subscribe(TOPIC, last) as subscription:
            await publish(here, 4)
            assert await take(subscription, 1) == [b"4"]


async def test_nothing_is_lost_between_history_and_what_is_new(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        first, *_ = await publish(here, 0)
        publishing = asyncio.create_task(publish(here, *range(1, 200)))
        for _ in range(20):
            async with there.subscribe(TOPIC, first) as subscription:
                assert await take(subscription, 1) == [b"1"]
        async with there.subscribe(TOPIC, first) as subscription:
            assert await take(subscription, 199) == [b"%d" % number for number in range(1, 200)]
        await publishing


async def test_what_is_no_longer_kept_is_a_gap(engine: Engine) -> None:
    bounds = Bounds(history_events=3)
    async with engine.open(bounds) as here, engine.open(bounds) as there:
        cursors = await publish(here, *range(6))
        async with there.subscribe(TOPIC, cursors[2]) as just:
            assert await take(just, 3) == [b"3", b"4", b"5"]
        async with there.subscribe(TOPIC, cursors[1]) as late:
            assert await gap(late) == Gap("trimmed", cursors[5])
            await publish(here, 6)
            assert await take(late, 1) == [b"6"]


async def test_a_cursor_of_the_future_is_a_gap(engine: Engine) -> None:
    async with engine.open() as here:
        (cursor,) = await publish(here, 1)
        async with here.subscribe(TOPIC, Cursor(cursor.epoch, cursor.offset + 1000)) as subscription:
            assert await gap(subscription) == Gap("ahead", cursor)
            assert subscription.cursor == cursor
            await publish(here, 2)
            assert await take(subscription, 1) == [b"2"]


async def test_a_cursor_of_another_life_is_a_gap(engine: Engine) -> None:
    async with engine.open() as here:
        (cursor,) = await publish(here, 1)
        async with here.subscribe(TOPIC, Cursor("0", 1)) as subscription:
            assert await gap(subscription) == Gap("epoch", cursor)
            await publish(here, 2)
            assert await take(subscription, 1) == [b"2"]


async def test_a_cursor_of_another_topic_is_a_gap(engine: Engine) -> None:
    """Also where all topics have their offsets from one stream, so that it would fit between two events."""
    async with engine.open() as here:
        await publish(here, 1)
        (elsewhere,) = await publish(here, 1, topic="another")
        (cursor,) = await publish(here, 2)
        async with here.subscribe(TOPIC, elsewhere) as subscription:
            assert await gap(subscription) == Gap("epoch", cursor)


@pytest.mark.parametrize("bounds", [Bounds(replay_events=5), Bounds(replay_bytes=60)], ids=["events", "bytes"])
async def test_more_than_is_replayed_is_a_gap(engine: Engine, bounds: Bounds) -> None:
    async with engine.open() as here, engine.open(bounds) as there:
        cursors = [await here.publish(TOPIC, b"0123456789") for _ in range(8)]
        async with there.subscribe(TOPIC, cursors[2]) as some:
            assert await take(some, 5) == [b"0123456789"] * 5
        async with there.subscribe(TOPIC, cursors[0]) as many:
            assert await gap(many) == Gap("too_far", cursors[-1])


@pytest.mark.parametrize("bounds", [Bounds(queue_events=4), Bounds(queue_bytes=4)], ids=["events", "bytes"])
async def test_a_slow_subscriber_has_a_gap_and_others_have_none(engine: Engine, bounds: Bounds) -> None:
    async with engine.open(bounds) as here, here.subscribe(TOPIC) as slow, here.subscribe(TOPIC) as quick:
        cursors = []
        for number in range(6):
            cursors += await publish(here, number)
            assert await take(quick, 1) == [b"%d" % number]
        assert await gap(slow) == Gap("slow", cursors[4])
        assert await take(slow, 1) == [b"5"]


async def test_an_id_is_published_once(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there, there.subscribe(TOPIC) as subscription:
        first = await here.publish(TOPIC, b"1", id="a")
        assert await there.publish(TOPIC, b"again", id="a") == first
        assert await here.publish(TOPIC, b"2", id="b") != first
        await here.publish("another", b"", id="a")
        await publish(here, 3)
        assert await take(subscription, 3) == [b"1", b"2", b"3"]


async def test_topics_are_apart_whatever_their_names(engine: Engine) -> None:
    names = ["a", "a.b", "a*", ">", "a b", "a:s", "a}:s", "{a}", "ä", "A", "%61", "é" * 75]
    async with engine.open() as here:
        before = {name: (await publish(here, 0, topic=name))[0] for name in names}
        for number, name in enumerate(names):
            await publish(here, number, topic=name)
        for number, name in enumerate(names):
            async with here.subscribe(name, before[name]) as subscription:
                assert await take(subscription, 1) == [b"%d" % number]


async def test_many_who_resume_at_once_ask_the_engine_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    async with engine.open() as here, engine.open() as there:
        cursors = await publish(here, *range(40))
        opened: Any = there
        asked = []
        page = opened.page

        async def counted(topic: str, after: Cursor | None, count: int) -> Any:
            asked.append(after)
            return await page(topic, after, count)

        monkeypatch.setattr(opened, "page", counted)
        subscriptions = [there.subscribe(TOPIC, cursors[number % 20]) for number in range(100)]
        async with asyncio.timeout(30):
            await asyncio.gather(*(subscription.__aenter__() for subscription in subscriptions))
        history = [after for after in asked if after in cursors[:20]]
        assert history == cursors[:1], "the first one's answer is the others' as well"
        for number, subscription in enumerate(subscriptions):
            assert await take(subscription, 1) == [b"%d" % (number % 20 + 1)]


async def test_many_who_resume_from_long_ago_read_each_part_of_the_history_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if that is more than a process keeps; it is kept until all have been told."""
    bounds = Bounds(recent_events=8)
    async with engine.open(bounds) as here, engine.open(bounds) as there:
        cursors = await publish(here, *range(200))
        opened: Any = there
        asked = 0
        page = opened.page

        async def counted(topic: str, after: Cursor | None, count: int) -> Any:
            nonlocal asked
            asked += after in cursors[:-1]  # whoever follows what is new begins at the last one
            return await page(topic, after, count)

        monkeypatch.setattr(opened, "page", counted)
        begins = [100, *range(20, 180, 2)]
        subscriptions = [there.subscribe(TOPIC, cursors[begin]) for begin in begins]
        async with asyncio.timeout(30):
            await asyncio.gather(*(subscription.__aenter__() for subscription in subscriptions))
        assert isinstance(engine, Memory) or asked <= 4, (
            "events after 100, and then those after 20 up to there, 64 at a time"
        )
        for begin, subscription in zip(begins, subscriptions, strict=True):
            assert await take(subscription, 199 - begin) == [b"%d" % number for number in range(begin + 1, 200)]
        assert len(opened._hub._feeds[TOPIC]._recent) <= 8


async def test_a_subscriber_that_is_cancelled_loses_nothing(engine: Engine) -> None:
    async with engine.open() as here, here.subscribe(TOPIC) as subscription:
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await publish(here, 1)
        assert await take(subscription, 1) == [b"1"]


async def test_subscriptions_end_with_their_backplane(engine: Engine) -> None:
    async with engine.open() as here, here.subscribe(TOPIC) as subscription:
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        await here.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(waiting, 30)
    with pytest.raises(RuntimeError, match="closed"):
        await here.subscribe(TOPIC).__aenter__()


async def test_a_topic_that_is_left_can_be_entered_again(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        for number in range(5):
            async with here.subscribe(TOPIC) as subscription, here.subscribe("another"):
                await publish(there, number)
                assert await take(subscription, 1) == [b"%d" % number]


async def test_a_subscription_has_no_cursor_before_it_is_entered(engine: Engine) -> None:
    async with engine.open() as here:
        with pytest.raises(RuntimeError, match="entered"):
            str(here.subscribe(TOPIC).cursor)


async def test_names_and_data_have_bounds(engine: Engine) -> None:
    async with engine.open(Bounds(event_bytes=10)) as here:
        for name in ("", "x" * 151, "\ud800"):
            with pytest.raises(ValueError, match=r"name has 1 to 150 bytes|surrogates"):
                await here.publish(name, b"")
            with pytest.raises(ValueError, match=r"name has 1 to 150 bytes|surrogates"):
                here.subscribe(name)
        for use in (here.publish("t", bytes(11)), here.put("k", bytes(11)), here.acquire("l", bytes(11), 1)):
            with pytest.raises(ValueError, match="11 bytes are more than the 10"):
                await use
        await here.publish("x" * 150, bytes(10))


async def test_a_value_is_put_read_and_deleted(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        assert await here.get("k") is None
        first = await here.put("k", b"1")
        second = await there.put("k", b"2")
        value = await here.get("k")
        assert value is not None
        assert (value.data, value.revision) == (b"2", second)
        assert first != second
        assert await here.delete("k")
        assert await there.get("k") is None
        assert await here.delete("k"), "it is gone, whoever did that"


async def test_a_value_changes_only_from_what_was_expected(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        first = await here.put("k", b"1", expect=0)
        assert first
        assert await there.put("k", b"x", expect=0) is None
        second = await there.put("k", b"2", expect=first)
        assert second
        assert await here.put("k", b"x", expect=first) is None
        assert not await here.delete("k", expect=first)
        value = await here.get("k")
        assert value is not None
        assert value.data == b"2"
        assert await here.delete("k", expect=second)
        assert await here.put("k", b"x", expect=second) is None
        third = await here.put("k", b"3", expect=0)
        assert third not in {first, second}


async def test_of_many_who_change_a_value_at_once_one_does(engine: Engine) -> None:
    async with engine.open() as here, engine.open() as there:
        revision = await here.put("k", b"")
        done = await asyncio.gather(*(one.put("k", b"x", expect=revision) for one in [here, there] * 5))
        assert len([one for one in done if one is not None]) == 1
