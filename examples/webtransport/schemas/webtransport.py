"""An observatory: what it measures is pushed, and pictures are streamed in both directions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Protocol

from annotated_types import Interval
from pydantic import BaseModel


class Reading(BaseModel):
    """Something that was measured."""

    number: int
    celsius: float


class Observatory(Protocol):
    """What whoever has the token may do."""

    async def transport(self) -> str:
        """By what this session travels, as the server sees it."""
        ...

    async def add(self, a: int, b: int) -> int: ...

    async def watch(self, on_reading: Callable[[Reading], None], count: Annotated[int, Interval(ge=1, le=1000)]) -> int:
        """Call back with so many readings, and say how many that were."""
        ...

    async def picture(self, size: Annotated[int, Interval(ge=0, le=100_000_000)]) -> AsyncIterator[bytes]:
        """A picture of so many bytes."""
        ...

    async def store(self, picture: AsyncIterator[bytes]) -> str:
        """Keep a picture, and give its SHA-256 in hexadecimal digits."""
        ...
