"""`type` statements with type parameters."""

from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, JsonValue

type Maybe[T] = T | None
type Pair[A, B] = tuple[A, B]
type Both[T] = Pair[T, Maybe[T]]
type Names = list[str]
type Pages[T] = dict[str, Maybe[Page[T]]]


class Page[T](BaseModel):
    items: list[T]
    more: Maybe[T] = None


@dataclass
class Held[T]:
    value: Maybe[T]


class Cursor[T](Protocol):
    async def both(self) -> Both[T]: ...
    async def next(self) -> Maybe["Cursor[T]"]: ...


class Api(Protocol):
    async def find(self, number: Maybe[int] = None) -> Maybe[int]: ...
    async def pages(self, of: Page[Maybe[int]]) -> Pages[int]: ...
    async def cursor(self, named: Cursor[Maybe[str]]) -> Cursor[Names]: ...
    async def held(self, names: Held[Names], json: Held[JsonValue]) -> Maybe[Held[int]]: ...
