from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel


class Cursor(Protocol):
    async def next(self) -> int: ...


@dataclass
class Page:
    cursor: Cursor


class Book(BaseModel):
    pages: list[Page]
