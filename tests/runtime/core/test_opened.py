"""Types to which later versions may add: what those may have added is kept, and nothing that was never right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.evaluate import DirectEvaluator, NotDirect
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.objects.any_stub import AnyStub
from capnweb_runtime.schema import Unknown
from capnweb_runtime.testing import pair
from tests.gen.golden.open_types import expected as made
from tests.gen.golden.open_types.schema import Access, Box, Circle, Colour, Drawing, Faded, Square, Stock
from tests.runtime.codec_ends import decode, encode, refusal
from tests.runtime.pair import SyncHost

NUMBERED = rpc.open_of(rpc.literal_of(1, 2))
SHAPE = made.OPEN_CIRCLE_OR_SQUARE
CIRCLE_OR_TEXT = made.OPEN_CIRCLE_OR_STR


@pytest.mark.parametrize(
    ("codec", "wire"),
    [
        (made.OPEN_COLOUR, "green"),
        (made.OPEN_COLOUR_RED, "blue"),
        (made.OPEN_LITERAL_DRAFT_FINAL, ""),
        (made.OPEN_ACCESS, 8),
        (NUMBERED, 3),
        (SHAPE, {"kind": "star", "points": [[1, None, {"x": True}]]}),
        (CIRCLE_OR_TEXT, {"kind": "star"}),
        (CIRCLE_OR_TEXT, 7),
        (CIRCLE_OR_TEXT, [["a", ["date", 0]]]),
    ],
)
def test_what_a_later_version_may_have_added_arrives_as_unknown_and_is_sent_as_it_came(
    codec: TypeCodec, wire: Any
) -> None:
    arrived = decode(codec, wire)
    assert type(arrived) is Unknown
    assert encode(codec, arrived) == wire


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (made.OPEN_COLOUR, Colour.BLUE),
        (made.OPEN_LITERAL_DRAFT_FINAL, "final"),
        (made.OPEN_ACCESS, Access.READ | Access.WRITE),
        (NUMBERED, 2),
        (SHAPE, Square(side=2.0)),
        (CIRCLE_OR_TEXT, Circle(radius=1.0)),
        (CIRCLE_OR_TEXT, "text"),
    ],
)
def test_what_is_known_arrives_as_itself(codec: TypeCodec, value: Any) -> None:
    assert decode(codec, encode(codec, value)) == value


@pytest.mark.parametrize(
    ("codec", "wire", "words"),
    [
        (made.OPEN_COLOUR, 1, "it: expected Colour, one of 'red', 'blue', got int 1"),
        (made.OPEN_COLOUR, None, "it: expected Colour, one of 'red', 'blue', got None"),
        (made.OPEN_COLOUR, ["bytes", "AA"], "it: expected Colour, one of 'red', 'blue', got bytes"),
        (made.OPEN_ACCESS, "read", "it: expected a combination of Access, got str 'read'"),
        (NUMBERED, True, "it: expected one of 1, 2, got bool True"),
        (SHAPE, {"kind": "circle", "radius": "wide"}, "it.radius: expected float, got str 'wide'"),
        (SHAPE, {"kind": 4}, "it.kind: expected one of 'circle', 'square', got int 4"),
        (SHAPE, {}, "it.kind: expected one of 'circle', 'square', got None"),
        (CIRCLE_OR_TEXT, {"kind": "circle"}, "it.radius: expected float, got nothing: the field is missing"),
    ],
)
def test_what_is_wrong_in_any_version_is_refused(codec: TypeCodec, wire: Any, words: str) -> None:
    assert refusal(lambda: decode(codec, wire)) == words


@pytest.mark.parametrize("value", [4, ["green"], None, {"a": 1}])
def test_an_unknown_constant_is_sent_if_the_type_could_have_it(value: Any) -> None:
    expected = "it: expected Colour, one of 'red', 'blue', got an instance of Unknown"
    assert refusal(lambda: encode(made.OPEN_COLOUR, Unknown(value))) == expected


def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    assert decode(NUMBERED, 3.0) == Unknown(3)
    assert refusal(lambda: decode(NUMBERED, 3.5)) == "it: expected one of 1, 2, got float 3.5"


@pytest.mark.parametrize("wire", [["promise", 1], ["pipeline", 0], {"kind": "star", "by": ["promise", 1]}])
def test_a_promise_is_waited_for_and_not_taken_for_a_value(wire: Any) -> None:
    with pytest.raises(NotDirect):
        SHAPE.decode(wire, DirectEvaluator(Loopback(SyncHost())))


def test_only_a_union_may_hold_capabilities() -> None:
    assert made.OPEN_COLOUR.pure
    assert not SHAPE.pure
    assert not made.DRAWING.pure
    assert made.STOCK.pure


class Studio(made.StudioTarget):
    """Gives back what it gets."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def paint(self, colour: Any = Colour.RED) -> Any:
        return self._note(colour)

    def grant(self, access: Any) -> Any:
        return self._note(access)

    def draw(self, drawing: Any) -> Any:
        return self._note(drawing)

    def add(self, shape: Any) -> Any:
        return self._note(shape)

    def boxed(self, box: Any) -> Any:
        if box.item == Colour.RED:
            raise Faded(Unknown("grey"))
        return self._note(box)

    async def each(self, colours: Any, call: Any) -> None:
        async for colour in colours:
            self._note(await call(colour))

    def stock(self, stock: Any, wish: Any) -> Any:
        self._note(wish)
        return self._note(stock)

    def _note(self, value: Any) -> Any:
        self.seen.append(value)
        return value


