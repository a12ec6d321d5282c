"""Read by type checkers, never run: references from the method that saves to the one that restores, at both ends."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_type

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.schema import SturdyRef as InSchemas
from capnweb_runtime.sturdy import (
    BearerRestorer,
    MemoryRevocations,
    Restorer,
    SqliteRevocations,
    SturdyRef,
    SturdyRefs,
    TokenCodec,
    TokenKey,
)
from tests.gen.golden.sturdy_refs.expected import (
    BookmarkPromise,
    EntryPromise,
    RoomApiPromise,
    RoomApiStub,
    RoomApiTarget,
    UserApiStub,
    UserApiTarget,
)
from tests.gen.golden.sturdy_refs.schema import Bookmark, Box, Door, Entry, RoomApi, Sign, UserApi, Visit


async def calling(user: UserApiStub, room: RoomApiStub, theirs: SturdyRef[UserApi]) -> None:
    """A reference knows what it is restored to, and fits nowhere else; promises of one do as well."""
    ref = await room.save()
    assert_type(ref, SturdyRef[RoomApi])
    assert_type(ref, InSchemas[RoomApi])
    assert_type(ref.token, str)
    assert_type(user.restore(ref), RoomApiPromise)
    assert_type(user.restore(room.save()), RoomApiPromise)
    assert_type(await user.restore(SturdyRef(ref.token)), RoomApiStub)
    assert_type(await user.home, SturdyRef[RoomApi] | None)
    assert_type(await user.save(), SturdyRef[UserApi])
    assert_type(user.entry(ref), EntryPromise)
    assert_type((await user.entry(ref)).ref, SturdyRef[RoomApi])
    assert_type(await user.doors({"room": ref}, Box(content=ref)), tuple[Door, SturdyRef[RoomApi]])
    await user.forget(ref, room.save(), of=theirs)
    await user.restore(theirs)  # type: ignore[arg-type]
    await user.restore(ref.token)  # type: ignore[arg-type]
    await user.forget(ref, of=ref)  # type: ignore[arg-type]
    ref.token = "other"  # type: ignore[misc]


async def models(marks: Mapping[str, Bookmark], promise: BookmarkPromise, ref: SturdyRef[RoomApi]) -> None:
    assert_type(marks["a"].room, SturdyRef[RoomApi])
    assert_type(await promise.room, SturdyRef[RoomApi])
    assert_type(await promise.near[0], SturdyRef[RoomApi])
    assert_type(await promise.owner, SturdyRef[UserApi] | None)
    assert_type(Visit(ref).with_, frozenset[SturdyRef[RoomApi]])
    Bookmark(room=ref, owner=ref)  # type: ignore[arg-type]


REFS = SturdyRefs(
    TokenCodec([TokenKey("a", b""), TokenKey("b", b"", "EdDSA")], issuer="i", audience="a"),
    MemoryRevocations(),
    lifetime=timedelta(days=1),
)
OTHERS = SturdyRefs(TokenCodec([TokenKey("a", b"")], issuer="i", audience="a"), SqliteRevocations("revoked.sqlite"))


class Room(RoomApiTarget):
    def __init__(self, name: str, user: str | None) -> None:
        self._name, self._user = name, user

    def save(self) -> SturdyRef[RoomApi]:
        if self._user is None:
            assert_type(REFS.mint(LINKS, self._name, principal=None), SturdyRef[RoomApi])
            REFS.mint(ROOMS, self._name, principal=None)  # type: ignore[call-overload]
            return REFS.mint(LINKS, self._name, principal=None, lifetime=timedelta(hours=1))
        REFS.mint(ROOMS, 7, principal=self._user)  # type: ignore[misc]
        return REFS.mint(ROOMS, self._name, principal=self._user)

    async def say(self, text: str) -> int:
        return len(text)


async def enter(name: str, user: str) -> Room:
    return Room(name, user)


def visit(name: str, user: str | None) -> Room:
    return Room(name, user)


ROOMS = Restorer[RoomApi, str, Room]("room", str, enter)
LINKS = BearerRestorer[RoomApi, str, Room]("link", str, visit)
BOUND: Restorer[RoomApi, str, Room] = Restorer("room", str, visit)
BearerRestorer[RoomApi, str, Room]("link", str, enter)  # type: ignore[arg-type]
Restorer[RoomApi, int, Room]("room", int, enter)  # type: ignore[arg-type]


class User(UserApiTarget):
    """What is restored is what a method has to give."""

    @property
    def home(self) -> SturdyRef[RoomApi] | None:
        return None

    def save(self) -> SturdyRef[UserApi]:
        return REFS.mint(ROOMS, "a", principal="ada")  # type: ignore[arg-type]

    def room(self, name: str) -> Room:
        return Room(name, "ada")

    async def restore(self, ref: SturdyRef[RoomApi]) -> Room:
        assert_type(await REFS.restore(ref, ROOMS, principal="ada"), Room)
        assert_type(await REFS.restore(ref, ROOMS, LINKS, principal=None), Room)
        return await REFS.restore(ref, ROOMS, principal="ada")

    async def forget(self, *refs: SturdyRef[RoomApi], of: SturdyRef[UserApi] | None = None) -> None:
        for ref in refs:
            await REFS.revoke(ref, principal="ada")
        if of is not None:
            await REFS.restore(of, ROOMS, principal="ada")  # type: ignore[misc]

    def bookmark(self, mark: Bookmark, visits: list[Visit]) -> Mapping[str, Bookmark]:
        return {"a": mark}

    def doors(self, sign: Sign, box: Box[SturdyRef[RoomApi]]) -> tuple[Door, SturdyRef[RoomApi]]:
        return Door(sign["room"]), box.content

    async def entry(self, ref: SturdyRef[RoomApi] | int) -> Entry:
        raise NotImplementedError

    async def on_saved(self, tell: rpc.CallbackStub[[SturdyRef[RoomApi]], None]) -> None:
        await tell(REFS.mint(ROOMS, "a", principal="ada"))
