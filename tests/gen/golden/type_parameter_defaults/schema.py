"""Generic types of which a schema gives no type arguments, because their type parameters have defaults."""

from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypedDict, Union

from pydantic import BaseModel
from typing_extensions import TypeAliasType, TypeVar


class User(BaseModel):
    name: str


A = TypeVar("A")
B = TypeVar("B", default=int)
T = TypeVar("T", bound=BaseModel, default=User)
L = TypeVar("L", default="Later")
P = TypeVar("P", default=list[B])
Maybe = TypeAliasType("Maybe", Union[B, None], type_params=(B,))


class Page(BaseModel, Generic[T]):
    items: list[T]


class Two(BaseModel, Generic[A, B]):
    a: A
    b: B


@dataclass
class Pair(Generic[A, B]):
    a: A
    b: B


class Named(TypedDict, Generic[L]):
    value: L


class Later(NamedTuple):
    at: int


@dataclass
class Paged(Generic[B, P]):
    first: B
    pages: P


class Users(Protocol):
    async def page(self) -> Page: ...
    async def all(self, pairs: list[Pair[str]], two: Two[str]) -> Maybe[Page]: ...
    async def later(self, count: Maybe = 1) -> Named: ...
    async def paged(self, default: Paged) -> Paged[str]: ...
    async def nested(self, of: Paged[Paged[str]]) -> int: ...
