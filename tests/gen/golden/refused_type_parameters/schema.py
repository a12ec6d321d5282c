"""What Python 3.12 can write and the compiler refuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypedDict

from pydantic import BaseModel

type Pairs[T] = list[tuple[T, T]]
type Tree = list[Tree]
type Anything = object


@dataclass
class Pair[A, B]:
    first: A
    second: B


class Point[N](NamedTuple):
    x: N
    y: N


class Options[T](TypedDict):
    value: T


class Box[T](BaseModel):
    content: T


class Refused(Protocol):
    async def generic_alias(self) -> Pairs[int]: ...
    async def recursive_alias(self, tree: Tree) -> None: ...
    async def refused_inside(self, anything: Anything) -> None: ...
    async def generic_dataclass(self) -> Pair[int, str]: ...
    async def generic_tuple(self, point: Point[int]) -> None: ...
    async def generic_dict(self) -> Options[int]: ...
    async def no_argument(self) -> Box: ...
    async def own_parameter[T](self, value: T) -> T: ...
