"""Publish and subscribe does what its README claims."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from capnweb_runtime import Reconnect, connect, serve
from capnweb_runtime.testing import PairFixture, Record
from examples.form.testing import as_documented
from examples.pubsub.client import Reader
from examples.pubsub.generated.pubsub import PubSubStub
from examples.pubsub.hub import Bounds, Hub
from examples.pubsub.schemas.pubsub import BadCursor, Batch, Gap, TooManyTopics
from examples.pubsub.seen import Seen
from tests.chaos.proxy import Proxy

BOUNDS = Bounds(topics=3, keep=5, batch=2, failures=3)


@pytest.fixture
async def bounded() -> AsyncIterator[None]:
    async with asyncio.timeout(60):
        yield


pytestmark = pytest.mark.usefixtures("bounded")


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("pubsub")
    assert ran.number("subscriptions at the server") == 0
    assert ran.claims["its imports and exports as before"] == "(1, 1)"
    assert ran.claims["the client's imports and exports, of which one is the server"] == "(1, 1)"
    assert ran.number("the server's memory has grown by") <= 8
    assert ran.claims["after kill -9, it sees what it has missed"] == "2 bread"
    assert ran.claims["gap that the slow one is told of"] == "[899]"


# ---- what is given back


@pytest.mark.capnweb(no_leaks=True)
async def test_a_subscription_that_is_disposed_of_leaves_nothing(capnweb_pair: PairFixture) -> None:
    hub = Hub(BOUNDS)
    async with capnweb_pair(hub, PubSubStub) as api:
        seen = Seen()
        subscribed = await api.subscribe("news", seen.deliver)
        await api.publish("news", "a")
        await seen.until(1)
        assert hub.stats().subscriptions == 1
        subscribed.subscription.dispose()
        await api.publish("news", "b")
    assert hub.stats().subscriptions == 0
    assert [event.text for event in seen.events] == ["a"]


async def test_a_call_is_released_once_it_has_its_answer(capnweb_pair: PairFixture, capnweb_calls: Record) -> None:
    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        await api.publish("news", "a")
        await api.publish("news", "b")
        assert [str(message) for message in capnweb_calls.wire[:4]] == [
            '-> ["push",["pipeline",0,["publish"],["news","a"]]]',
            '-> ["pull",1]',
            '<- ["resolve",1,1]',
            '-> ["release",1,1]',
        ]


async def test_a_session_that_ends_ends_its_subscriptions(capnweb_pair: PairFixture) -> None:
    hub = Hub(BOUNDS)
    async with capnweb_pair(hub, PubSubStub) as api:
        held = [await api.subscribe("news", Seen().deliver) for _ in range(3)]
        assert hub.stats().subscriptions == 3
    assert hub.stats().subscriptions == 0
    for subscribed in held:
        subscribed.subscription.dispose()


# ---- what is told


async def test_who_comes_back_with_a_cursor_gets_what_was_missed_in_batches(capnweb_pair: PairFixture) -> None:
    batches: list[Batch] = []
    seen = Seen()

    async def deliver(batch: Batch) -> None:
        batches.append(batch)
        await seen.deliver(batch)

    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        with (first := await api.subscribe("news", Seen().deliver)).subscription:
            pass
        for text in "abcde":
            await api.publish("news", text)
        with (await api.subscribe("news", deliver, first.cursor)).subscription:
            await seen.until(5)
        assert [len(batch.entries) for batch in batches] == [2, 2, 1]
        assert [event.text for event in seen.events] == list("abcde")


async def test_who_was_away_for_too_long_is_told_how_much_is_gone(capnweb_pair: PairFixture) -> None:
    seen = Seen()
    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        with (first := await api.subscribe("news", Seen().deliver)).subscription:
            pass
        for text in "abcdefg":
            await api.publish("news", text)
        with (await api.subscribe("news", seen.deliver, first.cursor)).subscription as subscription:
            await seen.until(5)
            assert (await subscription.status()).missed == 2
    assert (seen.gaps, [event.text for event in seen.events]) == ([2], list("cdefg"))


async def test_a_cursor_of_a_server_that_is_no_more_is_an_unknown_gap(capnweb_pair: PairFixture) -> None:
    seen = Seen()
    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        cursor = (await api.subscribe("news", seen.deliver)).cursor
    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        await api.publish("news", "a")
        with (await api.subscribe("news", seen.deliver, cursor)).subscription:
            await seen.until(1)
    assert (seen.gaps, seen.events[0].text) == ([None], "a")


async def test_a_reader_misses_nothing_when_its_connection_is_lost_before_anything_was_published() -> None:
    seen = Seen()
    reader = Reader("news", seen.deliver)
    hub = Hub(BOUNDS)
    async with serve(lambda peer: hub, "127.0.0.1", 0) as server, Proxy(server.port) as proxy:
        policy = Reconnect(first=0.001, on_connect=reader.subscribe)
        client = connect(proxy.url, PubSubStub, reconnect=policy)
        async with client, connect(server.url, PubSubStub) as publisher:
            proxy.cut()
            await publisher.publish("news", "a")
            await seen.until(1)
            for text in "bcd":
                await publisher.publish("news", text)
                await seen.until(len(seen.events) + 1)
                proxy.cut()
            await publisher.publish("news", "e")
            await seen.until(5)
    assert [event.text for event in seen.events] == list("abcde")
    assert not seen.gaps


# ---- bad subscribers


async def test_one_that_does_not_come_after_holds_nobody_up_and_is_told_of_the_gap(capnweb_pair: PairFixture) -> None:
    ready = asyncio.Event()
    slow, quick = Seen(wait_for=ready), Seen()
    hub = Hub(BOUNDS)
    async with capnweb_pair(hub, PubSubStub) as api:
        held = [await api.subscribe("news", slow.deliver), await api.subscribe("news", quick.deliver)]
        for number in range(1, 101):
            await api.publish("news", str(number))
            await quick.until(number)
        assert hub.stats().events == 5
        assert len(slow.events) == 1
        ready.set()
        await slow.until(6)
        assert slow.gaps == [94]
        for subscribed in held:
            subscribed.subscription.dispose()


async def test_one_that_raises_now_and_then_stays_and_one_that_always_does_is_given_up(
    capnweb_pair: PairFixture,
) -> None:
    calls: list[str] = []

    def sometimes(batch: Batch) -> None:
        for entry in batch.entries:
            assert not isinstance(entry, Gap)
            calls.append(entry.text)
        if len(calls) % 3:
            raise LookupError("no")

    def always(batch: Batch) -> None:
        raise LookupError("no")

    seen = Seen()
    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        some, none = await api.subscribe("news", sometimes), await api.subscribe("news", always)
        good = await api.subscribe("news", seen.deliver)
        for number in range(1, 10):
            await api.publish("news", str(number))
            await seen.until(number)
        status = await some.subscription.status()
        assert (status.is_live, status.failures, status.delivered) == (True, 6, 3)
        status = await none.subscription.status()
        assert (status.is_live, status.failures) == (False, 3)
        for subscribed in (some, none, good):
            subscribed.subscription.dispose()


@pytest.mark.parametrize("cursor", ["", "yesterday", ":1", "x:", "x:-1", "x:²"])
async def test_what_is_no_cursor_is_refused(capnweb_pair: PairFixture, cursor: str) -> None:
    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        with pytest.raises(BadCursor):
            await api.subscribe("news", Seen().deliver, cursor)


async def test_a_cursor_behind_the_last_event_is_refused(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        with (first := await api.subscribe("news", Seen().deliver)).subscription:
            with pytest.raises(BadCursor):
                await api.subscribe("news", Seen().deliver, first.cursor + "7")
            with pytest.raises(BadCursor):
                await api.subscribe("news", Seen().deliver, first.cursor + "0" * 30 + "7")


async def test_topics_are_bounded(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Hub(BOUNDS), PubSubStub) as api:
        for topic in "abc":
            await api.publish(topic, "")
        with pytest.raises(TooManyTopics):
            await api.publish("d", "")
        with pytest.raises(TypeError, match="topic"):
            await api.publish("", "")
