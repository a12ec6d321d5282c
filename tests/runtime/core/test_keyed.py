"""Dictionaries whose keys are more than plain strings: one spelling on the wire for each key."""

from __future__ import annotations

import enum
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.evaluate import NotDirect
from capnweb_runtime.objects.stub import RpcPromise
from tests.runtime.codec_ends import decode, encode, refusal
from tests.runtime.pair import Counted


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Trap(enum.Enum):
    OPEN = "toString"


NUMBERS = rpc.dict_by_number(rpc.INT, rpc.STR)
FORMS: list[tuple[rpc.Codec, dict[Any, Any], dict[str, Any]]] = [
    (NUMBERS, {1: "a", -2: "b", 0: "c", 2**60: "d"}, {"1": "a", "-2": "b", "0": "c", str(2**60): "d"}),
    (rpc.dict_by_number(rpc.enum_of(Level), rpc.INT), {Level.LOW: 5}, {"1": 5}),
    (rpc.dict_by_number(rpc.literal_of(1, 2), rpc.INT), {2: 5}, {"2": 5}),
    (rpc.dict_by(rpc.enum_of(Colour), rpc.INT), {Colour.RED: 5}, {"red": 5}),
    (rpc.dict_by(rpc.literal_of("a"), rpc.INT), {"a": 5}, {"a": 5}),
    (rpc.dict_by(rpc.DATE, rpc.list_of(rpc.INT)), {date(2024, 1, 31): [5]}, {"2024-01-31": [[5]]}),
    (rpc.dict_by(rpc.UUID, rpc.INT), {UUID(int=5): 5}, {str(UUID(int=5)): 5}),
]


@pytest.mark.parametrize(("codec", "value", "wire"), FORMS)
def test_keys_have_one_spelling_and_come_back(codec: rpc.Codec, value: dict[Any, Any], wire: dict[str, Any]) -> None:
    assert encode(codec, value) == wire
    back = decode(codec, wire)
    assert back == value
    assert list(map(type, back)) == list(map(type, value))


@given(st.dictionaries(st.integers(), st.text()))
def test_numbers_of_any_size_are_keys(value: dict[int, str]) -> None:
    assert decode(NUMBERS, encode(NUMBERS, value)) == value


@pytest.mark.parametrize("key", ["", "01", "+1", "1.0", "-0", "1e3", " 1", "one", "\u0661", "9" * 20_000])
def test_a_number_in_another_spelling_is_no_key(key: str) -> None:
    assert "expected int in digits as key" in refusal(lambda: decode(NUMBERS, {key: "a"}))


def test_what_is_wrong_with_a_key_or_value_is_told_with_the_key() -> None:
    codec = rpc.dict_by(rpc.enum_of(Colour), rpc.INT)
    assert refusal(lambda: decode(codec, {"blue": 1})).startswith("it.blue: expected Colour, one of 'red'")
    assert refusal(lambda: decode(codec, {"red": "x"})).startswith("it.red: expected int")
    assert refusal(lambda: encode(codec, {Colour.RED: "x"})).startswith("it.red: expected int")
    assert refusal(lambda: encode(codec, {"red": 1})).startswith("it: expected Colour, one of 'red'")
    assert refusal(lambda: encode(codec, [1])).startswith("it: expected an object of int, by Colour")
    assert refusal(lambda: decode(codec, [[1]])).startswith("it: expected an object of int, by Colour")


def test_keys_that_peers_drop_are_not_sent_and_dropped_on_arrival() -> None:
    codec = rpc.dict_by(rpc.enum_of(Trap), rpc.INT)
    assert "expected keys that peers keep, got 'toString'" in refusal(lambda: encode(codec, {Trap.OPEN: 1}))
    assert decode(codec, {"toString": 1}) == {}
    with pytest.raises(NotDirect):  # there may be a capability in it
        codec.decode({"toString": [[1]]}, None)  # as pure data is decoded


def test_two_keys_never_become_one() -> None:
    exact = rpc.dict_by(rpc.DECIMAL, rpc.INT)
    assert "expected keys that differ" in refusal(lambda: decode(exact, {"1.0": 1, "1.00": 2}))
    lossy = rpc.dict_by(rpc.EXACT_DATETIME, rpc.INT)
    assert "a datetime in the form" in refusal(lambda: encode(lossy, {Decimal(1): 1}))


def test_a_promise_is_no_key() -> None:
    promise: RpcPromise[Any] = RpcPromise(Counted())
    assert "expected int as key, got RpcPromise" in refusal(lambda: encode(NUMBERS, {promise: "a"}))
    assert encode(NUMBERS, {1: promise}) == {"1": ["promise", 1]}
