"""A topic as a capability: who is told what, and what is left when it is over."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import pytest

from capnweb_runtime.scale import (
    BackplaneUnavailable,
    Bounds,
    Cursor,
    MemoryBackplane,
    Topic,
    TopicBatch,
    TopicEvent,
    TopicGap,
    TopicUnavailable,
    follow,
)
from capnweb_runtime.scale.following import _Subscribed
from capnweb_runtime.scale.hub import Page
from capnweb_runtime.scale.topic_target import _Batches, _Telling
from capnweb_runtime.testing import PairFixture
from tests.runtime.scale.generated.rooms import EventsSaidTarget, HouseStub, RoomTarget
from tests.runtime.scale.rooms import House
from tests.runtime.scale.schema.rooms import Said
from tests.runtime.scale.test_topics import Left

no_leaks = pytest.mark.capnweb(no_leaks=True)


class Heard:
    """A subscriber."""

    def __init__(self) -> None:
        self.batches: list[TopicBatch[Said]] = []
        self.may_return = asyncio.Event()
        self.may_return.set()
        self._more = asyncio.Condition()

    async def deliver(self, batch: TopicBatch[Said]) -> None:
        async with self._more:
            self.batches.append(batch)
            self._more.notify_all()
        await self.may_return.wait()

    @property
    def items(self) -> list[int | str]:
        return [
            item.reason if isinstance(item, TopicGap) else item.data.number
            for batch in self.batches
            for item in batch.items
        ]

    async def until(self, number: int) -> None:
        """A number of batches has come."""
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: len(self.batches) >= number)

    async def until_item(self, item: int | str) -> None:
        async with asyncio.timeout(30), self._more:
            await self._more.wait_for(lambda: item in self.items)


def subscribers(backplane: MemoryBackplane) -> int:
    return sum(len(feed.subscribers) for feed in backplane._hub._feeds.values())


async def until(condition: Callable[[], bool]) -> None:
    """Lets the loop turn until something is so."""
    async with asyncio.timeout(30):
        for _ in iter(condition, True):
            await asyncio.sleep(0)


async def ended(backplane: MemoryBackplane) -> None:
    """Nobody is subscribed any more."""
    await until(lambda: not subscribers(backplane))


@no_leaks
async def test_the_first_thing_said_is_the_cursor_and_then_what_happens(capnweb_pair: PairFixture) -> None:
    backplane, heard = MemoryBackplane(), Heard()
    async with capnweb_pair(House(backplane), HouseStub) as house, house.room("7") as promise:
        room = await promise
        with await room.events().subscribe(heard.deliver):
            await heard.until(1)
            assert heard.batches[0].items == []
            cursor = await room.say(1)
            await heard.until(2)
        await ended(backplane)
        await room.say(2)
        again = Heard()
        with await room.events().subscribe(again.deliver, heard.batches[0].cursor):
            await again.until(2)
            assert again.batches[0].cursor == heard.batches[0].cursor
            assert again.items == [1, 2]
        assert heard.items == [1]
        assert heard.batches[1].cursor == cursor
        await ended(backplane)


async def test_a_stream_says_the_same_and_notices_that_its_reader_has_stopped(capnweb_pair: PairFixture) -> None:
    backplane = MemoryBackplane()
    async with capnweb_pair(House(backplane), HouseStub) as house, house.room("7") as promise:
        room = await promise
        async with asyncio.timeout(30), await room.events().stream() as stream:
            first = await anext(stream)
            await room.say(1)
            second = await anext(stream)
        assert (first.items, second.cursor) == ([], second.items[0].cursor)
        assert subscribers(backplane) == 1
        await room.say(2)
        await ended(backplane)


async def test_a_stream_on_which_nothing_happens_says_where_it_is_and_loses_nothing(
    capnweb_pair: PairFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Batches, "silence", 0.0)
    backplane = MemoryBackplane()
    async with capnweb_pair(House(backplane), HouseStub) as house, house.room("7") as promise:
        room = await promise
        async with asyncio.timeout(30), await room.events().stream() as stream:
            first, second = await anext(stream), await anext(stream)
            assert first == second
            for number in range(50):
                await room.say(number)
            seen: list[int] = []
            while len(seen) < 50:
                seen += [item.data.number for item in (await anext(stream)).items if isinstance(item, TopicEvent)]
            assert seen == [*range(50)]
        await ended(backplane)


@no_leaks
async def test_the_next_batch_is_sent_once_the_last_one_is_settled_and_what_is_too_much_is_a_gap(
    capnweb_pair: PairFixture,
) -> None:
    backplane, heard, quick = MemoryBackplane(bounds=Bounds(queue_events=100)), Heard(), Heard()
    async with capnweb_pair(House(backplane), HouseStub) as house, house.room("7") as promise:
        room = await promise
        with await room.events().subscribe(heard.deliver), await room.events().subscribe(quick.deliver):
            await heard.until(1)
            heard.may_return.clear()
            await room.say(0)
            await heard.until(2)
            for number in range(1, 101):
                await room.say(number)
            assert len(heard.batches) == 2
            heard.may_return.set()
            await heard.until(4)
            assert [len(batch.items) for batch in heard.batches] == [0, 1, 64, 36]
            heard.may_return.clear()
            await room.say(101)
            await heard.until(5)
            for number in range(102, 250):
                await room.say(number)
            heard.may_return.set()
            await heard.until(6)
            assert heard.items[102:104] == ["slow", 203]
            assert "slow" not in quick.items
        await ended(backplane)


@no_leaks
async def test_a_function_that_fails_is_told_that_it_was_the_last_one_and_others_hear_on(
    capnweb_pair: PairFixture,
) -> None:
    told: list[TopicBatch[Said]] = []

    def fails(batch: TopicBatch[Said]) -> None:
        told.append(batch)
        if batch.items:
            raise LookupError("no")

    backplane, heard = MemoryBackplane(), Heard()
    async with capnweb_pair(House(backplane), HouseStub) as house, house.room("7") as promise:
        room = await promise
        with await room.events().subscribe(fails), await room.events().subscribe(heard.deliver):
            await heard.until(1)
            assert subscribers(backplane) == 2
            await room.say(1)
            await room.say(2)
            await until(lambda: subscribers(backplane) == 1)
            await room.say(3)
            await heard.until_item(3)
            assert [batch.items for batch in told[2:]] == [[TopicGap("ended", told[0].cursor)]]
            assert heard.items == [1, 2, 3]
        await ended(backplane)


@no_leaks
async def test_a_backplane_that_is_closed_ends_what_it_tells(capnweb_pair: PairFixture) -> None:
    backplane, heard = MemoryBackplane(), Heard()
    async with capnweb_pair(House(backplane), HouseStub) as house:
        with await house.room("7").events().subscribe(heard.deliver):
            await heard.until(1)
            await backplane.close()
            await heard.until_item("ended")


@no_leaks
async def test_subscriptions_that_are_over_leave_nothing_behind_in_a_session_that_goes_on(
    capnweb_pair: PairFixture,
) -> None:
    heard = Heard()
    async with (
        capnweb_pair(House(MemoryBackplane()), HouseStub) as house,
        await house.room("7") as room,
        await room.events() as events,
    ):
        for _ in range(10):
            (await events.subscribe(heard.deliver)).dispose()
            async with follow(events):
                pass

        def left() -> list[object]:
            gc.collect()
            return [one for one in gc.get_objects() if isinstance(one, (_Telling, _Subscribed))]

        await until(lambda: left() == [])


async def test_the_end_of_a_session_ends_its_subscriptions(capnweb_pair: PairFixture) -> None:
    backplane, heard = MemoryBackplane(), Heard()
    async with capnweb_pair(House(backplane), HouseStub) as house:
        events = house.room("7").events()
        subscription = await events.subscribe(heard.deliver)
        stream = await events.stream()
        await heard.until(1)
        await anext(stream)
        assert subscribers(backplane) == 2
    await ended(backplane)
    subscription.dispose()


@no_leaks
async def test_what_is_no_cursor_and_what_is_of_another_topic_are_told_apart(capnweb_pair: PairFixture) -> None:
    backplane, heard = MemoryBackplane(), Heard()
    async with capnweb_pair(House(backplane), HouseStub) as house:
        with pytest.raises(ValueError, match="is no cursor"):
            await house.room("7").events().subscribe(heard.deliver, "yesterday")
        with pytest.raises(ValueError, match="is no cursor"):
            await house.room("7").events().subscribe(heard.deliver, "")
        other = await house.room("8").say(1)
        with await house.room("7").events().subscribe(heard.deliver, other):
            await heard.until(2)
            assert heard.items == ["epoch"]
    await ended(backplane)


@no_leaks
async def test_an_engine_that_does_not_answer_is_told_as_that(capnweb_pair: PairFixture) -> None:
    class Away(MemoryBackplane):
        async def page(self, topic: str, after: Cursor | None, count: int) -> Page:
            raise BackplaneUnavailable("it does not answer")

    async with capnweb_pair(House(Away()), HouseStub) as house:
        for call in (house.room("7").events().subscribe(Heard().deliver), house.room("7").events().stream()):
            with pytest.raises(TopicUnavailable, match="it does not answer"):
                await call


def test_a_target_of_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="EventsSaidTarget tells of Said, and this is a topic of Left"):
        Topic(MemoryBackplane(), "room", Left).target(EventsSaidTarget)
    for kind in (RoomTarget, Heard):
        with pytest.raises(TypeError, match="give the class that was generated for it"):
            Topic(MemoryBackplane(), "room", Said).target(kind)


@no_leaks
async def test_a_class_of_ones_own_keeps_what_it_does(capnweb_pair: PairFixture) -> None:
    gone: list[str] = []

    class Counted(EventsSaidTarget):
        def dispose(self) -> None:
            gone.append("it")

    class Counting(House):
        def forgotten(self, name: str) -> EventsSaidTarget:
            return Topic(MemoryBackplane(), name, Said).target(Counted)

    heard = Heard()
    async with capnweb_pair(Counting(MemoryBackplane()), HouseStub) as house:
        async with house.forgotten("7") as promise:
            with await (await promise).subscribe(heard.deliver):
                await heard.until(1)
        await until(lambda: gone == ["it"])
