"""Capabilities inside models at work: between the two ends of a session, which must be empty afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, cast

import pytest

from capnweb_runtime import DisposedError, Request, as_stub
from capnweb_runtime import codegen_api as rpc
from tests.gen.golden.capabilities_in_models.expected import HouseStub, HouseTarget, UserStub, UserTarget
from tests.gen.golden.capabilities_in_models.schema import Door, Login, Note, Page, Pair, Room, Seat
from tests.gen.golden.capabilities_in_more_models import expected as more
from tests.gen.golden.capabilities_in_more_models.schema import Entry, Mail, Reply, Users, Wired, Wrap
from tests.runtime.stream_example import Joined


class User(UserTarget):
    def __init__(self, name: str) -> None:
        self._name = name
        self.disposed = 0

    @property
    def name(self) -> str:
        return self._name

    async def rename(self, name: str) -> None:
        self._name = name

    async def friends(self) -> list[Any]:
        return []

    def dispose(self) -> None:
        self.disposed += 1


class Bell(rpc.WritableTarget[str]):
    def __init__(self) -> None:
        self.rung: list[str] = []

    def write(self, chunk: str) -> None:
        self.rung.append(chunk)


async def lines() -> AsyncIterator[str]:
    yield "a"
    yield "b"


class House(HouseTarget):
    """Everything that it gives belongs to `users`, which tell when they are let go."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.bell = Bell()
        self.kept: list[Any] = []
        self.taken: Any = None

    def give(self, name: str) -> User:
        return self.users.setdefault(name, User(name))

    @property
    def main(self) -> Room[UserTarget | UserStub]:
        return Room(name="main", owner=self.give("Ada"))

    async def room(self, number: int) -> Room[UserTarget | UserStub]:
        return Room(name=str(number), owner=self.give("Ada"), guests=[self.give("Bob"), self.give("Cid")])

    def find(self, name: str) -> Room[UserTarget | UserStub] | None:
        return Room(name=name, owner=self.give(name)) if name else None

    def rooms(self) -> Sequence[Room[UserTarget | UserStub]]:
        return [Room(name=name, owner=self.give(name)) for name in ("Ada", "Bob")]

    async def rent(
        self, room: Room[UserStub], seats: dict[str, Seat[UserStub, int]]
    ) -> Page[Seat[UserTarget | UserStub, int]]:
        self.taken = await room.owner.name, [await guest.name for guest in room.guests]
        page: Page[Seat[UserTarget | UserStub, int]] = Page(
            items=[Seat(seat.row, seat.taken_by and seat.taken_by.dup()) for seat in seats.values()]
        )
        self.kept.append(page)
        return page

    def door(self) -> Door:
        return Door(
            owner=self.give("Ada"),
            keys={"a": self.give("Bob")},
            on_open=lambda user: True,
            log=lines(),
            bell=self.bell,
            anything=self.give("Cid"),
        )

    async def set_door(self, door: Door | None, note: Note | None = None) -> Pair | None:
        if door is None:
            return None
        assert door.on_open is not None
        self.taken = (
            await as_stub(door.owner, UserStub).name,
            await as_stub(door.on_open, rpc.CallbackStub)(self.give("Bob")),
        )
        if door.log is not None:
            self.taken = (*self.taken, [line async for line in door.log])
        return Pair(cast("Any", as_stub(door.owner, UserStub).dup()))

    def notes(self, pair: Pair) -> Sequence[Note]:
        self.kept.append(as_stub(pair.left, UserStub).dup())
        return [Note(self.give("Ada"), (self.give("Bob"), None), on_read=self.kept.append)]

    def log_in(self, login: Login) -> Login:
        return {"seat": Seat(1, self.give("Ada"))} if "user" in login else {}

    async def watch(
        self, on_enter: rpc.CallbackStub[[Room[UserTarget | UserStub]], Note]
    ) -> AsyncIterator[Room[UserTarget | UserStub]]:
        note = await on_enter(Room(name="seen", owner=self.give("Ada")))
        async with as_stub(note.author, UserStub) as author:
            yield Room(name=await author.name, owner=self.give("Bob"))

    def user(self, name: str) -> User | None:
        return self.give(name) if name else None

    def all(self, first: tuple[UserStub, ...]) -> Mapping[str, UserTarget | UserStub]:
        return {str(index): user.dup() for index, user in enumerate(first)}

    def ringer(self) -> Callable[[UserStub], bool] | None:
        return None if self.bell.rung else lambda user: True

    def visits(self) -> AsyncIterator[UserTarget | UserStub] | None:
        async def users() -> AsyncIterator[UserTarget | UserStub]:
            yield self.give("Ada")

        return None if self.bell.rung else users()


