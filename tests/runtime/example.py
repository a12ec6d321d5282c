"""Interfaces that have one of everything, written as generated code is, with targets that need no event loop."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from typing_extensions import TypeVar

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.cell import Cell
from tests.runtime.pair import awaited, gathered


class Point(BaseModel):
    x: int
    y: int = 0


class Book(BaseModel):
    title: str
    pages: int = Field(serialization_alias="pageCount")
    tags: list[str] = []
    place: Point | None = None


POINT_BUILDER = rpc.builder(Point, "x", "y")
BOOK_BUILDER = rpc.builder(Book, "title", "pageCount", "tags", "place")


def encode_point(value: Point, to: rpc.Exporter) -> rpc.Wire:
    return {"x": rpc.INT.encode(value.x, to), "y": rpc.INT.encode(value.y, to)}


def read_point(wire: rpc.Wire, source: rpc.Importer) -> dict[str, rpc.Wire]:
    if type(wire) is not dict:
        raise POINT_BUILDER.not_an_object(wire)
    fields: dict[str, rpc.Wire] = {
        "x": x if type(x := wire.get("x")) is int else rpc.INT.read(wire, "x", source),
    }
    rpc.read_optional(fields, "y", wire, "y", rpc.INT, source)
    return fields


decode_point: rpc.Decoder[Point] = POINT_BUILDER.decoder(read_point)


def encode_book(value: Book, to: rpc.Exporter) -> rpc.Wire:
    return {
        "title": rpc.STR.encode(value.title, to),
        "pageCount": rpc.INT.encode(value.pages, to),
        "tags": LIST_STR.encode(value.tags, to),
        "place": OPTIONAL_POINT.encode(value.place, to),
    }


def read_book(wire: rpc.Wire, source: rpc.Importer) -> dict[str, rpc.Wire]:
    if type(wire) is not dict:
        raise BOOK_BUILDER.not_an_object(wire)
    fields: dict[str, rpc.Wire] = {
        "title": x if type(x := wire.get("title")) is str else rpc.STR.read(wire, "title", source),
        "pages": x if type(x := wire.get("pageCount")) is int else rpc.INT.read(wire, "pageCount", source),
    }
    rpc.read_optional(fields, "tags", wire, "tags", LIST_STR, source)
    rpc.read_optional(fields, "place", wire, "place", OPTIONAL_POINT, source)
    return fields


decode_book: rpc.Decoder[Book] = BOOK_BUILDER.decoder(read_book)


POINT = rpc.model(Point, encode_point, decode_point, lambda: PointPromise)
BOOK = rpc.model(Book, encode_book, decode_book, lambda: BookPromise)
COUNTER = rpc.interface(lambda: CounterStub, lambda: CounterPromise, lambda: CounterTarget)
OPTIONAL_POINT = rpc.optional(POINT)
OPTIONAL_COUNTER = rpc.optional(COUNTER)
LIST_STR = rpc.list_of(rpc.STR)
LIST_INT = rpc.list_of(rpc.INT)
LIST_BOOK = rpc.list_of(BOOK)
LIST_COUNTER = rpc.list_of(COUNTER)
LISTS_OF_INT = rpc.list_of(LIST_INT)
DICT_COUNTER = rpc.dict_of(COUNTER)
CALL_INT = rpc.callback(rpc.INT, rpc.INT)
CALL_COUNTER = rpc.callback(rpc.INT, COUNTER)

OMITTED: int = rpc.omitted(0)
OMITTED_FLAG: bool = rpc.omitted(False)

PointR = TypeVar("PointR", covariant=True, default=Point)
BookR = TypeVar("BookR", covariant=True, default=Book)
CounterR = TypeVar("CounterR", covariant=True, default="CounterStub")
DeskR = TypeVar("DeskR", covariant=True, default="DeskStub")


class PointPromise(rpc.RpcPromise[PointR]):
    @property
    def x(self) -> rpc.RpcPromise[int]:
        return self._field("x", rpc.INT)


class BookPromise(rpc.RpcPromise[BookR]):
    @property
    def title(self) -> rpc.RpcPromise[str]:
        return self._field("title", rpc.STR)

    @property
    def pages(self) -> rpc.RpcPromise[int]:
        return self._field("pageCount", rpc.INT)

    @property
    def tags(self) -> rpc.ListPromise[str, rpc.RpcPromise[str]]:
        return self._field("tags", LIST_STR)

    @property
    def place(self) -> PointPromise[Point | None]:
        return self._field("place", OPTIONAL_POINT)


class CounterSpec(rpc.Interface):
    value = rpc.prop("value", rpc.INT)
    increment = rpc.method("increment", rpc.INT, rpc.param("n", rpc.INT, required=False))
    itself = rpc.method("itself", COUNTER)


class CounterCalls(rpc.Calls):
    @property
    def value(self) -> rpc.RpcPromise[int]:
        return self._get(CounterSpec.value)

    def increment(self, n: int | rpc.RpcPromise[int] = OMITTED) -> rpc.RpcPromise[int]:
        return self._call(CounterSpec.increment, n)

    def itself(self) -> CounterPromise:
        return self._call(CounterSpec.itself)


class CounterStub(CounterCalls, rpc.RpcStub):
    pass


class CounterPromise(CounterCalls, rpc.RpcPromise[CounterR]):
    pass


class CounterTarget(rpc.RpcTarget, spec=CounterSpec):
    @property
    @abstractmethod
    def value(self) -> int | Awaitable[int]: ...

    @abstractmethod
    def increment(self, n: int = 1) -> int | Awaitable[int]: ...

    @abstractmethod
    def itself(self) -> CounterTarget | CounterStub | Awaitable[CounterTarget | CounterStub]: ...


CounterLike = CounterTarget | CounterStub | rpc.RpcPromise[CounterStub]


class DeskSpec(rpc.Interface):
    home = rpc.prop("home", COUNTER)
    best = rpc.prop("best", BOOK)
    echo = rpc.method("echo", rpc.ANY, rpc.param("value", rpc.ANY))
    add = rpc.method("add", rpc.INT, rpc.param("a", rpc.INT), rpc.param("b", rpc.INT))
    nothing = rpc.method("nothing", rpc.NONE)
    fail = rpc.method("fail", rpc.NONE, rpc.param("message", rpc.STR))
    hold = rpc.method("hold", rpc.INT, rpc.param("name", rpc.STR))
    hold_counter = rpc.method("holdCounter", COUNTER, rpc.param("name", rpc.STR))
    counter = rpc.method("counter", COUNTER, rpc.param("start", rpc.INT, required=False))
    counters = rpc.method("counters", LIST_COUNTER, rpc.param("count", rpc.INT))
    by_name = rpc.method("byName", DICT_COUNTER, rpc.param("names", LIST_STR))
    find = rpc.method("find", OPTIONAL_COUNTER, rpc.param("name", rpc.STR))
    keep = rpc.method("keep", rpc.NONE, rpc.param("counter", COUNTER))
    kept = rpc.method("kept", COUNTER)
    same = rpc.method("same", COUNTER, rpc.param("counter", COUNTER))
    use = rpc.method("use", rpc.INT, rpc.param("counter", COUNTER), rpc.param("n", rpc.INT, required=False))
    totals = rpc.method("totals", LIST_INT, rpc.param("counters", LIST_COUNTER))
    apply = rpc.method("apply", rpc.INT, rpc.param("function", CALL_INT), rpc.param("value", rpc.INT))
    lend = rpc.method("lend", rpc.INT, rpc.param("function", CALL_COUNTER))
    ints = rpc.method("ints", LIST_INT, rpc.param("count", rpc.INT))
    grid = rpc.method("grid", LISTS_OF_INT, rpc.param("rows", rpc.INT))
    book = rpc.method("book", BOOK, rpc.param("title", rpc.STR))
    books = rpc.method("books", LIST_BOOK)
    describe = rpc.method("describe", rpc.STR, rpc.param("book", BOOK))
    day = rpc.method("day", rpc.DATETIME, rpc.param("when", rpc.DATETIME))
    data = rpc.method("data", rpc.BYTES, rpc.param("data", rpc.BYTES))
    search = rpc.method(
        "search",
        rpc.ANY,
        rpc.param("text", rpc.STR),
        rpc.param("start", rpc.INT, required=False),
        rpc.param("limit", rpc.INT, required=False),
        rpc.param("exact", rpc.BOOL, required=False, keyword=True, wire="exactMatch"),
    )


class DeskCalls(rpc.Calls):
    @property
    def home(self) -> CounterPromise:
        return self._get(DeskSpec.home)

    @property
    def best(self) -> BookPromise:
        return self._get(DeskSpec.best)

    def echo(self, value: Any) -> rpc.RpcPromise[Any]:
        return self._call(DeskSpec.echo, value)

    def add(self, a: int | rpc.RpcPromise[int], b: int | rpc.RpcPromise[int]) -> rpc.RpcPromise[int]:
        return self._call(DeskSpec.add, a, b)

    def nothing(self) -> rpc.RpcPromise[None]:
        return self._call(DeskSpec.nothing)

    def fail(self, message: str) -> rpc.RpcPromise[None]:
        return self._call(DeskSpec.fail, message)

    def hold(self, name: str) -> rpc.RpcPromise[int]:
        return self._call(DeskSpec.hold, name)

    def hold_counter(self, name: str) -> CounterPromise:
        return self._call(DeskSpec.hold_counter, name)

    def counter(self, start: int | rpc.RpcPromise[int] = OMITTED) -> CounterPromise:
        return self._call(DeskSpec.counter, start)

    def counters(self, count: int | rpc.RpcPromise[int]) -> rpc.ListPromise[CounterStub, CounterPromise]:
        return self._call(DeskSpec.counters, count)

    def by_name(self, names: rpc.ListArg[str | rpc.RpcPromise[str]]) -> rpc.DictPromise[CounterStub, CounterPromise]:
        return self._call(DeskSpec.by_name, names)

    def find(self, name: str | rpc.RpcPromise[str]) -> CounterPromise[CounterStub | None]:
        return self._call(DeskSpec.find, name)

    def keep(self, counter: CounterLike) -> rpc.RpcPromise[None]:
        return self._call(DeskSpec.keep, counter)

    def kept(self) -> CounterPromise:
        return self._call(DeskSpec.kept)

    def same(self, counter: CounterLike) -> CounterPromise:
        return self._call(DeskSpec.same, counter)

    def use(self, counter: CounterLike, n: int | rpc.RpcPromise[int] = OMITTED) -> rpc.RpcPromise[int]:
        return self._call(DeskSpec.use, counter, n)

    def totals(self, counters: rpc.ListArg[CounterLike]) -> rpc.ListPromise[int, rpc.RpcPromise[int]]:
        return self._call(DeskSpec.totals, counters)

    def apply(
        self,
        function: Callable[[int], int | Awaitable[int]] | rpc.CallbackStub[[int], int],
        value: int | rpc.RpcPromise[int],
    ) -> rpc.RpcPromise[int]:
        return self._call(DeskSpec.apply, function, value)

    def lend(
        self, function: Callable[[CounterStub], int | Awaitable[int]] | rpc.CallbackStub[[CounterStub], int]
    ) -> rpc.RpcPromise[int]:
        return self._call(DeskSpec.lend, function)

    def ints(self, count: int | rpc.RpcPromise[int]) -> rpc.ListPromise[int, rpc.RpcPromise[int]]:
        return self._call(DeskSpec.ints, count)

    def grid(self, rows: int) -> rpc.ListPromise[list[int], rpc.ListPromise[int, rpc.RpcPromise[int]]]:
        return self._call(DeskSpec.grid, rows)

    def book(self, title: str | rpc.RpcPromise[str]) -> BookPromise:
        return self._call(DeskSpec.book, title)

    def books(self) -> rpc.ListPromise[Book, BookPromise]:
        return self._call(DeskSpec.books)

    def describe(self, book: Book | rpc.RpcPromise[Book]) -> rpc.RpcPromise[str]:
        return self._call(DeskSpec.describe, book)

    def day(self, when: datetime | rpc.RpcPromise[datetime]) -> rpc.RpcPromise[datetime]:
        return self._call(DeskSpec.day, when)

    def data(self, data: bytes | rpc.RpcPromise[bytes]) -> rpc.RpcPromise[bytes]:
        return self._call(DeskSpec.data, data)

    def search(
        self,
        text: str | rpc.RpcPromise[str],
        start: int | rpc.RpcPromise[int] = OMITTED,
        limit: int | rpc.RpcPromise[int] = OMITTED,
        *,
        exact: bool | rpc.RpcPromise[bool] = OMITTED_FLAG,
    ) -> rpc.RpcPromise[Any]:
        return self._call(DeskSpec.search, text, start, limit, exact=exact)


class DeskStub(DeskCalls, rpc.RpcStub):
    pass


class DeskPromise(DeskCalls, rpc.RpcPromise[DeskR]):
    pass


class DeskTarget(rpc.RpcTarget, spec=DeskSpec):
    """The generated class would declare every member abstract; the tests' targets implement what they need."""


