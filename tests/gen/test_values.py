"""Values of the common libraries between generated stubs and skeletons with a session in between: each arrives as what
it was, and what would not is refused where it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import HttpUrl, JsonValue, PostgresDsn

from tests.gen.conftest import Serve
from tests.gen.golden.dictionary_keys import expected as keys
from tests.gen.golden.dictionary_keys.schema import Colour, Level, Number, Size, Stock, User, UserId
from tests.gen.golden.models import expected as models
from tests.gen.golden.models.schema import Member, Tree
from tests.gen.golden.moments import expected as moments
from tests.gen.golden.moments.schema import Event
from tests.gen.golden.special_numbers import expected as numbers
from tests.gen.golden.type_parameter_defaults import expected as defaults
from tests.gen.golden.type_parameter_defaults.schema import Later, Named, Page, Pair, Two
from tests.gen.golden.type_parameter_defaults.schema import User as Person
from tests.gen.golden.value_types import expected as values
from tests.gen.golden.value_types.schema import Card, Cash, Kind, OwnUrl, Site
from tests.gen.golden.value_types.schema import Level as Degree

# ---- texts with rules, JSON, members of enums

SITE = Site(
    home=HttpUrl("https://example.org/a"),
    own=OwnUrl("own://x"),
    hosts={IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")},
    root=Path("/srv/www"),
    settings={"a": [1, None, 1.5, {"b": "c"}], "n": 2**60},
)


class Registry(values.RegistryTarget):
    @property
    def database(self) -> PostgresDsn:
        return PostgresDsn("postgres://u:p@h1,h2/db")

    def site(self, address: IPv4Address | None, network: IPv4Network) -> Site:
        assert address is None or (type(address) is IPv4Address and address in network)
        return SITE

    def save(self, site: Site) -> Site:
        return site

    def interfaces(self, of: IPv6Address) -> Sequence[IPv4Interface]:
        assert of == IPv6Address("::1")
        return [IPv4Interface("192.0.2.1/24")]

    def paths(self, below: Path) -> Mapping[str, PurePosixPath]:
        return {"here": PurePosixPath(below) / "a"}

    def pay(self, by: Card | Cash) -> Card | Cash:
        return by

    def kind(self, kind: Kind | int) -> Kind | int:
        return kind

    def only(
        self,
        kind: Literal[Kind.CARD] = Kind.CARD,
        level: Literal[Degree.LOW, Degree.HIGH] | None = None,
    ) -> Literal[Kind.CASH]:
        assert kind is Kind.CARD
        assert level is None or type(level) is Degree
        return Kind.CASH

    def put(self, value: JsonValue) -> Sequence[JsonValue]:
        return [value, {"was": value}]


async def test_texts_with_rules_arrive_as_instances_of_their_classes(served: Serve) -> None:
    registry = served(Registry, values.RegistryStub)
    assert await registry.database == PostgresDsn("postgres://u:p@h1,h2/db")
    assert await registry.site(IPv4Address("10.0.0.1"), IPv4Network("10.0.0.0/8")) == SITE
    assert await registry.save(SITE) == SITE
    assert await registry.save(SITE).home == SITE.home
    assert await registry.interfaces(IPv6Address("::1")) == [IPv4Interface("192.0.2.1/24")]
    assert await registry.paths(Path("/srv")) == {"here": PurePosixPath("/srv/a")}


async def test_any_json_is_passed_on_and_nothing_else(served: Serve) -> None:
    registry = served(Registry, values.RegistryStub)
    assert await registry.put([1, {"a": None}]) == [[1, {"a": None}], {"was": [1, {"a": None}]}]
    wrong: Any = {"at": datetime(2024, 1, 1, tzinfo=UTC)}
    with pytest.raises(TypeError, match=r"argument 'value.at': expected a value of JSON, got datetime"):
        await registry.put(wrong)


async def test_members_of_an_enum_are_types_and_tell_models_apart(served: Serve) -> None:
    registry = served(Registry, values.RegistryStub)
    assert await registry.pay(Card(number="4012")) == Card(number="4012")
    assert await registry.pay(Cash()) == Cash()
    assert await registry.only() is Kind.CASH
    assert await registry.only(Kind.CARD, Degree.HIGH) is Kind.CASH
    other: Any = Kind.CASH
    with pytest.raises(TypeError, match="argument 'kind': expected Kind, one of 'card', got"):
        await registry.only(other)


async def test_the_field_of_a_model_that_cannot_be_sent_is_named(served: Serve) -> None:
    registry = served(Registry, values.RegistryStub)
    with pytest.raises(TypeError, match=r"argument 'site.settings.a': expected keys that peers keep, got 'toString'"):
        await registry.save(SITE.model_copy(update={"settings": {"a": {"toString": 1}}}))


# ---- keys of dictionaries


class Store(keys.StoreTarget):
    @property
    def stock(self) -> Stock:
        return Stock(by_number={1: User(name="ada")}, by_id={UserId("u"): [1]}, by_size={Size.BIG: "b"})

    def users(self, ages: dict[UserId, int]) -> Mapping[UserId, User]:
        return {name: User(name=f"{name} {age}") for name, age in ages.items()}

    def numbers(self, names: dict[Number, str]) -> Mapping[int, User]:
        return {number: User(name=name) for number, name in names.items()}

    def colours(self, names: dict[Colour, str], levels: dict[Level, str]) -> Mapping[Size, int] | None:
        assert list(map(type, (*names, *levels))) == [Colour, Level]
        return {Size.BIG: 1} if names else None

    def days(self, first: dict[date, UUID]) -> Mapping[UUID, date]:
        return {number: day for day, number in first.items()}

    def some(self, sides: dict[Literal["left", "right"], int], dice: dict[Literal[1, 2], str]) -> None:
        assert (sides, dice) == ({"left": 1}, {2: "two"})

    def limited(self, of: dict[str, int]) -> Mapping[int, str]:
        return {number: name for name, number in of.items()}


async def test_keys_of_dictionaries_arrive_as_what_they_were(served: Serve) -> None:
    store = served(Store, keys.StoreStub)
    stock = await store.stock
    assert stock == Stock(by_number={1: User(name="ada")}, by_id={UserId("u"): [1]}, by_size={Size.BIG: "b"})
    assert await store.users({UserId("ada"): 36}) == {"ada": User(name="ada 36")}
    assert await store.numbers({Number(2**60): "big"}) == {2**60: User(name="big")}
    assert await store.colours({Colour.RED: "r"}, {Level.LOW: "l"}) == {Size.BIG: 1}
    assert await store.days({date(2024, 1, 1): UUID(int=1)}) == {UUID(int=1): date(2024, 1, 1)}
    await store.some({"left": 1}, {2: "two"})


async def test_items_are_promised_by_their_keys(served: Serve) -> None:
    store = served(Store, keys.StoreStub)
    assert await store.stock.by_number[1].name == "ada"
    assert await store.stock.by_id[UserId("u")][0] == 1
    assert await store.stock.by_size[Size.BIG] == "b"
    assert await store.numbers({Number(-1): "less"})[-1].name == "less"


async def test_limits_of_keys_are_checked_where_they_arrive(served: Serve) -> None:
    store = served(Store, keys.StoreStub)
    assert await store.limited({"abc": 1}) == {1: "abc"}
    with pytest.raises(TypeError, match=r"argument 'of.abcd': expected str of length 3 or less"):
        await store.limited({"abcd": 1})
    with pytest.raises(TypeError, match=r"result.0: expected int of at least 1"):
        await store.limited({"abc": 0})
    with pytest.raises(TypeError, match="of length 2 or less"):
        await store.numbers({Number(number): "" for number in range(3)})


async def test_a_key_that_peers_drop_is_refused_where_it_is_sent(served: Serve) -> None:
    store = served(Store, keys.StoreStub)
    with pytest.raises(TypeError, match="argument 'ages': expected keys that peers keep, got 'constructor'"):
        await store.users({UserId("constructor"): 1})


async def test_such_a_key_in_a_result_rejects_the_call_and_the_session_lives(served: Serve) -> None:
    class Careless(Store):
        def users(self, ages: dict[UserId, int]) -> Mapping[UserId, User]:
            return {UserId("valueOf"): User(name="x")} if ages else {}

    store = served(Careless, keys.StoreStub)
    with pytest.raises(TypeError, match=r"result of Careless\.users: expected keys that peers keep, got 'valueOf'"):
        await store.users({UserId("a"): 1})
    assert await store.users({}) == {}


async def test_such_a_key_of_what_a_mapper_returns_is_refused_at_once(served: Serve) -> None:
    registry = served(Registry, values.RegistryStub)
    with pytest.raises(TypeError, match="result of the mapper function: expected keys that peers keep"):
        await registry.put(1).map(lambda item: {"toString": item})
    assert await registry.put(1).map(lambda item: {"text": item}) == [{"text": 1}, {"text": {"was": 1}}]


async def test_such_a_key_beside_the_fields_of_a_model_is_refused(served: Serve) -> None:
    directory = served(models.DirectoryTarget, models.DirectoryStub)
    extra = {"name": "a", "address": {"street": "s", "zip": "12345"}, "number": 1, "from_": "b"}
    member = Member.model_validate({**extra, "bornAt": NOON, "hasOwnProperty": 1})
    with pytest.raises(TypeError, match="argument 'member': expected keys that peers keep, got 'hasOwnProperty'"):
        await directory.add(member, Tree(label="t"))


# ---- dates and times

NOON = datetime(2024, 1, 31, 12, 0, 0, 123_456, UTC)
MS = NOON.replace(microsecond=123_000)
EVENT = Event(
    at=NOON,
    announced=NOON,
    wall_clock=NOON.replace(tzinfo=None),
    born=date(2000, 1, 1),
    measured=NOON,
    rounded=NOON.replace(microsecond=123_500),
    whole=[MS, None],
)


class Calendar(moments.CalendarTarget):
    def add(self, event: Event) -> Event:
        return event

    def plan(self, day: date, at: datetime | None = None) -> date:
        return date(2000, 1, 1) if at is None else day

    def log(self, at: datetime, seen: datetime | None) -> datetime:
        assert at == NOON
        return at.replace(microsecond=999_500)

    def local(self, at: datetime) -> datetime:
        return at

    def since(self, at: datetime) -> Mapping[datetime, date]:
        return {NOON: at.date()}


async def test_microseconds_become_what_the_schema_says(served: Serve) -> None:
    calendar = served(Calendar, moments.CalendarStub)
    came = await calendar.add(EVENT)
    assert (came.at, came.announced, came.whole) == (MS, MS, [MS, None])
    assert (came.measured, came.wall_clock) == (NOON, NOON.replace(tzinfo=None))
    assert came.rounded == NOON.replace(microsecond=124_000)
    assert await calendar.log(NOON, MS) == NOON.replace(second=1, microsecond=0)
    assert await calendar.local(NOON.replace(tzinfo=None)) == NOON.replace(tzinfo=None)
    assert await calendar.since(NOON) == {NOON: NOON.date()}
    with pytest.raises(TypeError, match="argument 'seen': expected a datetime of whole milliseconds"):
        await calendar.log(NOON, NOON)
    with pytest.raises(TypeError, match=r"argument 'event.whole\[1\]': expected a datetime of whole milliseconds"):
        await calendar.add(EVENT.model_copy(update={"whole": [MS, NOON]}))


async def test_past_and_future_are_checked_where_a_date_arrives(served: Serve) -> None:
    calendar = served(Calendar, moments.CalendarStub)
    assert await calendar.plan(date(9999, 1, 1)) == date(2000, 1, 1)
    with pytest.raises(TypeError, match=r"argument 'day': .* in the future, got date 2000-01-01"):
        await calendar.plan(date(2000, 1, 1))
    with pytest.raises(TypeError, match="argument 'at': expected datetime in the future"):
        await calendar.plan(date(9999, 1, 1), NOON)
    with pytest.raises(TypeError, match=r"result: .* in the past, got date 9999-01-01"):
        await calendar.plan(date(9999, 1, 1), datetime(9999, 1, 1, tzinfo=UTC))
    with pytest.raises(TypeError, match=r"argument 'event.born': .*in the past"):
        await calendar.add(EVENT.model_copy(update={"born": date(9999, 1, 1)}))


# ---- defaults of parameters, and of type parameters


class Gauge(numbers.GaugeTarget):
    def read(self, low: float = float("-inf"), high: float = float("inf")) -> float:
        return high - low

    def clip(self, value: float | None = float("nan"), *, most: Annotated[float, "of at least 0"] = 0) -> float:
        return 0.0 if value is None else value

    def float(self, float: Any = None) -> int:
        return 1


async def test_defaults_that_json_lacks_are_those_of_the_schema(served: Serve) -> None:
    gauge = served(Gauge, numbers.GaugeStub)
    assert await gauge.read() == float("inf")
    assert await gauge.read(1, 3) == 2
    value = await gauge.clip()
    assert value != value


class Users(defaults.UsersTarget):
    def page(self) -> Page[Person]:
        return Page[Person](items=[Person(name="ada")])

    def all(self, pairs: list[Pair[str, int]], two: Two[str, int]) -> Page[Person] | None:
        assert (pairs, two) == ([Pair("a", 1)], Two[str, int](a="a", b=1))
        return None

    def later(self, count: int | None = 1) -> Named[Later]:
        return {"value": Later(at=count or 0)}


async def test_type_parameters_stand_for_their_defaults(served: Serve) -> None:
    users = served(Users, defaults.UsersStub)
    assert (await users.page()).items == [Person(name="ada")]
    assert await users.page().items[0].name == "ada"
    assert await users.all([Pair("a", 1)], Two[str, int](a="a", b=1)) is None
    assert await users.later() == {"value": Later(at=1)}