@pytest.fixture
async def joined() -> AsyncIterator[Joined]:
    joined = Joined(House())
    yield joined
    await joined.quiet()
    await joined.assert_empty()


def house(joined: Joined) -> tuple[HouseStub, House]:
    """The stub of one end, and the target behind it."""
    target: Any = joined.b.session._exports[0].hook
    return joined.a.main(HouseStub), target.target


def disposals(target: House) -> dict[str, int]:
    return {name: user.disposed for name, user in target.users.items()}


class TestResults:
    async def test_a_field_holds_a_stub_and_disposing_the_promise_disposes_all_of_them(self, joined: Joined) -> None:
        api, target = house(joined)
        async with api.room(1) as promise:
            room = await promise
            assert type(room) is Room
            assert isinstance(room.owner, UserStub)
            assert await room.owner.name == "Ada"
            assert [await guest.name for guest in room.guests] == ["Bob", "Cid"]
        await joined.quiet()
        assert disposals(target) == {"Ada": 1, "Bob": 1, "Cid": 1}
        with pytest.raises(DisposedError):
            await room.owner.name

    async def test_the_stubs_in_it_are_given_up_one_by_one(self, joined: Joined) -> None:
        api, target = house(joined)
        room = await api.room(1)
        room.owner.dispose()
        await joined.quiet()
        assert disposals(target) == {"Ada": 1, "Bob": 0, "Cid": 0}
        for guest in room.guests:
            guest.dispose()
        await joined.quiet()
        assert disposals(target) == {"Ada": 1, "Bob": 1, "Cid": 1}

    async def test_a_capability_in_a_promised_model_is_used_in_the_same_round_trip(self, joined: Joined) -> None:
        api, target = house(joined)
        before = joined.a.stats().round_trips
        room = api.room(1)
        assert await room.owner.name == "Ada"
        assert joined.a.stats().round_trips == before + 1
        assert await room.guests[1].name == "Cid"
        assert await api.main.owner.name == "Ada"
        room.dispose()
        await joined.quiet()
        assert disposals(target) == {"Ada": 2, "Bob": 1, "Cid": 1}

    async def test_map_reaches_capabilities_in_a_list_of_models(self, joined: Joined) -> None:
        api, _ = house(joined)
        rooms = api.rooms()
        assert await rooms.map(lambda room: (room.name, room.owner.name)) == [("Ada", "Ada"), ("Bob", "Bob")]
        assert await rooms.map(lambda room: room.owner.friends()) == [[], []]
        assert await api.room(1).guests.map(lambda guest: guest.name) == ["Bob", "Cid"]

    async def test_everything_that_can_be_held_by_reference(self, joined: Joined) -> None:
        api, target = house(joined)
        async with api.door() as promise:
            door = await promise
            assert isinstance(door.owner, UserStub)
            assert await as_stub(door.keys["a"], UserStub).name == "Bob"
            assert door.guard is None
            assert await as_stub(door.on_open, rpc.CallbackStub)(User("Eve")) is True
            assert door.log is not None
            assert [line async for line in door.log] == ["a", "b"]
            bell: Any = door.bell
            await bell.write("ding")
            await bell.close()
            assert isinstance(door.anything, rpc.AnyStub)
            assert await door.anything.get("name") == "Cid"
        assert target.bell.rung == ["ding"]

    async def test_a_named_tuple_and_a_dataclass_inside_lists_and_tuples(self, joined: Joined) -> None:
        api, target = house(joined)
        ours = User("ours")
        notes = await api.notes(Pair(ours))
        author, (reader, nobody) = as_stub(notes[0].author, UserStub), notes[0].readers
        assert (await author.name, nobody) == ("Ada", None)
        assert await as_stub(reader, UserStub).name == "Bob"
        assert ours.disposed == 0
        await as_stub(notes[0].on_read, rpc.CallbackStub)("read")
        assert target.kept[1:] == ["read"]
        target.kept[0].dispose()
        await joined.quiet()
        assert ours.disposed == 1

    async def test_a_typed_dict_with_a_generic_dataclass(self, joined: Joined) -> None:
        api, _ = house(joined)
        assert await api.log_in({}) == {}
        answer = await api.log_in({"user": User("ours")})
        assert type(answer.get("seat")) is Seat
        seat = api.log_in({"user": User("ours")}).seat
        assert (await seat.row, await seat.taken_by.name) == (1, "Ada")

    async def test_chunks_of_a_stream_are_models_with_capabilities(self, joined: Joined) -> None:
        api, target = house(joined)
        seen: list[str] = []
        ours = User("ours")

        async def on_enter(room: Room[UserStub]) -> Note:
            seen.append(await room.owner.name)
            return Note(ours)

        async with await api.watch(on_enter) as rooms:
            found = [(room.name, await room.owner.name) async for room in rooms]
        assert (seen, found) == (["Ada"], [("ours", "Bob")])
        await joined.quiet()
        assert (ours.disposed, target.users["Ada"].disposed) == (1, 1)