class Counter(CounterTarget):
    def __init__(self, start: int = 0) -> None:
        self.count = start
        self.disposed = 0

    @property
    def value(self) -> int:
        return self.count

    def increment(self, n: int = 1) -> int:
        self.count += n
        return self.count

    def itself(self) -> CounterTarget:
        return self

    def dispose(self) -> None:
        self.disposed += 1


SHELF = [
    Book(title="Emma", pages=474, tags=["novel", "classic"], place=Point(x=1, y=2)),
    Book(title="Ulysses", pages=730),
]


class Desk(DeskTarget):
    """Keeps a log of its calls; `hold` and `hold_counter` are answered when the test settles `held[name]`."""

    def __init__(self) -> None:
        self.log: list[object] = []
        self.made: list[Counter] = []
        self.held: dict[str, Cell[Any]] = {}
        self.keeping: CounterStub | None = None
        self.disposed = 0
        self.secret = "not in the schema"

    @property
    def home(self) -> CounterTarget:
        return self._make(100)

    @property
    def best(self) -> Book:
        return SHELF[0]

    def echo(self, value: Any) -> Any:
        self.log.append(("echo", value))
        return value

    def add(self, a: int, b: int) -> int:
        self.log.append(("add", a, b))
        return a + b

    def nothing(self) -> None:
        self.log.append("nothing")

    def fail(self, message: str) -> None:
        raise ValueError(message)

    def hold(self, name: str) -> Any:
        self.log.append(("hold", name))
        return self.held.setdefault(name, Cell())

    def hold_counter(self, name: str) -> Any:
        return self.hold(name)

    def counter(self, start: int = 0) -> CounterTarget:
        return self._make(start)

    def counters(self, count: int) -> Sequence[CounterTarget]:
        return [self._make(start) for start in range(count)]

    def by_name(self, names: Sequence[str]) -> Mapping[str, CounterTarget]:
        return {name: self._make(len(name)) for name in names}

    def find(self, name: str) -> CounterTarget | None:
        return None if name == "nobody" else self._make(7)

    def keep(self, counter: CounterStub) -> None:
        self.keeping = counter.dup()

    def kept(self) -> CounterStub:
        assert self.keeping is not None
        kept, self.keeping = self.keeping, None
        return kept

    def same(self, counter: CounterStub) -> CounterStub:
        return counter

    def use(self, counter: CounterStub, n: int = 1) -> Awaitable[int]:
        self.log.append("use")
        return counter.increment(n)

    def totals(self, counters: Sequence[CounterStub]) -> Any:
        return gathered([awaited(counter.value) for counter in counters])

    def apply(self, function: rpc.CallbackStub[[int], int], value: int) -> Awaitable[int]:
        return function(value)

    def lend(self, function: rpc.CallbackStub[[CounterTarget], int]) -> Awaitable[int]:
        return function(self._make(40))

    def ints(self, count: int) -> Sequence[int]:
        return list(range(count))

    def grid(self, rows: int) -> Sequence[Sequence[int]]:
        return [list(range(row)) for row in range(rows)]

    def book(self, title: str) -> Book:
        self.log.append(("book", title))
        return next(book for book in SHELF if book.title == title)

    def books(self) -> Sequence[Book]:
        return SHELF

    def describe(self, book: Book) -> str:
        return f"{book.title}, {book.pages} pages"

    def day(self, when: datetime) -> datetime:
        return when

    def data(self, data: bytes) -> bytes:
        return data

    def search(self, text: str, start: int = -1, limit: int = -2, *, exact: bool = False) -> Any:
        return [text, start, limit, exact]

    def dispose(self) -> None:
        self.disposed += 1

    def _make(self, start: int) -> Counter:
        counter = Counter(start)
        self.made.append(counter)
        return counter
