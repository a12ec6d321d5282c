"""What the tests of the command line client share: what is said of an interface, and a server of it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from capnweb_gen.client.described import Described, main_objects
from capnweb_gen.compiler import compile_schemas, read
from tests.gen.conftest import Write
from tests.project.sources import ROOT

SHOP = '''
from collections.abc import AsyncIterator, Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntFlag
from typing import Annotated, Any, Literal, NewType, Protocol
from uuid import UUID

from annotated_types import Ge, Le, Len
from pydantic import BaseModel, ConfigDict, Field, RootModel
from typing_extensions import deprecated

from capnweb_runtime.schema import Blob, Headers, Url, Writable

UserId = NewType("UserId", int)
Percent = Annotated[int, Ge(0), Le(100)]


class Colour(Enum):
    RED = "r"
    BLUE = "b"


class Rights(IntFlag):
    READ = 1
    WRITE = 2


class Size(BaseModel):
    width: int
    height: float = 1.0


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(description="what it is called")
    wireName: int = 0
    sizes: list[Size] = []
    old: str | None = Field(None, deprecated="use name")


class Names(RootModel[list[str]]):
    pass


class Basket(Protocol):
    async def add(self, item: Item, /, *more: Item) -> int: ...
    async def items(self) -> list[Item]: ...
    async def pairs(self) -> tuple[int, str]: ...
    async def by_name(self) -> dict[str, Item]: ...


class Other(Protocol):
    async def other(self) -> None: ...


class Base(Protocol):
    async def inherited(self, first: int = 1, second: int = 2, *, third: int = 3) -> list[int]:
        """What is inherited."""
        ...


class Shop(Base, Protocol):
    """Sells things."""

    async def one(
        self, value: Any = None, text: str = "", number: int = 0, real: float = 0.0, flag: bool = False,
        raw: bytes | None = None, maybe: int | None = None,
    ) -> None: ...
    async def moments(
        self, at: datetime, day: date, hour: time, lasting: timedelta, price: Decimal, key: UUID
    ) -> None: ...
    async def web(self, url: Url, headers: Headers, blob: Blob) -> None: ...
    async def names(
        self, user: UserId, colour: Colour, rights: Rights, word: Literal["a", 1, True], percent: Percent,
        few: Annotated[list[int], Len(1, 2)],
    ) -> None: ...
    async def compound(
        self, items: list[Item], pair: tuple[int, str], keyed: dict[int, Size], either: Size | int, all_of: Names,
        unique: set[int],
    ) -> None: ...
    async def spread(self, first: int, *rest: str, last: bool = False) -> None: ...
    async def basket(self) -> Basket: ...
    async def buy(self, basket: Basket) -> int: ...
    async def each(self, on_item: Callable[[Item], None]) -> None: ...
    async def into(self, sink: Writable[int]) -> None: ...
    async def ticks(self) -> AsyncIterator[Item]: ...
    async def either(self) -> Basket | None: ...

    @property
    def owner(self) -> Basket: ...

    @deprecated("use basket")
    async def cart(self) -> Basket: ...
'''


@pytest.fixture
def shop(project: Write) -> Described:
    """What is said of a server of Shop."""
    root = project({"shops/__init__.py": "", "shops/shop.py": SHOP})
    schemas, faults = read([root / "shops"])
    assert not faults
    return Described(schemas, main_objects(schemas, "Shop"))


@pytest.fixture
def accounts() -> Described:
    """What is said of a server of schemas/accounts.py."""
    schemas, faults = read([ROOT / "schemas" / "accounts.py"])
    assert not faults
    return Described(schemas, main_objects(schemas, None))


@pytest.fixture
def generated(project: Write, shop: Described, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Gives what was generated for Shop, by name."""
    root = project({})
    compiled = compile_schemas([root / "shops"], "capnweb-gen shops --out made")
    project({f"made/{name}": text for name, text in compiled.files.items()})
    monkeypatch.syspath_prepend(str(root))
    module = import_module("made.shop")
    return lambda name: getattr(module, name)