class TestArguments:
    async def test_targets_and_stubs_in_a_model_arrive_as_stubs_and_are_disposed_with_the_call(
        self, joined: Joined
    ) -> None:
        api, target = house(joined)
        ada = await api.user("Ada")
        assert ada is not None
        owner, guest = User("owner"), User("guest")
        room: Room[UserTarget | UserStub] = Room(name="", owner=owner, guests=[guest, ada])
        page = await api.rent(room, {"a": Seat(7, ada), "b": Seat(8)})
        assert target.taken == ("owner", ["guest", "Ada"])
        await joined.quiet()
        assert (owner.disposed, guest.disposed) == (1, 1)
        assert await ada.name == "Ada"  # what is passed stays with the one who passed it
        assert [(seat.row, seat.taken_by and await seat.taken_by.name) for seat in page.items] == [
            (7, "Ada"),
            (8, None),
        ]
        ada.dispose()

    async def test_a_stub_in_a_returned_model_belongs_to_the_caller(self, joined: Joined) -> None:
        api, target = house(joined)
        ours = User("ours")
        page = await api.rent(Room(name="", owner=User("x")), {"a": Seat(1, ours)})
        await joined.quiet()
        assert ours.disposed == 0
        held = page.items[0].taken_by
        assert held is not None
        held.dispose()
        await joined.quiet()
        assert ours.disposed == 1  # though the target still has the model, and the stub in it
        kept = target.kept[0].items[0].taken_by
        with pytest.raises(DisposedError):
            await kept.name

    async def test_a_model_is_also_made_of_the_class_with_its_type_arguments(self, joined: Joined) -> None:
        api, target = house(joined)
        made = Room[UserTarget](name="", owner=User("ours"))
        given: Any = made
        await api.rent(given, {})
        assert target.taken == ("ours", [])
        for wrong in (7, api.user("Ada")):
            with pytest.raises(ValueError, match="should be an instance of UserTarget"):
                Room[UserTarget].model_validate({"name": "", "owner": wrong})

    async def test_a_promise_stands_for_a_model_and_for_what_it_holds(self, joined: Joined) -> None:
        api, target = house(joined)
        room = api.room(1)
        await api.rent(room, {})
        assert target.taken == ("Ada", ["Bob", "Cid"])
        answer = await api.all((room.owner, room.guests[0]))
        assert [await user.name for user in answer.values()] == ["Ada", "Bob"]

    async def test_fields_that_name_the_interface_are_given_targets_functions_and_streams(self, joined: Joined) -> None:
        api, target = house(joined)
        ours, asked = User("ours"), list[str]()

        def on_open(user: Any) -> bool:
            asked.append(type(user).__name__)
            return True

        pair = await api.set_door(Door(owner=ours, on_open=on_open, log=lines()))
        assert target.taken == ("ours", True, ["a", "b"])
        assert asked == ["UserStub"]
        assert pair is not None
        assert await as_stub(pair.left, UserStub).name == "ours"
        assert ours.disposed == 0
        as_stub(pair.left, UserStub).dispose()
        await joined.quiet()
        assert ours.disposed == 1
        assert await api.set_door(None) is None

    async def test_what_is_no_capability_is_refused_before_anything_is_sent(self, joined: Joined) -> None:
        api, _ = house(joined)
        ours, wrong = User("ours"), cast("Any", object())
        sent = len(joined.to_b.sent)
        with pytest.raises(TypeError, match="UserTarget or UserStub"):
            _ = api.rent(Room(name="", owner=ours, guests=[wrong]), {})
        await joined.quiet()
        assert len(joined.to_b.sent) == sent
        assert ours.disposed == 1


class TestMalformed:
    async def test_a_model_that_fails_half_way_takes_back_what_it_has_imported(self, joined: Joined) -> None:
        ours, target = User("ours"), house(joined)[1]
        raw = joined.a.main(rpc.AnyStub)
        for wrong in ({"name": "n", "owner": ours, "guests": [ours, 7]}, {"name": "n", "owner": ours, "guests": 1}):
            with pytest.raises(TypeError, match="guests"):
                await raw.call("rent", wrong, {})
        with pytest.raises(TypeError, match="owner"):
            await raw.call("rent", {"guests": [ours], "name": "n"}, {})
        await joined.quiet()
        assert target.taken is None
        assert ours.disposed == 4

    async def test_a_result_that_is_refused_half_way_is_given_back(self, joined: Joined) -> None:
        owner = User("ours")
        raw = joined.a.main(rpc.AnyStub)
        with pytest.raises(TypeError, match="left"):
            await raw.call("notes", {"right": owner})
        await joined.quiet()
        assert owner.disposed == 1


