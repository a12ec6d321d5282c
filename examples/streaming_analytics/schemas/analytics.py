"""Analytics: rows in, windows out, both as streams."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Protocol

from annotated_types import Ge, Interval, MaxLen, MinLen
from pydantic import BaseModel

from capnweb_runtime.schema import raises

Milliseconds = Annotated[int, Interval(ge=0, le=2**52)]
Key = Annotated[str, MinLen(1), MaxLen(64)]


@dataclass(slots=True)
class Row:
    """Something that was measured. There are many of these, so that they are dataclasses: pydantic would take longer.

    Attributes:
        at: when it happened, on the clock of whoever has measured it.
        key: what it belongs to.
        value: an integer, so that sums are exact in any order.
    """

    at: Milliseconds
    key: Key
    value: Annotated[int, Interval(ge=-(10**9), le=10**9)]


class Spec(BaseModel):
    """Which windows are wanted: [start, start + size) for each multiple of `step`.

    Attributes:
        size: of a window; a multiple of `step`, at most a hundred times as much.
        step: from one window to the next; windows that do not overlap (tumbling) have size and step alike.
        lateness: how much later than others a row may come and still count.
    """

    size: Annotated[int, Ge(1)]
    step: Annotated[int, Ge(1)]
    lateness: Annotated[int, Ge(0)] = 0


@dataclass(slots=True)
class Window:
    """What the rows of one key in one window come to."""

    start: int
    end: int
    key: str
    count: int
    total: int
    low: int
    high: int


class Closed(BaseModel):
    """Windows that no row can change any more, by start and key.

    Attributes:
        windows: those with rows in them.
        late: rows so far that came too late to count.
        skipped: chunks like this one that were left out before it, since they were not read in time.
    """

    windows: list[Window]
    late: int = 0
    skipped: int = 0


class ImpossibleWindows(Exception):
    """There are no such windows, or they would take too much memory."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


class Analytics(Protocol):
    """Each call has its streams; any number of them run side by side."""

    @raises(ImpossibleWindows)
    async def analyze(self, rows: AsyncIterator[list[Row]], spec: Spec) -> AsyncIterator[Closed]:
        """The windows of a stream, as they close; the rest when it ends. Rows are taken as fast as windows are read."""
        ...

    @raises(ImpossibleWindows)
    async def ingest(self, rows: AsyncIterator[list[Row]]) -> int:
        """Add rows to what all who watch see. Returns how many, when the stream has ended."""
        ...

    async def watch(self) -> AsyncIterator[Closed]:
        """The windows of all that is ingested. Who reads slowly is not waited for, and told what was left out."""
        ...
