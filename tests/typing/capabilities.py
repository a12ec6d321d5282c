"""Read by type checkers, never run: capabilities, functions and streams inside models and containers."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, assert_type, cast

from capnweb_runtime import as_stub
from capnweb_runtime import codegen_api as rpc
from tests.gen.golden.capabilities_in_models.expected import (
    HouseStub,
    HouseTarget,
    RoomUserPromise,
    UserPromise,
    UserStub,
    UserTarget,
)
from tests.gen.golden.capabilities_in_models.schema import Door, Login, Note, Page, Pair, Room, Seat, User


class MyUser(UserTarget):
    @property
    def name(self) -> str:
        return ""

    async def rename(self, name: str) -> None: ...

    async def friends(self) -> list[Any]:
        return []


async def generic_models(api: HouseStub) -> None:
    """What arrives holds stubs; what is promised has the methods of what it holds."""
    assert_type(api.room(1), RoomUserPromise)
    room = await api.room(1)
    assert_type(room, Room[UserStub])
    assert_type(room.owner, UserStub)
    assert_type(room.guests, list[UserStub])
    assert_type(await room.owner.name, str)
    assert_type(api.room(1).owner, UserPromise)
    assert_type(await api.room(1).owner.name, str)
    assert_type(api.room(1).guests[0].friends(), rpc.ListPromise[UserStub, UserPromise])
    assert_type(await api.main.guests.map(lambda guest: guest.name), list[str])
    assert_type(await api.rooms(), list[Room[UserStub]])
    assert_type(await api.rooms().map(lambda room: room.owner.name), list[str])
    assert_type(await api.find("a"), Room[UserStub] | None)
    assert_type(await api.find("a").owner, UserStub)
    assert_type(await api.watch(lambda room: Note(MyUser())), rpc.ReadableStream[Room[UserStub]])
    async for seen in api.watch(lambda room: Note(MyUser())):
        assert_type(seen, Room[UserStub])


async def giving_generic_models(api: HouseStub, stub: UserStub) -> None:
    """A model that is made where it is given takes targets and stubs; so does one whose type parameter is covariant,
    wherever it was made.
    """
    mine = Seat(1, MyUser())
    held = Seat(2, stub)
    page = await api.rent(Room(name="", owner=MyUser(), guests=[stub]), {"a": mine, "b": held, "c": Seat(3)})
    assert_type(page, Page[Seat[UserStub, int]])
    assert_type(page.items[0].taken_by, UserStub | None)
    room: Room[UserTarget | UserStub] = Room(name="", owner=stub)
    await api.rent(room, {"a": page.items[0]})
    await api.rent(api.main, {})


async def fields_that_name_the_interface(api: HouseStub, door: Door) -> None:
    """For type checkers they hold what the interface says; the promise has them as stubs, and as_stub() too."""
    assert_type(door.owner, User)
    await door.owner.rename("a")
    assert_type(await door.owner.friends(), list[User])
    assert_type(as_stub(door.owner, UserStub), UserStub)
    assert_type(await as_stub(door.owner, UserStub).name, str)
    assert_type(api.door().owner, UserPromise)
    assert_type(await api.door().owner.name, str)
    assert_type(await api.door().keys["a"], UserStub)
    assert_type(await api.door().guard, UserStub | None)
    assert_type(await api.door().guard.name, str)
    pair = await api.set_door(Door(owner=MyUser(), keys={"a": MyUser()}, guard=door.owner))
    assert_type(pair, Pair | None)
    assert_type(await api.set_door(None).right.name, str)
    assert_type(await api.notes(Pair(MyUser())), list[Note])
    assert_type(await api.notes(Pair(MyUser()))[0].author.name, str)
    await api.set_door(None, Note(MyUser(), (None, MyUser()), print))
    assert_type(await api.log_in({"user": MyUser()}), Login)
    assert_type(await api.log_in({}).seat.taken_by.name, str)


async def what_may_be_none(api: HouseStub) -> None:
    """It has what it has if it is there, and is awaited to that or None."""
    assert_type(api.user("a"), UserPromise[UserStub | None])
    assert_type(await api.user("a"), UserStub | None)
    assert_type(await api.user("a").name, str)
    assert_type(await api.ringer(), rpc.CallbackStub[[UserTarget | UserStub], bool] | None)
    assert_type(await api.ringer()(MyUser()), bool)
    assert_type(await api.visits(), rpc.ReadableStream[UserStub] | None)
    assert_type([user async for user in api.visits()], list[UserStub])
    assert_type(await api.door().on_open, rpc.CallbackStub[[UserTarget | UserStub], bool] | None)
    assert_type(await api.door().on_open(MyUser()), bool)
    assert_type([line async for line in api.door().log], list[str])
    assert_type(await api.door().anything, rpc.AnyStub | None)
    assert_type(await api.door().anything.get("name"), Any)


async def containers(api: HouseStub, stub: UserStub, promised: UserPromise) -> None:
    """Lists, dictionaries and tuples of capabilities."""
    assert_type(api.all((stub, promised, MyUser())), rpc.DictPromise[UserStub, UserPromise])
    assert_type(await api.all(())["a"].name, str)
    assert_type(await stub.friends().map(lambda friend: friend.friends()), list[list[UserStub]])
    assert_type(await stub.friends().map(lambda friend: (friend.name, friend)), list[tuple[str, UserStub]])
    assert_type(await stub.friends()[0].name, str)


class Mine(HouseTarget):
    """The ways in which results with capabilities may be declared."""

    @property
    def main(self) -> Room[UserTarget | UserStub]:
        return Room(name="", owner=MyUser())

    async def room(self, number: int) -> Room[UserTarget | UserStub]:
        return Room(name="", owner=MyUser(), guests=[MyUser()])

    def find(self, name: str) -> Room[UserTarget | UserStub] | None:
        return None

    async def rooms(self) -> list[Room[UserTarget | UserStub]]:
        return [Room(name="", owner=MyUser())]

    def rent(
        self, room: Room[UserStub], seats: dict[str, Seat[UserStub, int]]
    ) -> Page[Seat[UserTarget | UserStub, int]]:
        assert_type(room.owner, UserStub)
        return Page(items=[Seat(1, MyUser()), Seat(2, room.owner), *seats.values()])

    async def door(self) -> Door:
        return Door(owner=MyUser(), bell=None)

    def set_door(self, door: Door | None, note: Note | None = None) -> Pair | None:
        return Pair(door.owner) if door else None

    async def notes(self, pair: Pair) -> list[Note]:
        return [Note(pair.left)]

    def log_in(self, login: Login) -> Login:
        return {"seat": Seat(1, MyUser())}

    async def watch(
        self, on_enter: rpc.CallbackStub[[Room[UserTarget | UserStub]], Note]
    ) -> AsyncIterator[Room[UserTarget | UserStub]]:
        await on_enter(Room(name="", owner=MyUser()))
        yield Room(name="", owner=MyUser())

    async def user(self, name: str) -> MyUser | None:
        return None

    def all(self, first: tuple[UserStub, ...]) -> Mapping[str, UserStub]:
        return {"a": first[0]}

    def ringer(self) -> None: ...

    async def visits(self) -> AsyncIterator[MyUser] | None:
        return None


async def refused(api: HouseStub, stub: UserStub, maybe: UserPromise[UserStub | None], door: Door) -> None:
    """Each comment is needed: without the error that it expects, the checkers report the comment."""
    _ = api.rent(Room(name="", owner=1), {})  # type: ignore[arg-type]  # an int is no user
    _ = api.rent(Room(name="", owner=MyUser()), {"a": Seat("1")})  # type: ignore[arg-type]  # a row is a number
    _ = api.room(1).owner.nickname  # type: ignore[attr-defined]  # users have none
    _ = api.all((maybe,))  # type: ignore[arg-type]  # it may be None
    _ = api.ringer()(1)  # type: ignore[arg-type]  # the function takes a user
    _ = Door(owner=cast("HouseTarget", None))  # type: ignore[arg-type]  # a house is no user
    _ = Door(owner=stub)  # type: ignore[arg-type]  # methods of a stub give promises, those of the interface coroutines
    _ = as_stub(door.owner, MyUser)  # type: ignore[type-var]  # a target is no stub
