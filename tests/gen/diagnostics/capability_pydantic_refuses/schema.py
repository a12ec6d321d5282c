from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel


class Cursor(Protocol):
    async def next(self) -> int: ...


class Page(BaseModel):
    number: int
    cursors: list[Cursor] | None
