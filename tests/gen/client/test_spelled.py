"""Types and signatures read as the schema that declares them."""

from __future__ import annotations

import pytest

from capnweb_gen import ir
from capnweb_gen.client.described import Described
from capnweb_gen.client.spelled import signature, type_text


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("each", "each(on_item: Callable[[Item], None]) -> None"),
        ("into", "into(sink: Writable[int]) -> None"),
        ("spread", "spread(first: int, *rest: str, last: bool = False) -> None"),
        ("either", "either() -> Basket | None"),
        (
            "names",
            (
                "names(user: UserId, colour: Colour, rights: Rights, word: Literal['a', 1, True], percent: int, "
                "few: list[int]) -> None"
            ),
        ),
        (
            "moments",
            "moments(at: datetime, day: date, hour: time, lasting: timedelta, price: Decimal, key: UUID) -> None",
        ),
        (
            "compound",
            (
                "compound(items: list[Item], pair: tuple[int, str], keyed: dict[int, Size], either: Size | int, "
                "all_of: Names, unique: set[int]) -> None"
            ),
        ),
    ],
)
def test_a_signature_is_what_the_schema_says(shop: Described, name: str, written: str) -> None:
    attribute = shop.attribute(shop.main, name)
    assert attribute is not None
    assert isinstance(attribute.method, ir.Method)
    assert signature(attribute.method) == written


def test_an_open_type_says_so() -> None:
    shape = ir.OptionalShape(item=ir.OpenShape(item=ir.LiteralShape(values=("a", "b"))))
    assert type_text(shape) == "Open[Literal['a', 'b']] | None"
