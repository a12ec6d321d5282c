"""What Python 3.12 can write and the compiler refuses."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel

type Pairs[T] = list[tuple[T, T]]
type Tree = list[Tree]
type Trees[T] = list[Trees[T]]
type Calls[**P] = list[int]
type Boxes[T: BaseModel] = list[Box[T]]
type Anything = object


class Box[T](BaseModel):
    content: T


class Page[T](Protocol):
    async def items(self) -> list[T]: ...


class Refused(Protocol):
    async def generic_alias(self, bare: Pairs, more: Pairs[int, str], of: Boxes[int]) -> Calls[[int]]: ...
    async def recursive_alias(self, tree: Tree, trees: Trees[int], inside: Box[Trees[int]]) -> Page[Tree]: ...
    async def refused_inside(self, anything: Anything) -> None: ...
    async def no_argument(self) -> Box: ...
    async def no_argument_of_an_interface(self) -> Page: ...
    async def own_parameter[T](self, value: T) -> T: ...