async def test_values_of_a_later_version_come_back_through_a_session_as_they_were() -> None:
    drawing = Drawing(
        colour=Unknown("green"), shapes=[Circle(radius=1), Unknown({"kind": "star", "n": 5})], mode=Unknown("signed")
    )
    stock = Stock(best=None, left={Colour.RED: 1, Unknown("green"): 2})
    studio = Studio()
    async with pair(studio, made.StudioStub) as api:
        assert await api.paint(Unknown("green")) == Unknown("green")
        assert await api.paint(api.paint(Unknown("green"))) == Unknown("green")
        assert await api.grant(Unknown(12)) == Unknown(12)
        assert await api.draw(drawing) == drawing
        assert await api.draw(drawing).shapes[1] == Unknown({"kind": "star", "n": 5})
        assert await api.add(Unknown([1])) == Unknown([1])
        assert await api.add("text") == "text"
        assert await api.stock(stock, {"colour": Unknown("blue")}) == stock
    assert studio.seen[-2:] == [{"colour": Unknown("blue")}, stock]


async def test_what_is_unknown_goes_through_generics_streams_callbacks_and_exceptions() -> None:
    async def colours() -> AsyncIterator[Colour | Unknown]:
        yield Colour.BLUE
        yield Unknown("green")

    def shape(colour: Colour | Unknown) -> Circle | Unknown:
        return Circle(radius=1) if isinstance(colour, Colour) else Unknown({"kind": "star"})

    studio = Studio()
    async with pair(studio, made.StudioStub) as api:
        assert await api.boxed(Box(Unknown("green"))) == Box(Unknown("green"))
        with pytest.raises(Faded) as caught:
            await api.boxed(Box(Colour.RED))
        assert caught.value.colour == Unknown("grey")
        await api.each(colours(), shape)
    assert studio.seen[-2:] == [Circle(radius=1), Unknown({"kind": "star"})]


async def test_a_capability_in_what_is_unknown_is_a_stub_that_can_be_called() -> None:
    called: list[int] = []

    def call(number: int) -> int:
        called.append(number)
        return number + 1

    async with pair(Studio(), made.StudioStub) as api:
        back = await api.add(Unknown({"kind": "star", "call": call}))
        assert isinstance(back, Unknown)
        stub = back.value["call"]
        assert isinstance(stub, AnyStub)
        assert await stub(4) == 5
        stub.dispose()
    assert called == [4]


def test_pydantic_keeps_what_is_unknown_and_writes_it_in_json_as_it_travels() -> None:
    drawing = Drawing(colour=Unknown("green"), shapes=[Unknown({"kind": "star"})])
    assert drawing.colour == Unknown("green")
    assert drawing.model_dump(mode="json") == {
        "colour": "green",
        "frame": None,
        "shapes": [{"kind": "star"}],
        "mode": "draft",
    }


@pytest.mark.parametrize("make", [lambda: Drawing.model_validate({"colour": "green", "shapes": []})])
def test_pydantic_takes_nothing_else_for_unknown(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match="colour"):
        make()
