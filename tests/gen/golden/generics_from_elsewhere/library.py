"""What a library offers to schemas. It is compiled nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T", covariant=True)
V = TypeVar("V", contravariant=True)

WIRE_CASE = "camel"


class Box(BaseModel, Generic[T]):
    held: T


class Shelf(Protocol[T]):
    """Boxes in order."""

    async def first_box(self) -> Box[T]: ...

    async def each_box(self, tell: Callable[[Box[T]], None]) -> Library[T]: ...


class Library(Protocol[T]):
    """Shelves."""

    @property
    def shelf(self) -> Shelf[T]: ...


class OnBox(Protocol[V]):
    async def __call__(self, held: V, *, late: bool = False) -> None: ...
