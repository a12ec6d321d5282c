"""What a schema can say of dates and times."""

from datetime import date, datetime
from typing import Annotated, Protocol

from pydantic import (
    AwareDatetime,
    BaseModel,
    FutureDate,
    FutureDatetime,
    NaiveDatetime,
    PastDate,
    PastDatetime,
)

from capnweb_runtime.schema import Microseconds

Exact = Annotated[datetime, Microseconds("keep")]


class Event(BaseModel):
    at: AwareDatetime
    announced: PastDatetime
    wall_clock: NaiveDatetime
    born: PastDate
    measured: Annotated[datetime, Microseconds("keep")]
    rounded: Annotated[datetime, Microseconds("round")]
    whole: list[Annotated[datetime, Microseconds("refuse")] | None] = []


class Calendar(Protocol):
    async def add(self, event: Event) -> Event: ...
    async def plan(self, day: FutureDate, at: FutureDatetime | None = None) -> PastDate: ...
    async def log(self, at: Exact, seen: Annotated[datetime | None, Microseconds("refuse")]) -> Annotated[datetime, Microseconds("round")]: ...
    async def local(self, at: NaiveDatetime) -> NaiveDatetime: ...
    async def since(self, at: PastDatetime) -> dict[Exact, date]: ...
