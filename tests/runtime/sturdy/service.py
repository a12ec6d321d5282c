"""A service with sturdy references that is tested from several sides: rooms, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from capnweb_runtime.sturdy import (
    BearerRestorer,
    MemoryRevocations,
    Restorer,
    Revocations,
    SturdyRef,
    SturdyRefs,
    TokenCodec,
    TokenKey,
)
from capnweb_runtime.sturdy.refs import REFUSED

KEY = TokenKey("new", b"n" * 32)
OLD_KEY = TokenKey("old", b"o" * 32)
NOON = 1_800_000_000


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now: float = NOON

    def __call__(self) -> float:
        return self.now


class RoomApi(Protocol):
    async def name(self) -> str: ...


@dataclass(frozen=True)
class RoomKey:
    """Which room."""

    number: int
    tags: tuple[str, ...] = ()


@dataclass(eq=False)
class Room:
    number: int
    principal: str | None


@dataclass
class Service:
    """Restores rooms to those who may enter them."""

    keys: tuple[TokenKey, ...] = (KEY,)
    issuer: str = "https://chat.example"
    audience: str = "chat"
    revocations: Revocations = field(default_factory=MemoryRevocations)
    clock: Clock = field(default_factory=Clock)
    closed: set[int] = field(default_factory=set)
    made: list[Room] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.codec = TokenCodec(self.keys, issuer=self.issuer, audience=self.audience)
        self.refs = SturdyRefs(self.codec, self.revocations, clock=self.clock)
        self.rooms = Restorer[RoomApi, RoomKey, Room]("room", RoomKey, self.enter)
        self.invitations = BearerRestorer[RoomApi, RoomKey, Room]("invitation", RoomKey, self.visit)

    async def enter(self, key: RoomKey, principal: str) -> Room:
        return self.visit(key, principal)

    def visit(self, key: RoomKey, principal: str | None) -> Room:
        if key.number in self.closed:
            raise PermissionError(f"room {key.number} is closed to {principal}")
        self.made.append(Room(key.number, principal))
        return self.made[-1]

    def mint(self, number: int = 7, principal: str = "ada") -> SturdyRef[RoomApi]:
        return self.refs.mint(self.rooms, RoomKey(number), principal=principal)

    async def restore(self, ref: SturdyRef[RoomApi], principal: str | None = "ada") -> Room:
        return await self.refs.restore(ref, self.rooms, principal=principal)


async def refused(attempt: Awaitable[Any], caplog: pytest.LogCaptureFixture | None = None) -> str:
    """Asserts that an attempt ends with the one error, which says nothing; gives what the log says, if it is shown."""
    with pytest.raises(PermissionError) as caught:
        await attempt
    error = caught.value
    assert type(error) is PermissionError
    assert error.args == (REFUSED,)
    assert error.__cause__ is error.__context__ is None
    assert not getattr(error, "__notes__", [])
    return caplog.records[-1].getMessage() if caplog else ""


Change = Callable[[dict[str, Any]], None]
