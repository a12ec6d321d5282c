"""Arguments of restorers: into a token and back as what they were, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict  # which pydantic asks for on Python 3.11

from capnweb_runtime.sturdy import Restorer


class Colour(Enum):
    RED = "red"


class Key(BaseModel):
    id: UUID
    day: date
    price: Decimal
    colour: Colour
    others: set[int] = set()


@dataclass
class Plain:
    number: int
    of: Key | None = None


class Row(TypedDict):
    number: int


class Hidden(BaseModel):
    secret: SecretStr


KEY = Key(id=UUID(int=7), day=date(2026, 1, 31), price=Decimal("1.50"), colour=Colour.RED, others={1, 2})


def restorer(arguments: Any) -> Restorer[Any, Any, Any]:
    return Restorer("thing", arguments, lambda arguments, principal: arguments)


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (int, 7),
        (str, "lobby"),
        (type(None), None),
        (Key, KEY),
        (Plain, Plain(7, KEY)),
        (Row, {"number": 7}),
        (list[int], [1, 2]),
        (tuple[int, str], (1, "a")),
    ],
)
def test_arguments_come_back_as_what_they_were(of: Any, value: Any) -> None:
    one = restorer(of)
    back = one.read(one.written(value))
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("of", "wrong"),
    [
        (int, ["7", 7.5, True, None, [7]]),
        (str, [7, None, ["a"]]),
        (Key, [None, {}, [], {"id": "x", "day": "y", "price": "1", "colour": "red"}]),
        (Plain, [{"number": "7"}, {"number": 7, "of": 1}, {}, "7"]),
        (Row, [{}, {"number": "7"}, None]),
    ],
)
def test_what_a_token_has_instead_is_refused(of: Any, wrong: list[Any]) -> None:
    for value in wrong:
        with pytest.raises(ValueError, match="validation error"):
            restorer(of).read(value)


@pytest.mark.parametrize(
    ("of", "value"),
    [
        (int, "7"),
        (str, b"a"),
        (Plain, Row(number=7)),
        (Hidden, Hidden(secret=SecretStr("a"))),
        (float, float("nan")),
    ],
)
def test_what_would_not_come_back_is_not_written(of: Any, value: Any) -> None:
    with pytest.raises(TypeError, match="the kind 'thing'"):
        restorer(of).written(value)


def test_a_type_that_cannot_be_written_as_json_is_told_at_once() -> None:
    with pytest.raises(TypeError, match="the arguments of the kind 'thing' cannot be written as JSON: "):
        restorer(object())


def test_a_kind_has_a_name() -> None:
    with pytest.raises(ValueError, match="needs the name of a kind"):
        Restorer("", int, lambda number, principal: number)
