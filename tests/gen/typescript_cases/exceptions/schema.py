# Read from tests/gen/typescript_cases/exceptions/schema.ts by capnweb-gen from-typescript.
# What you change here is kept.
"""Exceptions that methods declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from capnweb_runtime.schema import raises, wire_name

from tests.gen.typescript_cases.exceptions.errors import Clock, Closed, Gone

WIRE_CASE = "camel"


@dataclass
class NotFound(Exception):
    """There is no such book.

    Attributes:
        book_id: What was asked for.
    """

    message: str
    book_id: str
    nearest: list[Book]
    retry_after: float | None = None


@wire_name("Overfull")
@dataclass
class Full(Exception):
    message: str
    code: float
    limit: float


@wire_name("QuietError")
class Quiet(Exception):
    pass


class Nameless(Exception):
    pass


class Book(BaseModel):
    title: str


class Library(Protocol):
    @raises(NotFound, Gone, Closed)
    async def find(self, word: str) -> Book:
        """Finds a book.

        Raises:
            NotFound: If there is none.
                Not even a similar one.
            TypeError: If it is no word.
            If the library burns.
        """
        ...

    @raises(Full, Quiet, Nameless, PermissionError)
    async def add(self, book: Book) -> None:
        """Adds a book.

        Raises:
            Nameless, now and then.
        """
        ...

    @property
    @raises(Gone)
    def owner(self) -> str: ...

    @raises(NotFound)
    async def on_lost(self, book: Book) -> None: ...

    async def clock(self) -> Clock: ...
    async def failure(self) -> Any: ...
    async def watch(self, watcher: Watcher) -> None: ...


class Watcher(Protocol):
    """Is told of books."""

    @raises(NotFound)
    def __call__(self, book: Book) -> None:
        """Takes one."""
        ...


# What from-typescript wrote: by these digests it tells what was changed by hand since.
# capnweb-gen: (top)=f9c956b34f NotFound=0a827e8659 Full=0a742b4975 Quiet=d2dc706676 Nameless=2ce56abcff Book=a5a30edd03
# capnweb-gen: Library=4dfac8c38e Watcher=7710d84e1f
