"""A server written against generated TypeScript, and our client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from capnweb_runtime import Blob, Headers, ReadableStream, Request, SturdyRef, Url, connect
from tests.needs import needs_node_typescript
from tests.typescript.generated.everything import CounterStub, CounterTarget, EverythingStub
from tests.typescript.node import program
from tests.typescript.schema.everything import Counter, Full, NotFound, Room
from tests.typescript.schema.people import Person, PersonId
from tests.typescript.target import Tally
from tests.typescript.values import ADA, BOB, COMPOUNDS, SCALARS

pytestmark = needs_node_typescript


async def all_of(*calls: Awaitable[object]) -> list[object]:
    """What calls give that are made at once."""
    return list(await asyncio.gather(*calls))


@asynccontextmanager
async def served(programs: Path) -> AsyncIterator[str]:
    async with program(programs, "server.js") as server:
        yield f"//127.0.0.1:{(await server.line()).removeprefix('listening ')}/"


@pytest.fixture(params=["ws", "http"])
async def api(request: pytest.FixtureRequest, programs: Path) -> AsyncIterator[EverythingStub]:
    async with served(programs) as place, connect(f"{request.param}:{place}", EverythingStub) as stub:
        yield stub


@pytest.fixture
async def session(programs: Path) -> AsyncIterator[EverythingStub]:
    async with served(programs) as place, connect(f"ws:{place}", EverythingStub) as stub:
        yield stub


async def test_values_arrive_as_they_were(api: EverythingStub) -> None:
    sent = bytearray(b"\x01\x02")
    values = await all_of(
        api.scalars(SCALARS), api.compounds(COMPOUNDS), api.title, api.nothing(), api.large(2**60), api.buffer(sent)
    )
    assert values == [SCALARS, COMPOUNDS, "everything", None, 2**60 + 1, sent]


async def test_references_that_outlive_sessions_arrive(api: EverythingStub) -> None:
    ref: SturdyRef[Counter] = SturdyRef("token")
    assert await api.saved(ref) == ref


async def test_parameters_arrive_however_they_are_passed(api: EverythingStub) -> None:
    answers = await all_of(api.find("a"), api.find("a", 3), api.find("a", exact=True), api.find("a", 4, spoken_in="de"))
    assert answers == [
        ["a", "50", "false", "null"],
        ["a", "3", "false", "null"],
        ["a", "50", "true", "null"],
        ["a", "4", "false", "de"],
    ]


async def test_any_number_of_parameters_arrive(api: EverythingStub) -> None:
    sums = await all_of(api.total(1), api.total(1, 2, 3))
    assert sums == [1, 6]


async def test_any_number_of_parameters_before_keywords_arrive(api: EverythingStub) -> None:
    texts = await all_of(api.joined(), api.joined("a", "b"), api.joined("a", "b", separator="-"))
    assert texts == ["", "a, b", "a-b"]


async def test_calls_are_pipelined_and_mapped(api: EverythingStub) -> None:
    page = api.people()
    six, nobody, two, names = await asyncio.gather(
        api.counter(5).increment(),
        api.sign_in("wrong"),
        page.next().items,
        api.ids().map(lambda number: api.person(number).name),
    )
    assert (six, nobody, two, names) == (6, None, [BOB], [ADA.name, BOB.name])


async def test_declared_errors_are_raised(api: EverythingStub) -> None:
    missing, full = await asyncio.gather(api.person(PersonId(9)), api.person(PersonId(3)), return_exceptions=True)
    assert isinstance(missing, NotFound)
    assert missing.id == 9
    assert type(full) is Full
    assert full.args == ("no room",)


async def test_values_of_the_web_arrive(api: EverythingStub) -> None:
    link, headers = await asyncio.gather(
        api.link(Url("https://example.com/a?b=c")), api.headers(Headers([("x-one", "1")]))
    )
    assert link == Url("https://example.com/a?b=c")
    assert headers == Headers([("x-one", "1")])


async def test_capabilities_go_both_ways(session: EverythingStub) -> None:
    async with session.counter(5) as counter:
        assert await counter.value == 5
        assert await all_of(session.twice(counter), session.twice(Tally(1)), session.twice(session.counter(2))) == [
            13,
            5,
            7,
        ]


async def test_capabilities_in_models_go_both_ways(session: EverythingStub) -> None:
    room = await session.room()
    assert await room.owner.increment(2) == 3
    mine = Room[CounterTarget | CounterStub](name="mine", owner=Tally(1), guests=[Tally(2), room.owner])
    assert await session.visit(mine) == 6


async def test_any_capability_comes_back(session: EverythingStub) -> None:
    again = await session.any_of(Tally(3))
    assert await again.call("increment") == 4


async def test_functions_go_both_ways(session: EverythingStub) -> None:
    async def on_item(item: Person, count: int = 1, *, urgent: bool = False) -> str:
        return f"{item.name} {count} {urgent}"

    assert await session.apply(lambda value: value * 2, 21) == 42
    assert await session.adder(3)(4) == 7
    assert await session.tell(on_item) == "Ada 1 False;Ada 2 True"


async def test_streams_go_both_ways(session: EverythingStub) -> None:
    async def numbers() -> AsyncIterator[int]:
        for number in (1, 2, 3):
            yield number

    assert [number async for number in session.count_to(3)] == [1, 2, 3]
    assert await session.sum_of(numbers()) == 6


async def test_blobs_go_both_ways(session: EverythingStub) -> None:
    assert await session.blob(Blob(b"abc", "text/plain")) == Blob(b"abc", "text/plain")


async def test_requests_and_responses_go_both_ways(session: EverythingStub) -> None:
    headers = Headers([("x-one", "1")])
    response = await session.fetch(Request("https://example.com/", method="PUT", headers=headers))
    assert (response.status, dict(response.headers.pairs)["x-one"]) == (201, "1")
    assert isinstance(response.body, ReadableStream)
    assert b"".join([chunk async for chunk in response.body]) == b"PUT https://example.com/"
