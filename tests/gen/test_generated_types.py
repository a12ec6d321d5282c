"""Types of the schema language at work: what one end of a session sends arrives at the other as what it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence, Set
from datetime import date, time, timedelta
from decimal import Decimal
from ssl import VerifyMode
from typing import Any, Literal
from uuid import UUID

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.objects.any_stub import AnyStub
from tests.gen.conftest import Serve
from tests.gen.golden.constraints import expected as limited
from tests.gen.golden.constraints.schema import Account, Offer
from tests.gen.golden.model_kinds import expected as kinds
from tests.gen.golden.model_kinds.schema import Basket, Dates, Page, Pair, Price
from tests.gen.golden.model_kinds.schema import Item as Ware
from tests.gen.golden.model_kinds.schema import Names as NameList
from tests.gen.golden.named_types import expected as named
from tests.gen.golden.named_types.schema import Access, AdminId, Colour, Kind, Level, Names, User, UserId
from tests.gen.golden.records import expected as records
from tests.gen.golden.records.schema import Currency, Gift, Item, Money, Movie, Search, Shelf, Spot
from tests.gen.golden.standard_types import expected as standard
from tests.gen.golden.standard_types.schema import Invoice
from tests.gen.golden.tagged_unions import expected as zoo
from tests.gen.golden.tagged_unions.schema import Bird, Cat, Dog, Fish, Moved

# ---- the standard library

NUMBER = UUID("12345678-1234-5678-1234-567812345678")
NEW_YEAR = date(2024, 1, 1)
INVOICE = Invoice(
    number=NUMBER,
    issued=NEW_YEAR,
    total=Decimal("19.90"),
    opens=time(8, 30),
    tags=frozenset({"a", "b"}),
    lines=(("pen", Decimal("1.10")), ("ink", Decimal("18.80"))),
    paid_on=[date(2024, 2, 29)],
)


class Ledger(standard.LedgerTarget):
    added: list[Any]

    def __init__(self) -> None:
        Ledger.added = []

    @property
    def opened(self) -> date:
        return NEW_YEAR

    @property
    def currencies(self) -> Set[str]:
        return {"EUR"}

    def add(self, invoice: Invoice, at: time, *, within: timedelta | None = None) -> UUID:
        Ledger.added += [invoice, at, within]
        return invoice.number

    async def find(self, number: UUID | int) -> Invoice | None:
        return INVOICE if number == NUMBER else None

    def total(self, since: date, until: date | None = None) -> Decimal:
        return Decimal((until or since).toordinal()) / 100

    def open_numbers(self, except_for: set[UUID]) -> Set[UUID]:
        return frozenset({NUMBER}) - except_for

    def sums(self, amounts: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        return (sum(amounts, Decimal("0.00")),)

    def sums_by_day(self, days: dict[str, tuple[Decimal, ...]]) -> Sequence[Set[int]]:
        return [{int(amount) for amount in amounts} for amounts in days.values()]

    def scan(self, page: bytearray) -> bytearray:
        page += b"!"
        return page

    async def days(self, on_day: rpc.CallbackStub[[date], timedelta]) -> AsyncIterator[date]:
        shift = await on_day(NEW_YEAR)

        async def days() -> AsyncIterator[date]:
            yield NEW_YEAR + shift

        return days()

    def mixed(self, value: bool | list[int] | date | float | None) -> Mapping[str, int] | Decimal | tuple[int, str]:
        match value:
            case list():
                return {str(number): number for number in value}
            case date():
                return value.day, value.isoformat()
            case _:
                return Decimal(str(value))


async def test_a_model_of_standard_types_arrives_as_it_was_sent(served: Serve) -> None:
    api = served(Ledger, standard.LedgerStub)
    assert await api.add(INVOICE, time(12, 0), within=timedelta(hours=1, microseconds=1)) == NUMBER
    assert Ledger.added == [INVOICE, time(12, 0), timedelta(hours=1, microseconds=1)]
    found = await api.find(NUMBER)
    assert found is not None
    assert found == INVOICE
    assert found.due == timedelta(days=30)
    assert (await api.find(NUMBER).total, await api.find(NUMBER).tags) == (Decimal("19.90"), frozenset("ab"))
    assert await api.find(1) is None


async def test_standard_types_are_arguments_and_results(served: Serve) -> None:
    api = served(Ledger, standard.LedgerStub)
    assert (await api.opened, await api.currencies) == (NEW_YEAR, frozenset({"EUR"}))
    assert await api.total(api.opened) == Decimal(NEW_YEAR.toordinal()) / 100
    assert await api.open_numbers(set()) == {NUMBER}
    assert await api.open_numbers(api.open_numbers(set())) == set()
    assert await api.sums((Decimal("0.10"), Decimal("0.20"))) == (Decimal("0.30"),)
    assert await api.sums_by_day({"a": (Decimal(1), Decimal(1)), "b": ()}) == [{1}, set()]
    page = await api.scan(bytearray(b"abc"))
    assert (page, type(page)) == (bytearray(b"abc!"), bytearray)
    assert [day async for day in api.days(lambda day: timedelta(days=day.day))] == [date(2024, 1, 2)]


async def test_types_of_different_forms_are_told_apart(served: Serve) -> None:
    api = served(Ledger, standard.LedgerStub)
    assert await api.mixed([1, 2]) == {"1": 1, "2": 2}
    assert await api.mixed(date(2024, 2, 3)) == (3, "2024-02-03")
    assert [await api.mixed(value) for value in (0.5, 2)] == [Decimal("0.5"), Decimal("2.0")]
    with pytest.raises(TypeError, match="value"):
        await api.mixed("later")  # type: ignore[arg-type]  # that it is refused is what is tested


# ---- names


ROOT = AdminId(UserId(7))


class Painter(named.PainterTarget):
    @property
    def favourite(self) -> Colour:
        return Colour.CRIMSON

    def paint(self, colour: Colour = Colour.RED, level: Level = Level.HIGH, tint: Colour | None = None) -> Kind:
        return Kind.WEB if (colour, level, tint) == (Colour.BLUE, Level.HIGH, Colour.RED) else Kind.PAPER

    def grant(self, user: UserId, access: Access = Access.BOTH) -> User:
        return User(id=user, access=access, levels={Level.LOW, Level.HIGH})

    def admin(self, id: AdminId = ROOT, names: Names | None = None) -> AdminId:
        return AdminId(UserId(id + len(names or [])))

    def labels(self, labels: dict[str, Kind]) -> Mapping[str, Kind]:
        return labels

    async def all(self, wanted: list[Colour]) -> Set[Colour]:
        return set(wanted)

    def either(self, value: Kind | UserId | None = Kind.WEB, other: Literal["x"] | Level = "x") -> Kind | UserId:
        return UserId(-1) if value is None else value

    def verification(self, *, kinds: Literal["all"] | tuple[Kind, ...] = "all") -> VerifyMode:
        return VerifyMode.CERT_NONE if kinds == (Kind.WEB,) else VerifyMode.CERT_REQUIRED


async def test_enums_arrive_as_members(served: Serve) -> None:
    api = served(Painter, named.PainterStub)
    assert await api.favourite is Colour.RED
    assert await api.paint(Colour.BLUE, tint=api.favourite) is Kind.WEB
    assert await api.paint() is Kind.PAPER
    assert await api.labels({"a": Kind.WEB})["a"] is Kind.WEB
    assert await api.all([Colour.RED, Colour.BLUE, Colour.RED]) == {Colour.RED, Colour.BLUE}
    assert [await api.verification(), await api.verification(kinds=(Kind.WEB,))] == [
        VerifyMode.CERT_REQUIRED,
        VerifyMode.CERT_NONE,
    ]
    with pytest.raises(TypeError, match="Colour, one of 'red', 'blue'"):
        await api.paint("green")  # type: ignore[arg-type]  # that it is refused is what is tested


async def test_flags_and_new_types_arrive_as_such(served: Serve) -> None:
    api = served(Painter, named.PainterStub)
    user = await api.grant(UserId(3), Access.READ | Access.WRITE)
    assert user == User(id=UserId(3), access=Access.BOTH, levels={Level.LOW, Level.HIGH})
    assert await api.grant(UserId(3), Access(0)).access is Access(0)
    assert await api.admin(names=Names(["a", "b"])) == 9


async def test_unions_of_named_types_are_told_apart(served: Serve) -> None:
    api = served(Painter, named.PainterStub)
    assert [await api.either(), await api.either(UserId(5)), await api.either(None)] == [Kind.WEB, 5, -1]


# ---- records


class Shop(records.ShopTarget):
    searched: list[Any]

    def __init__(self) -> None:
        Shop.searched = []

    @property
    def best(self) -> Movie:
        return {"title": "best", "shown_at": Spot(1)}

    def price(self, item: Item, gifts: list[Gift]) -> Money:
        return Money(item.list_price.amount + sum(gift.list_price.amount for gift in gifts), Currency.USD)

    def spot(self, of: Spot | None = None) -> Spot:
        return Spot(2, 3, "there") if of is None else of

    def movies(self, search: Search) -> Sequence[Movie]:
        Shop.searched.append(search)
        return [{"title": word} for word in search["words"]]

    def shelf(self, shelves: dict[str, Shelf]) -> Shelf | None:
        return shelves.get("a")

    def either(self, value: Spot | str) -> Movie | Sequence[int]:
        return {"title": value} if isinstance(value, str) else [value.x, value.y]


async def test_dataclasses_arrive_as_instances(served: Serve) -> None:
    api = served(Shop, records.ShopStub)
    gift = Gift(list_price=Money(2), to="you")
    assert await api.price(Item(list_price=Money(1), parts=[gift]), [gift]) == Money(3, Currency.USD)
    assert await api.price(Item(list_price=Money(1)), []).currency is Currency.USD
    wrong = Money(1)
    object.__setattr__(wrong, "amount", -1)
    with pytest.raises(TypeError, match=r"item\.listPrice.*an amount is not negative"):
        await api.price(Item(list_price=wrong), [])


async def test_named_tuples_arrive_as_such(served: Serve) -> None:
    api = served(Shop, records.ShopStub)
    assert await api.spot() == Spot(2, 3, "there")
    assert await api.spot(Spot(4)) == Spot(4, 0, None)
    assert (await api.spot().x, await api.spot().map_) == (2, "there")
    assert await api.either(Spot(5, 6)) == [5, 6]
    assert await api.either("a") == Movie(title="a")


async def test_typed_dicts_keep_what_they_are_without(served: Serve) -> None:
    api = served(Shop, records.ShopStub)
    assert await api.best == {"title": "best", "shown_at": Spot(1)}
    assert (await api.best.title, await api.best.shown_at.x) == ("best", 1)
    search = Search(words=["a", "b"], before=NEW_YEAR, like={"title": "c", "year": 1999})
    assert await api.movies(search) == [{"title": "a"}, {"title": "b"}]
    assert await api.movies({"words": []}) == []
    assert Shop.searched == [search, {"words": []}]
    with pytest.raises(TypeError, match="without the key 'words'"):
        await api.movies({})  # type: ignore[arg-type]  # that it is refused is what is tested


async def test_models_hold_records(served: Serve) -> None:
    api = served(Shop, records.ShopStub)
    part = Item(list_price=Money(1))
    shelf = Shelf(items=[Item(list_price=Money(2), parts=[part])], at=Spot(1), movie={"title": "a", "year": 2000})
    assert await api.shelf({"a": shelf}) == shelf
    arrived = await api.shelf({"a": shelf})
    assert arrived is not None
    assert arrived.items[0].count == 1


# ---- kinds of pydantic models


class Wares(kinds.ShopTarget):
    @property
    def names(self) -> NameList:
        return NameList(["a", "b"])

    def page(self, of: Page[Ware]) -> Page[Ware]:
        return Page[Ware](items=of.items[:1], next=len(of.items))

    def numbers(self, page: Page[list[int]] | None = None) -> Page[int]:
        return Page[int](items=[] if page is None else page.items[0])

    def dates(self) -> Dates:
        return Dates(items=[NEW_YEAR], of=1)

    async def price(self, price: Price, extra: list[Price]) -> Price | None:
        return Price(price.root + sum(one.root for one in extra)) if extra else None

    def basket(self, basket: Basket) -> Basket:
        return basket

    async def pairs(self) -> AsyncIterator[Pair[str, Price]]:
        yield Pair[str, Price](key="a", value=Price(1))


async def test_generic_models_arrive_with_their_type_arguments(served: Serve) -> None:
    api = served(Wares, kinds.ShopStub)
    ware = Ware(name="pen", price=2)
    page = await api.page(Page[Ware](items=[ware, ware]))
    assert (page, type(page)) == (Page[Ware](items=[ware], next=2), Page[Ware])
    assert await api.page(page).items[0].name == "pen"
    assert await api.numbers(Page[list[int]](items=[[1, 2]])) == Page[int](items=[1, 2])
    assert await api.dates() == Dates(items=[NEW_YEAR], of=1)
    assert [pair async for pair in api.pairs()] == [Pair[str, Price](key="a", value=Price(1))]
    with pytest.raises(TypeError, match="page"):
        await api.numbers(Page[int](items=[1]))  # type: ignore[arg-type]  # that it is refused is what is tested


async def test_root_models_travel_as_what_they_hold(served: Serve) -> None:
    api = served(Wares, kinds.ShopStub)
    assert await api.names == NameList(["a", "b"])
    assert await api.price(Price(1), [Price(2)]) == Price(3)
    assert await api.price(Price(1), []) is None
    with pytest.raises(TypeError, match=r"price.*negative"):
        await api.price(Price.model_construct(-1), [])
    basket = Basket(
        page=Page[Ware](items=[]),
        best=Page[Ware | None](items=[None]),
        names=NameList([]),
        by_name={"a": Pair[str, Page[int]](key="k", value=Page[int](items=[1]))},
    )
    assert await api.basket(basket) == basket
    assert await api.basket(basket).by_name["a"].value.items == [1]


async def test_computed_fields_are_sent_and_ignored_on_arrival(served: Serve) -> None:
    api = served(Wares, kinds.ShopStub)
    page = Page[Ware](items=[Ware(name="pen", price=2)])
    assert (await api.page(page).items[0].label, await api.page(page).items[0].cheap) == ("pen: 2", True)


@pytest.mark.parametrize(("name", "price"), [("", 1), ("longer", 1), ("pen", -1), ("pen", 13)])
async def test_a_model_is_validated_on_arrival(served: Serve, name: str, price: int) -> None:
    api = served(Wares, kinds.ShopStub)
    wrong = Ware.model_construct(name=name, price=price)
    with pytest.raises(TypeError, match=r"of\.items\[0\]"):
        await api.page(Page[Ware].model_construct(items=[wrong]))


# ---- unions of models


class Park(zoo.ZooTarget):
    added: list[Any]

    def __init__(self) -> None:
        Park.added = []

    @property
    def first(self) -> Cat | Dog:
        return Dog(name="Rex")

    def add(self, pet: Cat | Dog | Fish | Bird, friends: list[Cat | Dog] | None = None) -> Cat | Dog | None:
        Park.added.append(pet)
        return friends[0] if friends else None

    def events(self, since: Moved | Literal["start"] | int = "start") -> Sequence[Moved | str]:
        return [since if isinstance(since, Moved) else str(since), "end"]

    def tagged(self, pet: Cat | Dog) -> Mapping[str, Cat | Dog | str | None]:
        return {"pet": pet, "none": None, "name": pet.kind}

    def either(self, value: Fish | list[int]) -> tuple[Bird | Fish, int | Moved]:
        if isinstance(value, list):
            return {"kind": "bird", "sings": True}, len(value)
        return value, Moved(by=1)


class Puppy(Dog):
    pass


async def test_models_in_a_union_are_told_apart_by_their_tag(served: Serve) -> None:
    api = served(Park, zoo.ZooStub)
    bird: Bird = {"kind": "bird", "sings": False}
    given: list[Cat | Dog | Fish | Bird] = [Cat(), Dog(kind="puppy", name="a"), Fish(3, True), bird]
    for pet in given:
        assert await api.add(pet) is None
    assert Park.added == given
    assert await api.first == Dog(name="Rex")
    assert await api.add(api.first, [Cat(friend=Dog(name="a", chases=[Cat()]))]) == Cat(
        friend=Dog(name="a", chases=[Cat()])
    )
    assert await api.add(Puppy(name="a")) is None
    assert await api.tagged(Cat(lives=1)) == {"pet": Cat(lives=1), "none": None, "name": "cat"}


async def test_a_model_is_told_apart_from_what_has_another_form(served: Serve) -> None:
    api = served(Park, zoo.ZooStub)
    assert await api.events(Moved(by=2)) == [Moved(by=2), "end"]
    assert [(await api.events())[0], (await api.events(7))[0]] == ["start", "7"]
    assert await api.either([1, 2]) == ({"kind": "bird", "sings": True}, 2)
    assert await api.either(Fish(3)) == (Fish(3), Moved(by=1))


async def test_what_is_wrong_inside_one_type_of_a_union_is_told(served: Serve) -> None:
    api = served(Park, zoo.ZooStub)
    with pytest.raises(TypeError, match=r"since\.by': expected int, got str 'far'"):
        await AnyStub(api._hook.dup()).call("events", {"by": "far"})
    with pytest.raises(TypeError, match=r"value\[1\]': expected int, got str 'x'"):
        await AnyStub(api._hook.dup()).call("either", [1, "x"])


async def test_a_model_with_another_tag_is_refused(served: Serve) -> None:
    api = served(Park, zoo.ZooStub)
    with pytest.raises(TypeError, match=r"pet\.kind': expected one of 'cat', 'dog', 'puppy', got str 'cow'"):
        await AnyStub(api._hook.dup()).call("tagged", {"kind": "cow"})
    with pytest.raises(TypeError, match=r"pet\.kind': expected one of"):
        await AnyStub(api._hook.dup()).call("tagged", {})
    with pytest.raises(TypeError, match=r"pet\.lives': expected int"):
        await AnyStub(api._hook.dup()).call("tagged", {"kind": "cat", "lives": "9"})
    with pytest.raises(TypeError, match="pet': expected Cat or Dog, got a list"):
        await AnyStub(api._hook.dup()).call("tagged", [])
    with pytest.raises(TypeError, match="expected Cat or Dog, got an instance of Moved"):
        await api.tagged(Moved(by=1))  # type: ignore[arg-type]  # that it is refused is what is tested


# ---- constraints


class Bank(limited.BankTarget):
    @property
    def rate(self) -> float:
        return 101

    def deposit(self, amount: int, to: Account) -> int:
        return amount + to

    def codes(self, codes: list[str], extra: str | None = None) -> str:
        return codes[0]

    def offer(self, offer: Offer, *, price: Decimal) -> Offer:
        return offer

    def described(self, name: str = "me") -> bytes:
        return name.encode()


async def test_what_is_within_its_limits_passes(served: Serve) -> None:
    api = served(Bank, limited.BankStub)
    assert await api.deposit(5, Account(1)) == 6
    assert await api.codes(["AB", 'CD"']) == "AB"
    assert await api.offer(Offer(100), price=Decimal("1.49")) == Offer(100.0)
    assert await api.described() == b"me"


async def test_what_is_beyond_its_limits_is_refused_where_it_arrives(served: Serve) -> None:
    api = served(Bank, limited.BankStub)
    refused = {
        "amount.*int greater than 0, got int 0": api.deposit(0, Account(1)),
        "amount.*multiple of 5": api.deposit(6, Account(1)),
        "to.*of at least 1": api.deposit(5, Account(0)),
        "codes.*of length 1 or more": api.codes([]),
        r"codes\[1\].*matches": api.codes(["AB", "ab"]),
        "extra.*of length 2 or less": api.codes(["AB"], 'AB"'),
        r"offer\.discount.*of at most 100": api.offer(Offer(100.5), price=Decimal(1)),
        "price.*less than 1.5": api.offer(Offer(1), price=Decimal("NaN")),
        "name.*of length 1": api.described(""),
        "result.*of length 4 or less": api.described("abcde"),
        "result: expected float of at most 100": api.rate,
    }
    for words, call in refused.items():
        with pytest.raises(TypeError, match=words):
            await call
