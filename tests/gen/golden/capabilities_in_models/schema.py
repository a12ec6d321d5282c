"""Capabilities, functions and streams inside what travels by value."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypedDict, TypeVar

from pydantic import BaseModel

from capnweb_runtime.schema import Capability, Stub, Writable

C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
T = TypeVar("T")


class User(Protocol):
    @property
    def name(self) -> str: ...

    async def rename(self, name: str) -> None: ...
    async def friends(self) -> list[User]: ...


class Room(BaseModel, Generic[C]):
    """Someone's room: the type parameter stands for the owner, a capability."""

    name: str
    owner: C
    guests: list[C] = []


@dataclass(frozen=True)
class Seat(Generic[C_co, T]):
    row: T
    taken_by: C_co | None = None


class Page(BaseModel, Generic[T]):
    items: list[T]


class Door(BaseModel):
    """A field may name the interface itself: pydantic is told not to check it."""

    owner: Capability[User]
    keys: dict[str, Capability[User]] = {}
    guard: Capability[User] | None = None
    on_open: Callable[[User], bool] | None = None
    log: Capability[AsyncIterator[str]] | None = None
    bell: Writable[str] | None = None
    anything: Stub | None = None


@dataclass
class Note:
    author: User
    readers: tuple[User | None, ...] = ()
    on_read: Callable[[str], None] | None = None


class Pair(NamedTuple):
    left: User
    right: User | None = None


class Login(TypedDict, total=False):
    user: User
    seat: Seat[User, int]


class House(Protocol):
    @property
    def main(self) -> Room[User]: ...

    async def room(self, number: int) -> Room[User]: ...
    async def find(self, name: str) -> Room[User] | None: ...
    async def rooms(self) -> list[Room[User]]: ...
    async def rent(self, room: Room[User], seats: dict[str, Seat[User, int]]) -> Page[Seat[User, int]]: ...
    async def door(self) -> Door: ...
    async def set_door(self, door: Door | None, note: Note | None = None) -> Pair | None: ...
    async def notes(self, pair: Pair) -> list[Note]: ...
    async def log_in(self, login: Login) -> Login: ...
    async def watch(self, on_enter: Callable[[Room[User]], Note]) -> AsyncIterator[Room[User]]: ...
    async def user(self, name: str) -> User | None: ...
    async def all(self, first: tuple[User, ...]) -> dict[str, User]: ...
    async def ringer(self) -> Callable[[User], bool] | None: ...
    async def visits(self) -> AsyncIterator[User] | None: ...
