"""The client of a server in Node does what its README claims."""

from __future__ import annotations

from capnweb_runtime import connect
from examples.form.testing import as_documented
from examples.typescript_server.client import too_warm
from examples.typescript_server.generated.api import StationStub
from examples.typescript_server.node import served
from examples.typescript_server.schemas.api import AlarmHigh
from tests.needs import needs_node


@needs_node
def test_it_prints_what_is_documented_and_its_numbers_are_those_of_the_readme() -> None:
    ran = as_documented("typescript_server")
    assert ran.number("round trips for that") == 1
    assert ran.claims["limits of the cellar, after high alone was set"] == "(0.0, 12.0)"


@needs_node
async def test_what_the_server_calls_back_with_is_of_the_declared_classes() -> None:
    async with served() as url, connect(url, StationStub) as station:
        async with await station.sign_in("brass") as keeper:
            (alarm,) = await too_warm(keeper, "attic", [20, 31])
        assert isinstance(alarm, AlarmHigh)
        assert (alarm.reading.value, alarm.limit) == (31, 30)


@needs_node
async def test_options_are_sent_as_one_object_and_only_if_there_are_any() -> None:
    async with served() as url, connect(url, StationStub) as station:
        keeper = station.sign_in("brass")
        first = await station.last_reading("attic")
        assert first is not None
        assert (await keeper.report("attic", 1, at=first.at)).number == 2
        assert (await keeper.report("attic", 2)).number == 3
        assert [reading.at == first.at async for reading in keeper.history("attic")] == [True, True, False]


@needs_node
async def test_one_batch_over_http_is_answered_too() -> None:
    async with served() as url, connect(url.replace("ws://", "http://"), StationStub) as station:
        assert await station.sign_in("brass").station_name == "the old mill"
