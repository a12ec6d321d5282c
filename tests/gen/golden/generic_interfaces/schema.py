"""Interfaces with type parameters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Generic, Protocol, TypeVar

import typing_extensions
from pydantic import BaseModel

from capnweb_runtime.schema import Property, InterfaceModel, Method, Writable

T = TypeVar("T")
K = TypeVar("K", str, int)
M = TypeVar("M", bound=BaseModel)
D = typing_extensions.TypeVar("D", default=int)


class Profile(BaseModel):
    id: int
    name: str


class Box(BaseModel, Generic[T]):
    content: T


class Page(Protocol[T]):
    """Some of many, and where the others are."""

    @property
    def items(self) -> list[T]: ...
    def next(self) -> Page[T] | None:
        """The page after this one."""
    def each(self, function: Callable[[T], T]) -> AsyncIterator[T]: ...


class Table(Protocol[K, T]):
    def get(self, key: K) -> T: ...
    def pages(self) -> dict[str, Page[T]]: ...
    def first(self, otherwise: T) -> Box[T]: ...


class ProfilePage(Page[Profile], Protocol):
    """An interface that derives from one with type arguments."""

    def owner(self) -> Profile: ...


class Sorted(Page[M], Protocol[M]):
    def by(self, field: str) -> "Sorted[M]": ...


class Cell(Protocol[D]):
    def value(self) -> D: ...


class Take(BaseModel, Generic[T]):
    item: T
    times: int = 1


class Queue(InterfaceModel, Generic[T]):
    """A generic interface as a pydantic schema."""

    put: Method[Take[T], None]
    """Adds an item."""
    all: Property[list[T]]


class Api(Protocol):
    def profiles(self) -> Page[Profile]: ...
    def own(self) -> ProfilePage: ...
    def sorted(self) -> Sorted[Profile]: ...
    def nested(self, pages: list[Page[int]]) -> Page[Page[int]]: ...
    def table(self, name: str) -> Table[str, Profile]: ...
    def cells(self, one: Cell[str], other: Cell) -> tuple[Cell[int], Cell[str] | None]: ...
    def lists(self) -> Page[list[int] | None]: ...
    def queue(self) -> Queue[Profile]: ...
    def sink(self) -> Cell["Profile"]: ...
