"""`python -m examples.typescript_server`: starts the server in Node, and calls it with what was made of its api.ts."""

from __future__ import annotations

import asyncio

from click.testing import CliRunner

from capnweb_gen.cli import main as capnweb_gen
from capnweb_runtime import RpcError, connect
from examples.form.report import Report
from examples.form.running import run
from examples.typescript_server.client import too_warm
from examples.typescript_server.generated.api import StationStub
from examples.typescript_server.node import HERE, served
from examples.typescript_server.schemas.api import AlarmHigh


async def typescript_server(report: Report) -> None:
    """Everything that the README claims."""
    report.section("api.ts is read, and what was written of it is up to date")
    report.check("capnweb-gen from-typescript has nothing to write", await asyncio.to_thread(read_again) == "")
    async with served() as url:
        await calls(report, url)
        await alarms(report, url)
        await mistakes(report, url)


def read_again() -> str:
    """What the command says when it is run once more."""
    arguments = ["from-typescript", str(HERE / "api.ts"), "--out", str(HERE / "schemas"), "--quiet"]
    return CliRunner().invoke(capnweb_gen, arguments).output


async def calls(report: Report, url: str) -> None:
    """Methods, properties, models and streams, each as api.ts declares it."""
    report.section("A typed client of a server in Node")
    session = connect(url, StationStub)
    async with session as station:
        name = station.sign_in("brass").station_name  # a promise of a promise: nothing was awaited
        report.check("name of the station, read of what sign_in() will give", await name, "the old mill")
        report.check("round trips for that", session.stats().round_trips, 1)
        keeper = station.sign_in("brass")
        sensors = await keeper.sensors()
        report.check("sensors", ", ".join(sensors), "attic, cellar")
        reading = await station.last_reading("attic")
        assert reading is not None
        report.check(f"degrees in the attic at {reading.at:%H:%M} UTC", reading.value, 21.5)
        report.check("last reading of the cellar, which is null there", await station.last_reading("cellar"), None)
        report.check("readings in the history", [one.value async for one in keeper.history("attic")], [21.5])


async def alarms(report: Report, url: str) -> None:
    """Callbacks that the server calls, and members that may be left out."""
    report.section("What is left out is left out, and callbacks are called")
    async with connect(url, StationStub) as station, await station.sign_in("brass") as keeper:
        limits = await keeper.set_limits("cellar", {"high": 12})  # `low` is not sent: null would replace what is there
        report.check("limits of the cellar, after high alone was set", (limits.low, limits.high), (0.0, 12.0))
        found = await too_warm(keeper, "cellar", [11, 13, 14])
        values = [alarm.reading.value for alarm in found if isinstance(alarm, AlarmHigh)]
        report.check("alarms, each of the class that its `kind` says", values, [13.0, 14.0])
        last = await keeper.report("cellar", 20)
        report.check("watchers once the handle is given up", last.alarms, 0.0)


async def mistakes(report: Report, url: str) -> None:
    """What the server refuses arrives as what it is."""
    report.section("Errors of the server")
    async with connect(url, StationStub) as station:
        refused = await report.refused('sign_in("wood")', station.sign_in("wood"), TypeError)
        report.say(str(refused))
        missing = await report.refused('last_reading("garden")', station.last_reading("garden"), RpcError)
        report.say(str(missing))


if __name__ == "__main__":
    run("typescript_server", typescript_server)
