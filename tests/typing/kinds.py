"""Read by type checkers, never run: kinds of types and models, in modules of golden cases."""

# assert_type() gives back the promise that it was shown, and nobody awaits that here.
# mypy: disable-error-code="unused-awaitable"

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address
from pathlib import Path, PurePosixPath
from typing import Literal, assert_type
from uuid import UUID

from pydantic import HttpUrl, JsonValue

from capnweb_runtime import codegen_api as rpc
from tests.gen.golden.constraints.expected import BankStub
from tests.gen.golden.constraints.schema import Account
from tests.gen.golden.dictionary_keys.expected import StoreStub
from tests.gen.golden.dictionary_keys.schema import Number, Size
from tests.gen.golden.dictionary_keys.schema import User as MemberModel
from tests.gen.golden.dictionary_keys.schema import UserId as MemberId
from tests.gen.golden.generic_interfaces.expected import ApiStub as GenericStub
from tests.gen.golden.generic_interfaces.expected import (
    BoxProfilePromise,
    PageIntStub,
    PageIntTarget,
    PagePageIntPromise,
    PageProfilePromise,
    PageProfileStub,
)
from tests.gen.golden.generic_interfaces.schema import Profile as Listed
from tests.gen.golden.generics_across_schemas.expected.admin import AdminStub
from tests.gen.golden.generics_across_schemas.expected.search import SearchStub
from tests.gen.golden.model_kinds.expected import (
    NamesPromise,
    PageItemPromise,
    ShopStub,
    ShopTarget,
)
from tests.gen.golden.model_kinds.schema import Basket, Dates, Item, Names, Page, Pair, Price
from tests.gen.golden.moments.expected import CalendarStub
from tests.gen.golden.named_types.expected import PainterStub
from tests.gen.golden.named_types.schema import Access, AdminId, Colour, Kind, Level, User, UserId
from tests.gen.golden.raises.expected import DirectoryStub
from tests.gen.golden.raises.expected import DirectoryTarget as DirectorySkeleton
from tests.gen.golden.raises.schema import NotFound, QuotaExceeded
from tests.gen.golden.raises.schema import Profile as Owner
from tests.gen.golden.records.expected import MoviePromise, SpotPromise
from tests.gen.golden.records.expected import ShopStub as RecordShopStub
from tests.gen.golden.records.schema import Currency, Money, Movie, Spot
from tests.gen.golden.records.schema import Item as RecordItem
from tests.gen.golden.standard_types.expected import InvoicePromise, LedgerStub, LedgerTarget
from tests.gen.golden.standard_types.schema import Invoice
from tests.gen.golden.tagged_unions.expected import ZooStub
from tests.gen.golden.tagged_unions.schema import Bird, Cat, Dog, Fish, Moved
from tests.gen.golden.value_types.expected import RegistryStub
from tests.gen.golden.value_types.schema import Kind as PaidBy


async def standard_types(api: LedgerStub, invoice: Invoice) -> None:
    """Types of the standard library are themselves on both sides; sets are taken as any kind of set."""
    assert_type(await api.opened, date)
    assert_type(await api.currencies, frozenset[str])
    assert_type(await api.add(invoice, time(1), within=timedelta(1)), UUID)
    assert_type(api.find(1), InvoicePromise[Invoice | None])
    assert_type(await api.find(UUID(int=1)).total, Decimal)
    assert_type(await api.open_numbers(frozenset[UUID]()), set[UUID])
    assert_type(await api.open_numbers(api.open_numbers(set[UUID]())), set[UUID])
    assert_type(await api.sums((Decimal(1), api.total(api.opened))), tuple[Decimal, ...])
    assert_type(await api.scan(bytearray()), bytearray)
    assert_type([day async for day in api.days(lambda day: timedelta(1))], list[date])
    assert_type(await api.mixed([1]), dict[str, int] | Decimal | tuple[int, str])
    await api.total("2024-01-01")  # type: ignore[arg-type]
    await api.open_numbers([UUID(int=1)])  # type: ignore[arg-type]


