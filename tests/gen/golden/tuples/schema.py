"""Tuples, and other names for lists and dictionaries."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel


class Point(BaseModel):
    at: tuple[float, float]
    tags: Sequence[str] = ()
    weights: Mapping[str, int] = {}


class Shape(Protocol):
    async def area(self) -> float: ...


class Plane(Protocol):
    @property
    def size(self) -> tuple[int, int]: ...

    async def nearest(self, to: tuple[float, float]) -> tuple[Point, float]: ...
    async def single(self, only: tuple[int]) -> tuple[Any, Shape | None] | None: ...
    async def draw(self, shape: tuple[Shape, str], done: tuple[Callable[[int], None], int]) -> tuple[Shape, AsyncIterator[int]]: ...
    async def pairs(self, pairs: Sequence[tuple[int, str]]) -> Sequence[tuple[int, str]]: ...
    async def table(self, rows: Mapping[str, Sequence[int]]) -> Mapping[str, Shape]: ...
