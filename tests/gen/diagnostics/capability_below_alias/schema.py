from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from pydantic import BaseModel, Field

from capnweb_runtime.schema import Capability

C = TypeVar("C", covariant=True)


class User(Protocol):
    def name(self) -> str: ...


class Room(BaseModel, Generic[C]):
    owner: C
    number: int = Field(default=1, alias="no")


class House(BaseModel):
    rooms: list[Room[Capability[User]]]


class Town(Protocol):
    def house(self) -> House: ...
