"""The analytics do what their README claims."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime import AnyStub, connect
from capnweb_runtime.testing import PairFixture
from examples.form.processes import started
from examples.form.testing import as_documented
from examples.streaming_analytics.client import Source, live, made_up, windows_of
from examples.streaming_analytics.directly import directly
from examples.streaming_analytics.engine import MOST_SUMS, Engine
from examples.streaming_analytics.generated.analytics import AnalyticsStub
from examples.streaming_analytics.hub import BOUND, Hub, Watcher
from examples.streaming_analytics.schemas.analytics import Closed, ImpossibleWindows, Row, Spec, Window
from examples.streaming_analytics.server import Analytics

LIMIT = 60
"""Seconds in which whatever is waited for here has to come."""


def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("streaming_analytics")
    assert ran.number("tumbling windows") + ran.number("sliding windows") == 408
    assert ran.number("rows that an endless source gets rid of while nothing is read") <= 200_000
    assert ran.number("chunks that have waited for it at most") == BOUND
    assert ran.number("chunks that it has read, and chunks that it was told were left out") == 1000


ROWS = st.lists(st.builds(Row, st.integers(0, 300), st.sampled_from("ab"), st.integers(-9, 9)), max_size=60)


@given(rows=ROWS, panes=st.integers(1, 5), step=st.integers(3, 40), chunk=st.integers(1, 7))
def test_windows_are_those_of_a_direct_computation(rows: list[Row], panes: int, step: int, chunk: int) -> None:
    spec = Spec(size=panes * step, step=step, lateness=300)  # as much as there is disorder
    engine = Engine(spec)
    found: list[Window] = []
    for at in range(0, len(rows), chunk):
        engine.add(rows[at : at + chunk])
        found += engine.closed()
    found += engine.rest()
    assert found == directly(rows, spec)
    assert engine.late == 0


@given(rows=ROWS, step=st.integers(1, 40))
def test_a_row_is_in_its_window_or_counted_as_late(rows: list[Row], step: int) -> None:
    engine = Engine(Spec(size=step, step=step))
    counted = 0
    for row in rows:
        engine.add([row])
        counted += sum(window.count for window in engine.closed())
    assert counted + sum(window.count for window in engine.rest()) + engine.late == len(rows)


def test_a_gap_of_a_thousand_years_costs_nothing() -> None:
    engine = Engine(Spec(size=100, step=1))
    engine.add([Row(0, "ada", 1), Row(2**52, "ada", 1)])
    assert len(engine.closed()) == 100
    assert len(engine.rest()) == 100


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (Spec(size=1000, step=300), "multiple of step"),
        (Spec(size=101, step=1), "at most 100 times"),
        (Spec(size=10, step=10, lateness=1001), "lateness"),
    ],
)
async def test_windows_that_cannot_be_or_take_too_much_are_refused(
    capnweb_pair: PairFixture, spec: Spec, why: str
) -> None:
    async with asyncio.timeout(LIMIT), capnweb_pair(Analytics(Hub()), AnalyticsStub) as api:
        with pytest.raises(ImpossibleWindows, match=why):
            await windows_of(api, Source(made_up(1)), spec)


def test_what_is_held_is_bounded_by_sums_and_not_by_keys_alone() -> None:
    engine = Engine(Spec(size=10, step=10))
    for pane in range(3):  # each closes the one before
        engine.add([Row(10 * pane, f"key {number}", 1) for number in range(MOST_SUMS - 2)])
        engine.add([Row(10 * pane + 10, "key", 1)])
        assert len(engine.closed()) >= MOST_SUMS - 2
    with pytest.raises(ImpossibleWindows, match="more than 100000 sums"):
        engine.add([Row(40, f"key {number}", 1) for number in range(MOST_SUMS + 1)])


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"at": -1}, r"chunk\[0\]\.at: expected int of at least 0"),
        ({"key": ""}, r"chunk\[0\]\.key: expected str of length 1 or more"),
        ({"value": 1.5}, r"chunk\[0\]\.value: expected int, got float 1.5"),
        ({"value": None}, r"chunk\[0\]\.value: expected int, got None"),
    ],
)
async def test_a_malformed_row_is_refused_with_its_place(
    capnweb_pair: PairFixture, bad: dict[str, object], why: str
) -> None:
    rows = Source([])
    async with asyncio.timeout(LIMIT), capnweb_pair(Analytics(Hub()), AnyStub) as untyped:
        chunk = [{"at": 1, "key": "ada", "value": 1, **bad}]

        async def raw() -> AsyncIterator[object]:
            yield chunk

        with pytest.raises(TypeError, match=why):
            await untyped.call("ingest", raw())
        assert await untyped.call("ingest", rows) == 0


@pytest.mark.capnweb(no_leaks=True)
async def test_streams_side_by_side_leave_nothing(capnweb_pair: PairFixture) -> None:
    spec = Spec(size=100, step=10)
    async with asyncio.timeout(LIMIT), capnweb_pair(Analytics(Hub()), AnalyticsStub) as api:
        rows = [list(islice(made_up(seed), 300)) for seed in range(10)]
        found = await asyncio.gather(*(windows_of(api, Source(each, chunk=7), spec) for each in rows))
        assert [windows for windows, _ in found] == [directly(each, spec) for each in rows]


async def test_one_who_watches_in_time_misses_nothing(capnweb_pair: PairFixture) -> None:
    rows = list(islice(made_up(3), 5000))
    hub = Hub()
    async with asyncio.timeout(LIMIT), capnweb_pair(Analytics(hub), AnalyticsStub) as api, await api.watch() as watched:
        ingesting = asyncio.create_task(ingest(api, rows))
        seen: list[Window] = []
        async for closed in watched:
            assert closed.skipped == 0
            seen += closed.windows
            if seen[-1].end > 4000:
                break
        assert await ingesting == 5000
        assert seen == directly(rows, Spec(size=250, step=250))[: len(seen)]
    assert hub.watchers == []


async def ingest(api: AnalyticsStub, rows: list[Row]) -> int:
    """Add rows to what all see."""
    return await api.ingest(Source(rows, chunk=100))


async def test_a_watcher_that_is_told_of_a_gap_is_told_once() -> None:
    watcher = Watcher()
    for late in range(BOUND + 3):
        watcher.put(Closed(windows=[], late=late))
    assert await watcher.get() == Closed(windows=[], late=3, skipped=3)
    assert await watcher.get() == Closed(windows=[], late=4, skipped=0)
    assert watcher.most == BOUND


async def test_the_server_is_a_program_and_the_live_source_feeds_it() -> None:
    async with (
        asyncio.timeout(LIMIT),
        started("examples.streaming_analytics.server", "--port", "0") as server,
        connect(server.url, AnalyticsStub) as api,
        await api.watch() as watched,
    ):
        feeding = api.ingest(live(3000))
        assert {window.key for window in (await anext(watched)).windows} == {"ada", "bob", "eve"}
        feeding.dispose()
