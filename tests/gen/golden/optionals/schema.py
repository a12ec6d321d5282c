"""Values that may be null, in every place where a type can stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Optional, Protocol

from pydantic import BaseModel


class Note(BaseModel):
    text: str | None
    next: Note | None = None


class Page(Protocol):
    async def note(self) -> Note | None: ...


class Book(Protocol):
    @property
    def title(self) -> Optional[str]: ...

    async def page(self, number: int | None) -> Page | None: ...
    async def notes(self) -> list[Note | None] | None: ...
    async def index(self) -> dict[str, int] | None: ...
    async def put(self, note: Note | None, page: Page | None = None) -> None: ...
    async def tell(self, listener: Callable[[Note | None], bool | None] | None) -> Literal["yes"] | None: ...
