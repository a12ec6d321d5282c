"""What a reader makes of what comes to it, in whatever order."""

from __future__ import annotations

import asyncio

from capnweb_runtime.scale import Bounds, Cursor, Event, Gap
from capnweb_runtime.scale.feed import Feed
from capnweb_runtime.scale.subscription import Mark, QueuedSubscription


def event(offset: int, previous: int, epoch: str = "e") -> Event:
    return Event(Cursor(epoch, offset), b"", previous)


def followed(offset: int = 10) -> tuple[Feed, QueuedSubscription]:
    """A feed at a position, and a subscriber of it."""
    feed = Feed("t", Bounds())
    feed.position = Cursor("e", offset)

    async def join(subscription: QueuedSubscription) -> None:
        raise AssertionError("it has begun")

    subscription = QueuedSubscription("t", None, Bounds(), join, feed.subscribers.discard)
    feed.subscribers.add(subscription)
    subscription.begin(feed.at, ())
    return feed, subscription


async def told(subscription: QueuedSubscription) -> list[Event | Gap]:
    items: list[Event | Gap] = []
    while True:
        waiting = asyncio.ensure_future(anext(subscription))
        await asyncio.sleep(0)
        if not waiting.done():
            waiting.cancel()
            return items
        items.append(waiting.result())


async def test_events_that_were_trimmed_before_they_were_read_are_a_gap() -> None:
    feed, subscription = followed()
    for step in (event(11, 10), event(15, 14), event(16, 15)):
        feed.take(step)
    assert await told(subscription) == [
        event(11, 10),
        Gap("trimmed", Cursor("e", 14)),
        event(15, 14),
        event(16, 15),
    ]


async def test_offsets_that_are_of_other_topics_are_no_gap() -> None:
    feed, subscription = followed()
    for step in (event(11, 7), event(15, 11)):
        feed.take(step)
    assert await told(subscription) == [event(11, 7), event(15, 11)]


async def test_what_comes_twice_is_told_once() -> None:
    feed, subscription = followed()
    for step in (event(11, 10), event(10, 9), event(11, 10), event(12, 11)):
        feed.take(step)
    assert await told(subscription) == [event(11, 10), event(12, 11)]


async def test_another_epoch_begins_with_a_gap_and_the_last_one_is_over() -> None:
    feed, subscription = followed()
    for step in (event(1, 0, "f"), event(11, 10), event(2, 1, "f")):
        feed.take(step)
    feed.judge(Cursor("e", 12), Cursor("e", 10))
    assert await told(subscription) == [Gap("epoch", Cursor("f", 0)), event(1, 0, "f"), event(2, 1, "f")]


async def test_an_engine_that_is_behind_its_reader_is_a_gap() -> None:
    feed, subscription = followed()
    feed.judge(Cursor("e", 8), Cursor("e", 10))
    feed.take(event(9, 8))
    assert await told(subscription) == [Gap("ahead", Cursor("e", 8)), event(9, 8)]


async def test_an_answer_from_before_the_last_event_is_no_gap() -> None:
    feed, subscription = followed()
    feed.take(event(11, 10))
    feed.judge(Cursor("e", 10), Cursor("e", 10))
    assert await told(subscription) == [event(11, 10)]


async def test_a_mark_moves_cursors_and_is_not_told() -> None:
    feed, subscription = followed()
    feed.take(Mark(Cursor("e", 12), 10))
    assert await told(subscription) == []
    assert subscription.cursor == Cursor("e", 12)
    feed.take(event(13, 12))
    assert await told(subscription) == [event(13, 12)]


async def test_recent_events_answer_those_who_were_gone_for_a_moment() -> None:
    feed, _ = followed()
    assert feed.since(Cursor("e", 9)) is None
    assert feed.since(Cursor("e", 10)) == []
    feed.take(event(11, 10))
    assert feed.since(Cursor("e", 10)) == [event(11, 10)]
    assert feed.since(Cursor("e", 12)) is None
    assert feed.since(Cursor("f", 10)) is None
    feed.recall([event(8, 7), event(9, 8), event(10, 9), event(11, 10)])
    assert feed.since(Cursor("e", 8)) == [event(9, 8), event(10, 9), event(11, 10)]


async def test_what_is_in_the_history_is_not_told_again() -> None:
    """What happens while the history is read is offered meanwhile, and stands in it as well."""
    feed, _ = followed()

    async def join(subscription: QueuedSubscription) -> None:
        feed.subscribers.add(subscription)
        for step in (event(11, 10), event(12, 11), event(13, 12)):
            feed.take(step)
        subscription.begin(Cursor("e", 9), [event(10, 9), event(11, 10), event(12, 11)])

    subscription = QueuedSubscription("t", None, Bounds(), join, feed.subscribers.discard)
    async with subscription:
        assert await told(subscription) == [event(10, 9), event(11, 10), event(12, 11), event(13, 12)]


async def test_what_was_offered_of_an_epoch_that_is_over_is_not_told() -> None:
    feed, _ = followed()

    async def join(subscription: QueuedSubscription) -> None:
        feed.subscribers.add(subscription)
        feed.take(event(11, 10))
        feed.judge(Cursor("f", 2), feed.at)
        feed.take(event(3, 2, "f"))
        subscription.begin(Cursor("f", 2), [])

    subscription = QueuedSubscription("t", None, Bounds(), join, feed.subscribers.discard)
    async with subscription:
        assert await told(subscription) == [event(3, 2, "f")]
