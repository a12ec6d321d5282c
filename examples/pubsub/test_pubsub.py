"""Publish and subscribe does what its README claims."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from capnweb_runtime import Reconnect, connect, serve
from capnweb_runtime.scale import Backplane, Bounds, MemoryBackplane, MemoryStore, TopicEvent, follow, open_backplane
from capnweb_runtime.testing import PairFixture
from examples.form.testing import Ran, as_documented
from examples.pubsub.generated.pubsub import PubSubStub
from examples.pubsub.hub import Hub
from examples.pubsub.seen import Seen
from tests.chaos.proxy import Proxy
from tests.needs import needs_redis
from tests.runtime.scale.servers import RedisServer

LIMIT = 60
"""Seconds in which whatever is waited for here has to come."""


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """The URL of a Redis of this file's own."""
    server = RedisServer()
    yield server.url
    server.close()


@pytest.fixture(params=["memory", pytest.param("redis", marks=needs_redis)])
async def backplanes(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Backplane, Backplane]]:
    """Those of two servers."""
    if request.param == "memory":
        store = MemoryStore()
        yield MemoryBackplane(store), MemoryBackplane(store)
    else:
        url: str = request.getfixturevalue("redis")
        async with open_backplane(url) as one, open_backplane(url) as other:
            yield one, other


def numbers(ran: Ran) -> None:
    assert ran.claims["imports and exports of the server: this client, and what it has"] == "(1, 1)"
    assert ran.claims["the client's imports and exports, of which one is the server"] == "(1, 1)"
    assert ran.number("the server's memory has grown by") <= 8
    assert ran.claims["after kill -9, it sees what it has missed"] == "bread"
    assert ran.number("events that a quick one was told meanwhile") == 1000


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    numbers(as_documented("pubsub"))


@needs_redis
def test_it_prints_the_same_with_its_topics_in_redis(redis: str) -> None:
    numbers(as_documented("pubsub", "--backplane", redis))


@pytest.mark.capnweb(no_leaks=True)
async def test_a_subscription_that_is_disposed_of_leaves_nothing(capnweb_pair: PairFixture) -> None:
    async with asyncio.timeout(LIMIT), capnweb_pair(Hub(MemoryBackplane()), PubSubStub) as api:
        seen = Seen()
        with await api.topic("news").subscribe(seen.deliver):
            await api.publish("news", "a")
            await seen.until(1)
        await api.publish("news", "b")
    assert seen.items == ["a"]


async def test_who_subscribes_at_one_server_is_told_what_is_published_at_another(
    capnweb_pair: PairFixture, backplanes: tuple[Backplane, Backplane]
) -> None:
    here, there = backplanes
    seen, again = Seen(), Seen()
    async with (
        asyncio.timeout(LIMIT),
        capnweb_pair(Hub(here), PubSubStub) as api,
        capnweb_pair(Hub(there), PubSubStub) as publisher,
    ):
        with await api.topic("news").subscribe(seen.deliver):
            cursor = await seen.begun()
            assert await publisher.publish("news", "a", "id of a") == await publisher.publish("news", "a", "id of a")
            await publisher.publish("news", "b")
            assert await seen.until(2) == ["a", "b"]
        with await publisher.topic("news").subscribe(again.deliver, cursor):
            assert await again.until(2) == ["a", "b"]


async def test_a_reader_misses_nothing_when_its_connection_is_lost_before_anything_was_published(
    backplanes: tuple[Backplane, Backplane],
) -> None:
    async with (
        asyncio.timeout(LIMIT),
        serve(lambda peer: Hub(backplanes[0]), "127.0.0.1", 0) as server,
        Proxy(server.port) as proxy,
        connect(server.url, PubSubStub) as publisher,
        connect(proxy.url, PubSubStub, reconnect=Reconnect(first=0.001)) as api,
        follow(api.topic("lost and found")) as events,
    ):
        for text in "abcde":
            proxy.cut()
            await publisher.publish("lost and found", text)
            item = await anext(events)
            assert isinstance(item, TopicEvent)
            assert item.data.text == text


async def test_one_that_does_not_come_after_holds_nobody_up_and_is_told_of_the_gap(capnweb_pair: PairFixture) -> None:
    ready = asyncio.Event()
    slow, quick = Seen(wait_for=ready), Seen()
    hub = Hub(MemoryBackplane(bounds=Bounds(queue_events=5)))
    async with asyncio.timeout(LIMIT), capnweb_pair(hub, PubSubStub) as api:
        with await api.topic("news").subscribe(slow.deliver), await api.topic("news").subscribe(quick.deliver):
            for number in range(1, 101):
                await api.publish("news", str(number))
                await quick.until(number)
                await slow.until(1)
            assert slow.items == ["1"]
            ready.set()
            assert await slow.until(5) == ["1", "gap: slow", "98", "99", "100"]


@pytest.mark.parametrize("cursor", ["", "yesterday", ":1", "x:", "x:-1", "x:²"])
async def test_what_is_no_cursor_is_refused(capnweb_pair: PairFixture, cursor: str) -> None:
    async with capnweb_pair(Hub(MemoryBackplane()), PubSubStub) as api:
        with pytest.raises(ValueError, match="is no cursor"):
            await api.topic("news").subscribe(Seen().deliver, cursor)


async def test_names_and_texts_are_bounded(capnweb_pair: PairFixture) -> None:
    async with capnweb_pair(Hub(MemoryBackplane()), PubSubStub) as api:
        for topic, text in (("", "a"), ("x" * 65, "a"), ("news", "x" * 10_001)):
            with pytest.raises(TypeError, match="expected str of length"):
                await api.publish(topic, text)
