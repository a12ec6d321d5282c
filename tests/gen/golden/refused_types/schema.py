import collections.abc as cabc
import enum
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import PosixPath
from typing import Annotated, Any, Generic, Literal, NewType, Protocol, Self, SupportsInt, TypedDict, TypeVar, Union
from uuid import UUID

from annotated_types import Ge
from pydantic import AfterValidator, BaseModel, Field, RootModel, StringConstraints

from capnweb_runtime.schema import Stub, Url, Writable

T = TypeVar("T")
UserId = NewType("UserId", int)


class Colour(enum.Enum):
    RED = 1


@dataclass
class Point:
    x: int


class Movie(TypedDict):
    name: str


class Page(BaseModel, Generic[T], arbitrary_types_allowed=True):
    items: list[T]


class Names(RootModel[list[str]]):
    pass


class Listed(BaseModel):
    names: list[str]


class Plain:
    pass


class Shade(enum.Enum):
    DARK = (0, 0, 0)


class Nothing(enum.Enum):
    pass


class _Hidden(enum.Enum):
    A = 1


Local = NewType("Elsewhere", int)
_Secret = NewType("_Secret", int)
Held = NewType("Held", Stub)


class Listener(Protocol):
    def __call__(self, book: str, **more: str) -> None: ...


class Refused(Protocol):
    async def sequences(self, a: Sequence, b: tuple[int, ...], c: set[int], d: Iterable[str]) -> cabc.Iterator[int]: ...
    async def bare(self, a: list, b: dict, c: Callable, d: object) -> tuple: ...
    async def mappings(self, a: dict[float, str], b: Mapping[bool, int]) -> None: ...
    async def classes(self, a: Colour, b: Point, c: Movie, d: Plain, e: UUID, f: Decimal, g: PosixPath) -> date: ...
    async def models(self, a: Page[int], b: Names, c: Page) -> timedelta: ...
    async def unions(self, a: int | Colour, b: Union[int, Movie, None], c: int | list[int], d: str | Plain) -> int | Any: ...
    async def union_of_capabilities(self, a: "int | Stub", b: "Listed | None | str", c: "str | Url") -> "Listed | Plain": ...
    async def variables(self, a: T, b: UserId, c: Annotated[int, "positive"]) -> Self: ...
    async def callables(self, a: Callable[..., int], b: Callable[[int], set[int]], c: Listener) -> Callable[[int], date]: ...
    async def streams(self, a: AsyncIterator, b: AsyncIterator[date], c: Writable, d: Writable[date]) -> AsyncGenerator[bytes, None]: ...
    def later(self) -> Awaitable[int]: ...
    async def other(self, a: SupportsInt, b: type[int], c: list[dict[str, list[complex]]]) -> type: ...
    async def unknown(self, a: "Missing", b: "1 +", c: "int | 'x'", d: 3, e: "list[int, str]") -> "math.inf": ...
    @property
    def stream(self) -> AsyncIterator[set[int]]: ...
    async def enums(self, a: Shade, b: Nothing, c: _Hidden) -> enum.Enum: ...
    async def new_types(self, a: Local, b: _Secret, c: Held, d: NewType) -> dict[Held, int]: ...
    async def sets(self, a: set, b: set[list[int]], c: frozenset[Listed], d: cabc.Set[int]) -> set[AsyncIterator[int]]: ...
    async def alike(self, a: date | str, b: set[int] | list[int], c: Colour | float, d: bytes | bytearray) -> UUID | Decimal: ...
    async def constants(self, a: Colour | Literal[1], b: timedelta | float, c: Listed | dict[str, int]) -> UserId | int: ...
    async def limits(self, a: Annotated[str, Field(ge=0)], b: Annotated[Listed, Field(min_length=1)], c: Annotated[str, Field(pattern="(")]) -> Annotated[int, AfterValidator(abs)]: ...
    async def more(self, a: Annotated[int, Field(alias="x")], b: Annotated[str, StringConstraints(to_lower=True)], c: Annotated[date, Ge(date.min)]) -> Annotated[float, Field(multiple_of=0.1)]: ...
    async def any_of_a_kind(self, a: BaseModel, b: list[BaseModel | None], c: enum.Flag) -> dict[str, enum.IntFlag]: ...
    async def root_models(self, a: RootModel[list[int]], b: Page[Callable[[], None]], c: Page[Literal["a"]]) -> Page[Plain]: ...
