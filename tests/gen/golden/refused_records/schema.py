from __future__ import annotations

from collections import namedtuple
from dataclasses import InitVar, dataclass
from pathlib import PosixPath
from typing import TYPE_CHECKING, Annotated, Callable, Generic, NamedTuple, Protocol, TypedDict, TypeVar

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")
Untyped = namedtuple("Untyped", ["x", "y"])
Headers = TypedDict("Headers", {"content-type": str, "from": str, "age": int})


@dataclass
class Job:
    name: str
    seed: InitVar[int]
    _cache: int = 0


@dataclass
class File:
    path: PosixPath
    on_close: Callable[[], None]
    size: Annotated[int, "positive"] = 0


@dataclass
class Price:
    amount: Decimal


@dataclass
class Box(Generic[T]):
    content: T


class Pair(NamedTuple, Generic[T]):
    a: T


class Store(Protocol):
    async def untyped(self, a: Untyped, b: Headers) -> Job: ...
    async def generic(self, a: Box[int], b: Pair) -> None: ...
