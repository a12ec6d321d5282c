"""The model of many workers says of few what the implementation does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from capnweb_runtime.scale import Bounds, Cursor, Gap
from tests.needs import needs_redis
from tests.runtime.scale.engines import Engine, Memory, served
from tests.scale.simulation import Model, Setting, load, settings, waiting


@pytest.fixture(params=["memory", pytest.param("redis", marks=needs_redis)])
def engine(request: pytest.FixtureRequest) -> Engine:
    return Memory() if request.param == "memory" else served(request.getfixturevalue("redis_server"))


@pytest.mark.parametrize(
    ("workers", "subscribers", "topics", "missed"), [(1, 20, 1, 10), (3, 60, 4, 100), (4, 40, 10, 200), (2, 10, 2, 330)]
)
async def test_reads_of_the_engine_are_those_of_the_model(
    engine: Engine, workers: int, subscribers: int, topics: int, missed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = Bounds(history_events=300)
    model = Model(Setting(workers, subscribers, topics, rate=1.0, away=float(missed), bounds=bounds), seed=3)
    storm = model.run()
    positions, history = await reads(engine, model.joined, missed, bounds, monkeypatch)
    assert (storm.positions, storm.history) == (positions, history)


async def reads(
    engine: Engine, joined: list[tuple[int, int]], missed: int, bounds: Bounds, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, int]:
    """Positions and pages of history that workers ask for when those subscribers come, one after the other."""
    asked: list[Cursor | None] = []
    opened: Any = [engine.open(bounds) for _ in range(1 + max(worker for worker, _ in joined))]
    await asyncio.gather(*(one.__aenter__() for one in opened))
    try:
        begin = {topic: await opened[0].publish(str(topic), b"0") for _, topic in joined}
        for topic in begin:
            for number in range(missed):
                await opened[0].publish(str(topic), b"%d" % number)
        for one in opened:
            monkeypatch.setattr(one, "page", counted(one.page, asked))
        for worker, topic in joined:
            await opened[worker].subscribe(str(topic), begin[topic]).__aenter__()
        return asked.count(None), len(asked) - asked.count(None)
    finally:
        await asyncio.gather(*(one.close() for one in opened))


def counted(page: Any, asked: list[Cursor | None]) -> Any:
    async def wrapped(topic: str, after: Cursor | None, count: int) -> Any:
        asked.append(after)
        return await page(topic, after, count)

    return wrapped


@pytest.mark.parametrize("published", [0, 3, 5, 6, 9, 10, 11, 14, 40])
async def test_what_waits_for_a_subscriber_is_what_the_model_says(published: int) -> None:
    bounds = Bounds(queue_events=5)
    async with Memory().open(bounds) as here, here.subscribe("t") as subscription:
        for number in range(published):
            await here.publish("t", b"%d" % number)
        queue: Any = subscription
        found = [*queue._queue]
        assert (len(found), bool(found) and isinstance(found[0], Gap)) == waiting(published, bounds)


def test_the_model_is_repeated_from_its_seed() -> None:
    setting = Setting(3, 300, 10)
    assert load(setting, 1) == load(setting, 1)
    assert load(setting, 1).storm != load(setting, 2).storm


def test_what_is_met_first_is_what_the_engine_sends_to_many_workers() -> None:
    """A topic whose subscribers are everywhere is read everywhere; a thousand on one worker cost one reader."""
    small, *_, large = [load(setting) for setting in list(settings())[:3]]
    assert small.first == "memory of a worker"
    assert large.first == "events sent to workers"
    assert large.pairs > 50 * large.setting.topics
