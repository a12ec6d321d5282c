# Read from examples/typescript_server/api.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What examples/typescript_server/api.ts declares."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Literal, Protocol

from pydantic import BaseModel
from typing_extensions import TypedDict

from capnweb_runtime.schema import Stub

WIRE_CASE = "camel"


class Reading(BaseModel):
    """A reading of one sensor."""

    sensor: str
    at: datetime

    value: float
    """In degrees Celsius."""


class AlarmHigh(BaseModel):
    kind: Literal["high"]
    reading: Reading
    limit: float


class AlarmSilent(BaseModel):
    kind: Literal["silent"]
    sensor: str
    since: datetime


Alarm = AlarmHigh | AlarmSilent


class Limits(TypedDict, total=False):
    low: float
    high: float


class Station(Protocol):
    """What everybody may do."""

    async def sign_in(self, key: str) -> Keeper:
        """Signs in.

        Args:
            key: As the label on the station says.
        """
        ...

    async def last_reading(self, sensor: str) -> Reading | None:
        """The last reading of a sensor, if it has ever sent one."""
        ...


class Keeper(Protocol):
    """What somebody may do who has the key."""

    @property
    def station_name(self) -> str: ...

    async def sensors(self) -> list[str]: ...

    async def set_limits(self, sensor: str, limits: Limits) -> RequiredLimits:
        """Sets what is given, and leaves the other limit as it is."""
        ...

    async def watch(self, on_alarm: Callable[[Alarm], None]) -> Stub:
        """Calls back for each alarm that a reading sets off."""
        ...

    async def report(self, sensor: str, value: float, *, at: datetime | None = None) -> ReportResult: ...

    async def history(self, sensor: str) -> AsyncIterator[Reading]:
        """All readings, oldest first."""
        ...


class RequiredLimits(BaseModel):
    low: float
    high: float


class ReportResult(BaseModel):
    number: float
    alarms: float


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=f723f96748 Reading=8489ed1625 AlarmHigh=ed96e5f61e AlarmSilent=8bdb64e5e5 Alarm=7b5031d87e
# capnweb-gen: Limits=30f2182a35 Station=7ebf034d54 Keeper=ddb8e58cba RequiredLimits=2dde2d93ae ReportResult=f35c2d0c59
