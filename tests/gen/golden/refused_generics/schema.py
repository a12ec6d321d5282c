from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel

T = TypeVar("T", covariant=True)


class Box(Protocol[T]):
    async def get(self) -> T: ...


class Old(Generic[T], Protocol):
    async def get(self) -> T: ...


class IntBox(Box[int], Protocol): ...


class User(Protocol):
    async def box(self) -> Box[int]: ...
    async def bare(self) -> Box: ...
