"""What a client of the station does: `python -m examples.typescript_server.client ws://127.0.0.1:8080/`."""

from __future__ import annotations

import asyncio
import sys

from capnweb_runtime import connect
from examples.typescript_server.generated.api import KeeperStub, StationStub
from examples.typescript_server.schemas.api import Alarm


async def too_warm(keeper: KeeperStub, sensor: str, values: list[float]) -> list[Alarm]:
    """The alarms that values of a sensor set off."""
    alarms: list[Alarm] = []
    async with keeper.watch(alarms.append):
        for value in values:
            await keeper.report(sensor, value)
    return alarms


async def main(url: str) -> None:
    """Sign in, and print what there is."""
    async with connect(url, StationStub) as station:
        keeper = station.sign_in("brass")
        print(await keeper.station_name, await keeper.sensors())
        reading = await station.last_reading("attic")
        print(reading.value if reading else "nothing yet")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
