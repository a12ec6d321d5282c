"""Books, and who reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Literal, Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import raises
from tests.gen.golden.fakes.schemas.people import Person


class Book(BaseModel):
    title: str
    year: int


class NoSuchBook(Exception):
    number: int

    def __init__(self, number: int) -> None:
        super().__init__(f"there is no book {number}")
        self.number = number


class Shelf(Protocol):
    """Books that somebody has put aside."""

    async def put(self, *numbers: int) -> int: ...


class Reader(Person, Protocol):
    """Who may borrow."""

    async def borrow(self, number: int, until: date | None = None) -> Book: ...


class Library(Protocol):
    """Books, by number."""

    @property
    def opened(self) -> bool: ...

    async def search(self, word: str, limit: int = 10, *, order: Literal["title", "year"] = "title") -> list[int]: ...

    @raises(NoSuchBook)
    async def book(self, number: int) -> Book: ...

    async def shelf(self) -> Shelf: ...

    async def shelves(self, of: list[Reader]) -> dict[str, Shelf]: ...

    async def watch(self, on_book: Callable[[Book], None]) -> Shelf: ...

    async def pages(self, number: int) -> AsyncIterator[str]: ...

    async def a_method_whose_name_is_long(
        self, with_parameters: dict[str, list[Book]], that_take: list[Reader], more_than_a_line: Book | None = None
    ) -> dict[str, list[Book]] | None: ...
