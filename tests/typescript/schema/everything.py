"""Every kind of value, of parameter and of capability."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, Protocol, TypeVar
from uuid import UUID

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, JsonValue, NaiveDatetime
from typing_extensions import TypedDict

from capnweb_runtime.schema import (
    Blob,
    Headers,
    Microseconds,
    Request,
    Response,
    Secret,
    Stub,
    SturdyRef,
    Url,
    Writable,
    idempotent,
    raises,
)
from tests.typescript.schema.people import Colour, Level, Page, Person, PersonId

WIRE_CASE = "camel"

C = TypeVar("C")


class Circle(BaseModel):
    kind: Literal["circle"] = "circle"
    radius: float


class Square(BaseModel):
    kind: Literal["square"] = "square"
    side: float


class Tree(BaseModel):
    """A node, and those below it."""

    label: str
    below: list[Tree] = []


class Mail(TypedDict):
    subject: str
    in_reply_to: NotRequired[str]


class Spot(NamedTuple):
    x: int
    y_axis: int = 0


@dataclass(frozen=True)
class Mark:
    at: Spot
    colour: Colour


class Scalars(BaseModel):
    """One field for each type that travels as a single value."""

    flag: bool
    count: int
    ratio: float
    text: str
    data: bytes
    when: datetime
    exact: Annotated[datetime, Microseconds("keep")]
    local: NaiveDatetime
    day: date
    at: time
    span: timedelta
    price: Decimal
    id: UUID
    colour: Colour
    level: Level
    word: Literal["yes", "no"]
    site: HttpUrl
    nothing: None
    percent: Annotated[int, Ge(0), Le(100)]
    written_by: str = Field(default="", alias="written-by")


class Compounds(BaseModel):
    """One field for each type that has parts."""

    model_config = ConfigDict(extra="forbid")

    numbers: list[int]
    unique: set[str]
    fixed: frozenset[int]
    many: tuple[float, ...]
    pair: tuple[int, str]
    by_name: dict[str, Person]
    by_number: dict[int, str]
    by_colour: dict[Colour, int]
    by_day: dict[date, UUID]
    shape: Circle | Square
    either: int | str
    maybe: list[Person | None] | None
    tree: Tree
    mail: Mail
    mark: Mark
    json_value: JsonValue
    anything: Any


@dataclass
class NotFound(Exception):
    """There is no such person."""

    id: PersonId


class Full(Exception):
    """There is no room."""


class Counter(Protocol):
    """Counts."""

    @property
    def value(self) -> int: ...

    async def increment(self, by: int = 1) -> int: ...


class OnItem(Protocol):
    """Told of an item."""

    async def __call__(self, item: Person, count: int = 1, *, urgent: bool = False) -> str: ...


class Room(BaseModel, Generic[C]):
    name: str
    owner: C
    guests: list[C] = []


class Everything(Protocol):
    """Everything that can be said."""

    @property
    def title(self) -> str:
        """What this is called. It ends no comment: */ and `${nothing}`."""
        ...

    async def scalars(self, values: Scalars) -> Scalars: ...
    async def compounds(self, values: Compounds) -> Compounds: ...
    async def nothing(self) -> None: ...
    async def large(self, number: Annotated[int, Ge(0), Le(2**70)]) -> Annotated[int, Le(2**70)]: ...

    async def find(self, word: str, limit: int = 50, *, exact: bool = False, spoken_in: str | None = None) -> list[str]:
        """What was asked for, word by word."""
        ...

    async def total(self, first: int, *numbers: int) -> int: ...
    async def joined(self, *words: str, separator: str = ", ") -> str: ...
    async def sign_in(self, token: Secret[str]) -> Counter | None: ...

    @idempotent
    async def ids(self) -> list[PersonId]: ...

    @raises(NotFound, Full)
    async def person(self, id: PersonId) -> Person: ...

    async def people(self) -> Page[Person]: ...
    async def counter(self, start: int) -> Counter: ...
    async def twice(self, counter: Counter) -> int: ...
    async def room(self) -> Room[Counter]: ...
    async def visit(self, room: Room[Counter]) -> int: ...
    async def any_of(self, stub: Stub) -> Stub: ...
    async def apply(self, function: Callable[[int], int], to: int) -> int: ...
    async def adder(self, by: int) -> Callable[[int], int]: ...
    async def tell(self, on_item: OnItem) -> str: ...
    async def count_to(self, number: int) -> AsyncIterator[int]: ...
    async def sum_of(self, numbers: AsyncIterator[int]) -> int: ...
    async def spell(self, word: str, into: Writable[str]) -> int: ...
    async def saved(self, ref: SturdyRef[Counter]) -> SturdyRef[Counter]: ...
    async def fetch(self, request: Request) -> Response: ...
    async def buffer(self, buffer: bytearray) -> bytearray: ...
    async def link(self, url: Url) -> Url: ...
    async def headers(self, headers: Headers) -> Headers: ...
    async def blob(self, blob: Blob) -> Blob: ...
