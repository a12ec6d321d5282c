# Read from tests/gen/typescript_cases/callbacks/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""What tests/gen/typescript_cases/callbacks/schema.ts declares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pydantic import BaseModel

WIRE_CASE = "camel"


class Point(BaseModel):
    x: float
    y: float


Filter = Callable[[Point], bool]


class OnMove(Protocol):
    def __call__(self, to: Point, from_: Point | None = None) -> None: ...


class Screen(Protocol):
    async def on_move(self, callback: OnMove, filter: Filter) -> Callable[[], None]: ...
    async def sort(self, compare: Callable[[Point, Point], float]) -> list[Point]: ...
    async def keep(self, callback: Callable[[Point], float]) -> None: ...
    async def log(self, write: LogWrite) -> None: ...
    async def handlers(self, handlers: HandlersHandlers) -> None: ...
    async def adder(self) -> Callable[[float], float]: ...


class LogWrite(Protocol):
    def __call__(self, *lines: str) -> None: ...


class HandlersHandlers(BaseModel):
    start: Callable[[], None]
    stop: Callable[[str], None]


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=2d9ca27302 Point=95a317f87a Filter=acfedbc2f3 OnMove=5e2380ada4 Screen=4b2c7a3b65
# capnweb-gen: LogWrite=3f1526786d HandlersHandlers=4b02c45b4f
