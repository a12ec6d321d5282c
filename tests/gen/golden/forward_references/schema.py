"""Names used before they are declared, under quotes, in cycles, and imported for type checkers alone."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Handler = Callable[[datetime], None]

if typing.TYPE_CHECKING:
    Names = list["Name"]


class First(Protocol):
    async def second(self) -> Second: ...
    async def quoted(self) -> "list[Second | None]": ...
    async def inner(self) -> list["Name"]: ...
    async def watch(self, handler: Handler) -> Names: ...


class Second(Protocol):
    async def first(self, again: Second) -> First: ...


class Name(BaseModel):
    text: str
    other: Alias | None = None


class Alias(BaseModel):
    name: Name


Name.model_rebuild()
