"""Unions: of types that are told apart by the value."""

from datetime import datetime
from typing import Literal, Optional, Protocol, Union

from pydantic import BaseModel
from typing_extensions import TypeAliasType

Number = TypeAliasType("Number", int | float)
Key = int | str


class Sample(BaseModel):
    value: int | float
    label: str | int | None = None


class Store(Protocol):
    @property
    def total(self) -> int | float: ...

    async def add(self, n: int | float = 1) -> int | float: ...
    async def reversed_order(self, n: float | int) -> float | int: ...
    async def get(self, key: Key) -> Optional[Union[bytes, str]]: ...
    async def at(self, when: datetime | Literal["now", "never"]) -> list[Sample]: ...
    async def named(self, first: Number | None, second: Number | str) -> dict[str, Number]: ...
    async def limit(self, most: int | Literal["all"] | None = "all", exact: bool | str = False) -> None: ...
    async def nested(self, value: Optional[Key | datetime] | bytes) -> Literal[None] | bool | int: ...