class TestOptional:
    async def test_what_may_be_none_can_be_used_before_it_has_arrived(self, joined: Joined) -> None:
        api, _ = house(joined)
        assert await api.user("Ada").name == "Ada"
        assert await api.find("Bob").owner.name == "Bob"
        assert await api.ringer()(User("x")) is True
        assert [await user.name async for user in api.visits()] == ["Ada"]
        assert await api.door().on_open(User("x")) is True
        assert [line async for line in api.door().log] == ["a", "b"]
        assert await api.door().anything.get("name") == "Cid"

    async def test_and_says_so_where_it_is_none(self, joined: Joined) -> None:
        api, target = house(joined)
        target.bell.rung.append("no more")
        assert await api.user("") is None
        assert await api.ringer() is None
        assert await api.visits() is None
        with pytest.raises(TypeError):
            await api.user("").name
        with pytest.raises(TypeError):
            await api.ringer()(User("x"))
        with pytest.raises(TypeError, match="it is None"):
            _ = [user async for user in api.visits()]


class One(more.UserTarget):
    made = 0
    disposed = 0

    def __init__(self) -> None:
        One.made += 1

    async def me(self) -> int:
        return 7

    def dispose(self) -> None:
        One.disposed += 1


class Lamp(more.LampTarget):
    @property
    def lit(self) -> bool:
        return True


class More(more.ApiTarget):
    """Asks what it is given, and answers with something of its own."""

    async def entry(self, entry: Entry[more.UserStub]) -> Entry[One]:
        return Entry(One(), await entry.item.me())

    def plain(self, entry: Entry[int]) -> Entry[int]:
        return entry

    async def reply(self, reply: Reply[more.UserStub]) -> Reply[more.UserTarget | more.UserStub]:
        assert await reply["body"].me() == 7
        return {"body": One()}

    async def users(self, users: Users) -> Users:
        assert [await user.me() for user in users.root] == [7, 7]
        return Users([One()])

    async def wired(self, wired: Wired) -> Wired:
        assert await as_stub(wired.lamp, more.LampStub).lit
        return Wired(lamp=cast("Any", Lamp()), entry=Entry(One()))

    async def lists(self, wrap: Wrap[list[more.UserStub]]) -> Wrap[One | None]:
        assert [await user.me() for user in wrap.value] == [7, 7]
        return Wrap(value=One())

    async def nested(self, wrap: Wrap[Wrap[more.UserStub]]) -> Wrap[Wired]:
        assert await wrap.value.value.me() == 7
        return Wrap(value=Wired(lamp=cast("Any", Lamp())))

    async def dicts(self, wrap: Wrap[dict[str, more.UserStub]]) -> Wrap[Entry[One]]:
        return Wrap(value=Entry(One(), await wrap.value["a"].me()))

    async def any(self, wrap: Wrap[rpc.AnyStub]) -> Wrap[One]:
        assert await wrap.value.call("me") == 7
        return Wrap(value=One())

    def mail(self, mail: Mail) -> Mail:
        return mail

    async def either(self, wrap: Wrap[more.UserStub] | str) -> Wrap[One] | int:
        return 1 if isinstance(wrap, str) else Wrap(value=One())


class TestMoreKinds:
    async def test_each_kind_of_model_holds_stubs_and_takes_targets(self, joined: Joined) -> None:
        One.made = One.disposed = 0
        session = Joined(More())
        api = session.a.main(more.ApiStub)
        lamp: Any = Lamp()
        assert await api.entry(Entry(One())).number == 7
        assert await api.entry(Entry(One())).item.me() == 7
        assert await api.plain(Entry(4)) == Entry(4)
        assert await api.reply({"body": One()}).body.me() == 7
        assert [await user.me() for user in (await api.users(Users([One(), One()]))).root] == [7]
        assert await api.wired(Wired(lamp=lamp)).lamp.lit is True
        assert await api.wired(Wired(lamp=lamp)).entry.item.me() == 7
        several: list[more.UserTarget | more.UserStub] = [One(), One()]
        named: dict[str, more.UserTarget | more.UserStub] = {"a": One()}
        assert await api.lists(Wrap(value=several)).value.me() == 7
        assert await api.nested(Wrap(value=Wrap(value=One()))).value.lamp.lit is True
        assert await api.dicts(Wrap(value=named)).value.number == 7
        assert await api.any(Wrap(value=One())).value.call("me") == 7
        request = Request("https://example.com/", body=b"abc", method="POST")
        assert (await api.mail(Mail(request=request))).request == request
        assert await api.either("a") == 1
        either = await api.either(Wrap(value=One()))
        assert isinstance(either, Wrap)
        assert await either.value.me() == 7
        del either
        await session.assert_empty()
        assert One.disposed == One.made
