"""Everything, served in Python: what it is sent has to be what `values` says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from capnweb_runtime import (
    AnyStub,
    Blob,
    CallbackStub,
    Headers,
    ReadableStream,
    Request,
    Response,
    SturdyRef,
    Url,
    WritableStream,
)
from tests.typescript.generated.everything import CounterStub, CounterTarget, EverythingTarget, OnItemStub
from tests.typescript.generated.people import PagePersonTarget
from tests.typescript.schema.everything import Compounds, Counter, Full, NotFound, Room, Scalars
from tests.typescript.schema.people import Person, PersonId
from tests.typescript.values import ADA, BOB, COMPOUNDS, SCALARS


class Tally(CounterTarget):
    def __init__(self, value: int) -> None:
        self._value = value

    @property
    def value(self) -> int:
        return self._value

    def increment(self, by: int = 1) -> int:
        self._value += by
        return self._value


class People(PagePersonTarget):
    def __init__(self, people: list[Person]) -> None:
        self._people = people

    @property
    def items(self) -> list[Person]:
        return self._people[:1]

    def next(self) -> People | None:
        return People(self._people[1:]) if self._people[1:] else None


class Main(EverythingTarget):
    @property
    def title(self) -> str:
        return "everything"

    def scalars(self, values: Scalars) -> Scalars:
        assert values == SCALARS
        return SCALARS

    def compounds(self, values: Compounds) -> Compounds:
        assert values == COMPOUNDS
        return COMPOUNDS

    def nothing(self) -> None:
        return None

    def large(self, number: int) -> int:
        return number + 1

    def find(self, word: str, limit: int = 50, *, exact: bool = False, spoken_in: str | None = None) -> list[str]:
        return [word, str(limit), str(exact), str(spoken_in)]

    def total(self, first: int, *numbers: int) -> int:
        return first + sum(numbers)

    def joined(self, *words: str, separator: str = ", ") -> str:
        return separator.join(words)

    def sign_in(self, token: str) -> Tally | None:
        return Tally(1) if token == "right" else None

    def ids(self) -> list[PersonId]:
        return [PersonId(1), PersonId(2)]

    def person(self, id: PersonId) -> Person:
        if id == 3:
            raise Full("no room")
        found = {1: ADA, 2: BOB}.get(id)
        if found is None:
            raise NotFound(id)
        return found

    def people(self) -> People:
        return People([ADA, BOB])

    def counter(self, start: int) -> Tally:
        return Tally(start)

    async def twice(self, counter: CounterStub) -> int:
        return await counter.increment() + await counter.increment()

    def room(self) -> Room[CounterTarget | CounterStub]:
        return Room[CounterTarget | CounterStub](name="ours", owner=Tally(1))

    async def visit(self, room: Room[CounterStub]) -> int:
        return sum([await counter.value for counter in (room.owner, *room.guests)])

    def any_of(self, stub: AnyStub) -> AnyStub:
        return stub.dup()

    async def apply(self, function: CallbackStub[[int], int], to: int) -> int:
        return await function(to)

    def adder(self, by: int) -> Callable[[int], int]:
        return lambda value: value + by

    async def tell(self, on_item: OnItemStub) -> str:
        return f"{await on_item(ADA)};{await on_item(ADA, 2, urgent=True)}"

    async def count_to(self, number: int) -> AsyncIterator[int]:
        for item in range(number):
            yield item + 1

    async def sum_of(self, numbers: ReadableStream[int]) -> int:
        return sum([number async for number in numbers])

    async def spell(self, word: str, into: WritableStream[str]) -> int:
        async with into:
            for letter in word:
                await into.write(letter)
        return len(word)

    def saved(self, ref: SturdyRef[Counter]) -> SturdyRef[Counter]:
        return ref

    def fetch(self, request: Request) -> Response:
        return Response(body=f"{request.method} {request.url}", status=201, headers=request.headers)

    def buffer(self, buffer: bytearray) -> bytearray:
        return buffer

    def link(self, url: Url) -> Url:
        return url

    def headers(self, headers: Headers) -> Headers:
        return headers

    def blob(self, blob: Blob) -> Blob:
        return blob
