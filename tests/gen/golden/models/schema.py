"""Models: nested, recursive, inherited, with aliases, and with rules for unknown fields."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

T = TypeVar("T")


class Tree(BaseModel):
    """A model that contains itself."""

    label: str
    children: list[Tree] = []
    parent: Tree | None = None


class Address(BaseModel):
    model_config = ConfigDict(extra="forbid")

    street: str
    zip_code: Annotated[str, Field(min_length=4)] = Field(alias="zip")


class Person(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    name: str
    address: Address
    from_: str = Field(serialization_alias="origin")
    born: datetime | None = Field(default=None, alias="bornAt")
    state: Literal["new", "old"] = "new"
    nick: str = Field(default="", validation_alias=AliasChoices("nick", "nickname"))


class Member(Person):
    """Inherits the fields of a person."""

    model_config = ConfigDict(extra="allow")

    number: int
    meta: dict[str, Any] = Field(default_factory=dict[str, Any])


class Bag(BaseModel):
    model_config = ConfigDict(extra="allow")


class Empty(BaseModel):
    pass


class _Private(BaseModel):
    unsent: set[int]


class Page(BaseModel, Generic[T]):
    unsent: list[T]


class Directory(Protocol):
    async def find(self, name: str) -> Person: ...
    async def add(self, member: Member, tree: Tree) -> Member: ...
