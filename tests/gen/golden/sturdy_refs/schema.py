"""References that outlive their session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypedDict, TypeVar

from pydantic import BaseModel

from capnweb_runtime.schema import Capability, SturdyRef, raises

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Saved(Protocol[T_co]):
    """What can be saved."""

    async def save(self) -> SturdyRef[T_co]: ...


class RoomApi(Saved["RoomApi"], Protocol):
    """A room to talk in."""

    async def say(self, text: str) -> int: ...


class Bookmark(BaseModel):
    """A room that is kept, with others near it."""

    room: SturdyRef[RoomApi]
    near: list[SturdyRef[RoomApi]] = []
    owner: SturdyRef[UserApi] | None = None


class Box(BaseModel, Generic[T]):
    content: T


class Entry(BaseModel):
    """One that is open, and how to open it again."""

    room: Capability[RoomApi]
    ref: SturdyRef[RoomApi]


@dataclass
class Visit:
    room: SturdyRef[RoomApi]
    with_: frozenset[SturdyRef[RoomApi]] = field(default_factory=frozenset)


class Door(NamedTuple):
    room: SturdyRef[RoomApi]
    number: int = 0


class Sign(TypedDict):
    room: SturdyRef[RoomApi]


class UserApi(Protocol):
    """What a user may do."""

    @property
    def home(self) -> SturdyRef[RoomApi] | None: ...

    async def save(self) -> SturdyRef[UserApi]: ...

    async def room(self, name: str) -> RoomApi: ...

    @raises(PermissionError)
    async def restore(self, ref: SturdyRef[RoomApi]) -> RoomApi:
        """The room of a reference."""
        ...

    async def forget(self, *refs: SturdyRef[RoomApi], of: SturdyRef[UserApi] | None = None) -> None: ...

    async def bookmark(self, mark: Bookmark, visits: list[Visit]) -> dict[str, Bookmark]: ...

    async def doors(self, sign: Sign, box: Box[SturdyRef[RoomApi]]) -> tuple[Door, SturdyRef[RoomApi]]: ...

    async def entry(self, ref: SturdyRef[RoomApi] | int) -> Entry: ...

    async def on_saved(self, tell: Callable[[SturdyRef[RoomApi]], None]) -> None: ...
