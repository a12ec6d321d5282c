"""Generic interfaces and generic models within each other, with declared exceptions and deprecations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, Field
from typing_extensions import deprecated

from capnweb_runtime.schema import Capability, InterfaceModel, Method, raises

T = TypeVar("T")
C = TypeVar("C", covariant=True)


class Box(BaseModel, Generic[C]):
    item: C
    label: str = Field(default="", deprecated="boxes have no labels any more")


@dataclass
class Missing(Exception):
    """There is no such item."""

    message: str
    nearest: Box[int]
    ages: list[Box[bytes]] | None = None


class User(BaseModel):
    name: str


class UserApi(Protocol):
    @property
    def name(self) -> str: ...


class Page(Protocol[T]):
    """Items by their number."""

    @property
    @raises(Missing)
    def first(self) -> T: ...

    @raises(Missing)
    async def get(self, index: int) -> Box[T]: ...

    @deprecated("use get")
    @raises(Missing)
    async def find(self, index: int, *, otherwise: Box[T] | None = None) -> T: ...


class Press(InterfaceModel, Generic[T]):
    squeeze: Method[Box[bytes], T]


class Api(Protocol):
    async def users(self) -> Box[Page[UserApi]]: ...
    async def pages(self) -> Page[Page[UserApi]]: ...
    async def boxes(self, page: Page[Box[int]]) -> Page[Box[UserApi]]: ...
    async def watch(self, function: Callable[[Box[UserApi]], Box[bytes]]) -> None: ...
    async def same(self) -> list[Page[Capability[UserApi]]]: ...
    async def press(self) -> Box[Press[int]]: ...
