"""What the other schemas share."""

from typing import Protocol

from pydantic import BaseModel


class Id(BaseModel):
    value: int


class Closeable(Protocol):
    async def close(self) -> None: ...
