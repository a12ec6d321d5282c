"""Capabilities in the less usual kinds of models, and in type arguments of all forms."""

from __future__ import annotations

from typing import Generic, NamedTuple, Protocol, TypedDict, TypeVar

from pydantic import BaseModel, RootModel

from capnweb_runtime.schema import Capability, InterfaceModel, Property, Request, Stub

T = TypeVar("T", covariant=True)


class User(Protocol):
    async def me(self) -> int: ...


class Lamp(InterfaceModel):
    """An interface that is declared so needs no mark: pydantic knows it."""

    lit: Property[bool]


class Entry(NamedTuple, Generic[T]):
    item: T
    number: int = 1


class Reply(TypedDict, Generic[T]):
    body: T


class Users(RootModel[list[Capability[User]]]):
    """A root model of capabilities."""


class Wired(BaseModel):
    lamp: Lamp
    entry: Capability[Entry[User]] | None = None


class Wrap(BaseModel, Generic[T]):
    value: T


class Mail(BaseModel):
    request: Capability[Request]


class Api(Protocol):
    async def entry(self, entry: Entry[User]) -> Entry[User]: ...
    async def plain(self, entry: Entry[int]) -> Entry[int]: ...
    async def reply(self, reply: Reply[User]) -> Reply[User]: ...
    async def users(self, users: Users) -> Users: ...
    async def wired(self, wired: Wired) -> Wired: ...
    async def lists(self, wrap: Wrap[list[User]]) -> Wrap[User | None]: ...
    async def nested(self, wrap: Wrap[Wrap[User]]) -> Wrap[Wired]: ...
    async def dicts(self, wrap: Wrap[dict[str, User]]) -> Wrap[Entry[User]]: ...
    async def any(self, wrap: Wrap[Stub]) -> Wrap[Stub]: ...
    async def mail(self, mail: Mail) -> Mail: ...
    async def either(self, wrap: Wrap[User] | str) -> Wrap[User] | int: ...