class Books(LedgerTarget):
    def __init__(self) -> None: ...

    @property
    def opened(self) -> date:
        return date.today()

    @property
    async def currencies(self) -> Set[str]:
        return {"EUR"}

    def add(self, invoice: Invoice, at: time, *, within: timedelta | None = None) -> UUID:
        return invoice.number

    async def find(self, number: UUID | int) -> Invoice | None:
        return None

    def total(self, since: date, until: date | None = None) -> Decimal:
        return Decimal(1)

    async def open_numbers(self, except_for: set[UUID]) -> frozenset[UUID]:
        return frozenset(except_for)

    def sums(self, amounts: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
        return amounts

    def sums_by_day(self, days: dict[str, tuple[Decimal, ...]]) -> Sequence[Set[int]]:
        return []

    def scan(self, page: bytearray) -> bytearray:
        return page

    async def days(self, on_day: rpc.CallbackStub[[date], timedelta]) -> AsyncIterator[date]:
        yield date.today() + await on_day(date.today())

    def mixed(self, value: bool | list[int] | date | float | None) -> Mapping[str, int] | Decimal | tuple[int, str]:
        return {}


async def named_types(api: PainterStub) -> None:
    """Enums are given and received as members, NewTypes as themselves."""
    assert_type(await api.favourite, Colour)
    assert_type(await api.paint(Colour.RED, Level.LOW, tint=api.favourite), Kind)
    assert_type(await api.grant(UserId(1), Access.READ), User | None)
    assert_type(await api.grant(UserId(1)).id, UserId)
    assert_type(await api.admin(AdminId(UserId(1))), AdminId)
    assert_type(await api.grant(api.admin()), User | None)
    assert_type(await api.all([Colour.RED]), set[Colour])
    assert_type(await api.either(Kind.WEB), Kind | UserId)
    await api.paint("red")  # type: ignore[arg-type]
    await api.grant(1)  # type: ignore[arg-type]


async def records(api: RecordShopStub, item: RecordItem) -> None:
    """Dataclasses, NamedTuples and TypedDicts have promises with their attributes, as models have."""
    assert_type(await api.price(item, []), Money)
    assert_type(await api.price(item, []).currency, Currency)
    assert_type(api.spot(), SpotPromise)
    assert_type(await api.spot().x, int)
    assert_type(await api.spot().map_, str | None)
    assert_type(api.best, MoviePromise)
    assert_type(await api.best, Movie)
    assert_type(await api.best.shown_at.y, int)
    assert_type(await api.movies({"words": ["a"], "like": {"title": "b"}}), list[Movie])
    assert_type(await api.either(Spot(1)), Movie | list[int])
    await api.movies({"words": 1})  # type: ignore[arg-type]


async def model_kinds(api: ShopStub, page: Page[Item], price: Price, basket: Basket) -> None:
    """A generic model is a model for each of its type arguments; a root model is awaited as itself."""
    assert_type(api.page(page), PageItemPromise)
    assert_type(await api.page(page), Page[Item])
    assert_type(await api.page(page).items[0].label, str)
    assert_type(await api.page(page).next, int | None)
    assert_type(await api.numbers(Page[list[int]](items=[])), Page[int])
    assert_type(api.names, NamesPromise)
    assert_type(await api.names, Names)
    assert_type(await api.price(price, [price]), Price | None)
    assert_type(await api.dates(), Dates)
    assert_type([pair async for pair in api.pairs()], list[Pair[str, Price]])
    assert_type(await api.basket(basket).by_name["a"].value.items, list[int])
    await api.page(Page[int](items=[]))  # type: ignore[arg-type]


class Wares(ShopTarget):
    @property
    def names(self) -> Names:
        return Names([])

    async def page(self, of: Page[Item]) -> Page[Item]:
        return of

    def numbers(self, page: Page[list[int]] | None = None) -> Page[int]:
        return Page[int](items=[])

    def dates(self) -> Dates:
        return Dates(items=[], of=1)

    async def price(self, price: Price, extra: list[Price]) -> Price | None:
        return None

    def basket(self, basket: Basket) -> Basket:
        return basket

    async def pairs(self) -> AsyncIterator[Pair[str, Price]]:
        yield Pair[str, Price](key="a", value=Price(1))


async def limits(api: BankStub) -> None:
    """Constraints are no part of the type."""
    assert_type(await api.rate, float)
    assert_type(await api.deposit(5, Account(1)), int)
    assert_type(await api.codes(["AB", api.codes(["AB"])], None), str)


async def unions(api: ZooStub, cat: Cat, bird: Bird) -> None:
    """What each of several models is is known when it has arrived."""
    assert_type(await api.first, Cat | Dog)
    assert_type(await api.add(bird, [cat]), Cat | Dog | None)
    assert_type(await api.add(Fish(3)), Cat | Dog | None)
    assert_type(await api.add(api.first), Cat | Dog | None)
    assert_type(await api.events(Moved(by=1)), list[Moved | str])
    assert_type(await api.either([1]), tuple[Bird | Fish, int | Moved])
    await api.tagged(bird)  # type: ignore[arg-type]


async def declared_exceptions(api: DirectoryStub) -> str | int:
    """A decorator leaves the type of a method alone; what is caught is the class itself."""
    try:
        return await api.find(1).name
    except NotFound as error:
        return str(error)
    except QuotaExceeded as error:
        assert_type(error.limit, int)
        return error.limit


class DirectoryThatRaises(DirectorySkeleton):
    """Targets raise what they like."""

    async def find(self, user_id: int) -> Owner:
        raise QuotaExceeded("too many", user_id)

    @property
    def owner(self) -> Owner:
        raise NotFound


async def generic_interfaces(api: GenericStub, numbers: PageIntTarget, held: PageIntStub) -> None:
    """Each has its type arguments wherever the type parameters stood."""
    page = api.profiles()
    assert_type(page, PageProfilePromise)
    assert_type(await page.items, list[Listed])
    assert_type(await page.items[0].name, str)
    assert_type(await page.next(), PageProfileStub | None)
    assert_type(await page.next().items, list[Listed])
    assert_type(await api.own().items, list[Listed])
    assert_type(await api.sorted().by("name").items, list[Listed])
    pages = api.nested([numbers, held])
    assert_type(pages, PagePageIntPromise)
    assert_type(await pages.items[0].items, list[int])
    assert_type(api.table("x").first(Listed(id=1, name="a")), BoxProfilePromise)
    assert_type(await api.table("x").get("key"), Listed)
    api.nested([await page])  # type: ignore[list-item]  # a page of profiles is no page of numbers
    api.table("x").get(1)  # type: ignore[arg-type]
    api.queue().put("x")  # type: ignore[arg-type]


async def generic_interfaces_of_two_schemas(search: SearchStub, admin: AdminStub) -> None:
    """What one gives, the other takes."""
    merged = admin.merge(search.find("x"), admin.staff())
    assert_type(await merged.items()[0].name, str)
    admin.merge(search.words(), merged)  # type: ignore[arg-type]  # a page of words


async def values_of_the_common_libraries(api: RegistryStub, times: CalendarStub) -> None:
    """They are of their own types on both sides, which pydantic has others for."""
    assert_type(await api.site(IPv4Address(1), IPv4Network("10.0.0.0/8")).home, HttpUrl)
    assert_type(await api.interfaces(IPv6Address(1)), list[IPv4Interface])
    assert_type(await api.paths(Path("/"))["x"], PurePosixPath)
    assert_type(await api.put({"a": [1, None]}), list[JsonValue])
    assert_type(await api.only(PaidBy.CARD), Literal[PaidBy.CASH])
    assert_type(await times.local(datetime(2024, 1, 1)), datetime)
    assert_type(await times.plan(date(2024, 1, 1)), date)
    api.only(PaidBy.CASH)  # type: ignore[arg-type]
    api.put({"a": b"x"})  # type: ignore[dict-item]
    api.interfaces("::1")  # type: ignore[arg-type]


async def keys_of_dictionaries(api: StoreStub) -> None:
    """Keys have their types, also where an item is asked for that has not arrived."""
    users = api.users({MemberId("a"): 1})
    assert_type(await users, dict[MemberId, MemberModel])
    assert_type(await users[MemberId("a")].name, str)
    assert_type(await api.stock.by_number[1].name, str)
    assert_type(await api.stock.by_id[MemberId("a")][0], int)
    assert_type(await api.numbers({Number(1): "a"}), dict[int, MemberModel])
    assert_type(await api.stock.by_size[Size.BIG], str)
    users["a"]  # type: ignore[index]
    api.users({"a": 1})  # type: ignore[dict-item]
    api.stock.by_number["1"]  # type: ignore[index]
