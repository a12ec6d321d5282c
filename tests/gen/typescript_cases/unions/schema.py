# Read from tests/gen/typescript_cases/unions/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/unions/schema.ts declares."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, Protocol

from pydantic import BaseModel
from typing_extensions import TypedDict

Either = str | float | list[str]


class ShapeCircle(BaseModel):
    kind: Literal["circle"]
    radius: float


class ShapeSquare(BaseModel):
    kind: Literal["square"]
    side: float


Shape = ShapeCircle | ShapeSquare


class EventMade(TypedDict):
    id: float
    at: NotRequired[datetime]
    type: Literal["made"]
    by: str


class EventGone(TypedDict):
    id: float
    at: NotRequired[datetime]
    type: Literal["gone"]


Event = EventMade | EventGone


class ResultFloatOk(BaseModel):
    ok: Literal[True]
    value: float


class ResultStrOk(BaseModel):
    ok: Literal[True]
    value: str


class ResultNotOk(BaseModel):
    ok: Literal[False]
    error: str


class Drawing(Protocol):
    async def add(self, shape: Shape) -> ResultFloatOk | ResultNotOk: ...
    async def events(self) -> list[Event]: ...
    async def name(self) -> ResultStrOk | ResultNotOk: ...
    async def put(self, value: Either, position: float | Literal["end", "start"]) -> None: ...
    async def toggle(self, value: bool | None) -> bool: ...
    async def time(self, at: datetime | str) -> bytes | str | None: ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=d0fa5e61f6 Either=a7400e3d4c ShapeCircle=c49b2946fa ShapeSquare=7123de74a5 Shape=56b18cfcd4
# capnweb-gen: EventMade=9eed854568 EventGone=c239a0f5e6 Event=f470e4cb10 ResultFloatOk=d125017ea9
# capnweb-gen: ResultStrOk=691921d9f6 ResultNotOk=59579be418 Drawing=6293eac2a6
