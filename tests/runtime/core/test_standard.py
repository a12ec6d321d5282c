"""Codecs of the standard library's types, both ways, and the words with which they refuse."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.codecs import TypeCodec
from tests.runtime.codec_ends import decode, encode, refusal


class Colour(enum.Enum):
    RED = "red"
    ONE = 1


class Answer(enum.Enum):
    YES = True


class Access(enum.Flag):
    READ = 1
    WRITE = 4


class Lenient(enum.IntFlag):
    READ = 1


COLOUR = rpc.enum_of(Colour)
ACCESS = rpc.enum_of(Access)
NUMBER = UUID("abcdef01-1234-5678-1234-567812345678")


FORMS: list[tuple[TypeCodec, Any, Any]] = [
    (rpc.DATE, date(2024, 1, 31), "2024-01-31"),
    (rpc.DATE, date(1, 1, 1), "0001-01-01"),
    (rpc.TIME, time(12, 30), "12:30:00"),
    (rpc.TIME, time(12, 30, 1, 5), "12:30:01.000005"),
    (rpc.TIME, time(12, 30, tzinfo=timezone(timedelta(hours=2))), "12:30:00+02:00"),
    (rpc.TIMEDELTA, timedelta(minutes=1, milliseconds=500), 60.5),
    (rpc.TIMEDELTA, timedelta(days=-1), -86400.0),
    (rpc.DECIMAL, Decimal("19.90"), "19.90"),
    (rpc.DECIMAL, Decimal("-1E+400"), "-1E+400"),
    (rpc.DECIMAL, Decimal("Infinity"), "Infinity"),
    (rpc.UUID, NUMBER, "abcdef01-1234-5678-1234-567812345678"),
    (rpc.BYTEARRAY, bytearray(b"abc"), ["bytes", "YWJj", "ArrayBuffer"]),
    (COLOUR, Colour.RED, "red"),
    (COLOUR, Colour.ONE, 1),
    (rpc.enum_of(Answer), Answer.YES, True),
    (ACCESS, Access.READ | Access.WRITE, 5),
    (ACCESS, Access(0), 0),
    (rpc.set_of(rpc.INT), {7}, [[7]]),
    (rpc.frozenset_of(COLOUR), frozenset({Colour.RED}), [["red"]]),
    (rpc.tuple_of_any(rpc.INT), (1, 2, 1), [[1, 2, 1]]),
    (rpc.tuple_of_any(rpc.INT), (), [[]]),
]


@pytest.mark.parametrize(("codec", "value", "wire"), FORMS)
def test_values_have_one_form_and_come_back(codec: TypeCodec, value: Any, wire: Any) -> None:
    assert encode(codec, value) == wire
    back = decode(codec, wire)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("codec", "wire", "value"),
    [
        (rpc.TIME, "12:30", time(12, 30)),
        (rpc.TIME, "12:30:00.5Z", time(12, 30, 0, 500_000, UTC)),
        (rpc.TIMEDELTA, 5, timedelta(seconds=5)),
        (rpc.DECIMAL, "+.5e1", Decimal(5)),
        (rpc.UUID, "ABCDEF01-1234-5678-1234-567812345678", NUMBER),
        (rpc.BYTEARRAY, ["bytes", "YWJj"], bytearray(b"abc")),
        (COLOUR, 1.0, Colour.ONE),
        (rpc.set_of(rpc.INT), [[1, 1.0, 1]], {1}),
    ],
)
def test_other_forms_that_peers_may_send_are_read(codec: TypeCodec, wire: Any, value: Any) -> None:
    back = decode(codec, wire)
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    ("codec", "wire", "expected"),
    [
        (rpc.DATE, "2024-02-30", "a date in the form YYYY-MM-DD"),
        (rpc.DATE, "20240131", "a date"),
        (rpc.DATE, "2024-W01-1", "a date"),
        (rpc.DATE, ["date", 0], "a date in the form"),
        (rpc.TIME, "25:00", "a time"),
        (rpc.TIMEDELTA, "5", "a number of seconds"),
        (rpc.TIMEDELTA, ["inf"], "a number of seconds"),
        (rpc.TIMEDELTA, ["nan"], "a number of seconds"),
        (rpc.DECIMAL, 1.5, "a decimal number as a string"),
        (rpc.DECIMAL, "1_000", "a decimal number"),
        (rpc.DECIMAL, "\u0661", "a decimal number"),
        (rpc.DECIMAL, "sNaN", "a decimal number"),
        (rpc.UUID, "{abcdef01-1234-5678-1234-567812345678}", "a UUID"),
        (rpc.UUID, "abcdef01123456781234567812345678", "a UUID"),
        (rpc.BYTEARRAY, "abc", "bytes"),
        (COLOUR, "green", "Colour, one of 'red', 1"),
        (COLOUR, True, "Colour, one of"),
        (COLOUR, 2, "Colour, one of"),
        (COLOUR, None, "Colour, one of"),
        (ACCESS, 2, "a combination of Access"),
        (ACCESS, -1, "a combination of Access"),
        (ACCESS, True, "a combination of Access"),
        (rpc.set_of(rpc.INT), {"1": 1}, "a set of int"),
        (rpc.tuple_of_any(rpc.INT), [1], "a list of int"),
    ],
)
def test_what_is_not_of_the_type_is_refused(codec: TypeCodec, wire: Any, expected: str) -> None:
    assert f"expected {expected}" in refusal(lambda: decode(codec, wire))


def test_the_place_in_a_collection_is_told() -> None:
    assert refusal(lambda: decode(rpc.set_of(rpc.INT), [[1, "x"]])).startswith("it[1]: expected int")


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (rpc.DATE, datetime(2024, 1, 1, tzinfo=UTC)),
        (rpc.DATE, "2024-01-01"),
        (rpc.TIMEDELTA, 5),
        (rpc.DECIMAL, 1.5),
        (rpc.UUID, str(NUMBER)),
        (rpc.BYTEARRAY, "abc"),
        (COLOUR, "red"),
        (ACCESS, 1),
        (rpc.set_of(rpc.INT), [1]),
        (rpc.frozenset_of(rpc.STR), "abc"),
        (rpc.tuple_of_any(rpc.STR), "abc"),
    ],
)
def test_only_values_of_the_type_are_sent(codec: TypeCodec, value: Any) -> None:
    assert "expected" in refusal(lambda: encode(codec, value))


def test_a_flag_that_keeps_unknown_bits_keeps_them() -> None:
    assert decode(rpc.enum_of(Lenient), 3) == Lenient(3)


@given(st.timedeltas(timedelta(days=-10_000), timedelta(days=10_000)))
def test_durations_keep_their_microseconds(value: timedelta) -> None:
    assert decode(rpc.TIMEDELTA, encode(rpc.TIMEDELTA, value)) == value


@given(st.one_of(st.dates(), st.times(), st.uuids(), st.decimals(allow_nan=False)))
def test_texts_are_read_as_what_was_written(value: Any) -> None:
    codec = {date: rpc.DATE, time: rpc.TIME, UUID: rpc.UUID, Decimal: rpc.DECIMAL}[type(value)]
    assert decode(codec, encode(codec, value)) == value


LIMITED: list[tuple[TypeCodec, Any, Any, str]] = [
    (rpc.constrained(rpc.INT, ge=1), 1, 0, "int of at least 1"),
    (rpc.constrained(rpc.INT, gt=1), 2, 1, "int greater than 1"),
    (rpc.constrained(rpc.FLOAT, le=1), 1.0, ["nan"], "float of at most 1"),
    (rpc.constrained(rpc.FLOAT, lt=1.5), 1.4, 1.5, "float less than 1.5"),
    (rpc.constrained(rpc.INT, multiple_of=3), -6, 4, "int that is a multiple of 3"),
    (rpc.constrained(rpc.DECIMAL, ge=0), "0.00", "NaN", "a decimal number as a string of at least 0"),
    (rpc.constrained(rpc.STR, min_length=1), "a", "", "str of length 1 or more"),
    (rpc.constrained(rpc.set_of(rpc.INT), max_length=1), [[1, 1]], [[1, 2]], "a set of int of length 1 or less"),
    (rpc.constrained(rpc.STR, pattern="^a+$"), "aa", "ab", "str that matches '^a+$'"),
]


@pytest.mark.parametrize(("codec", "within", "beyond", "expected"), LIMITED)
def test_what_is_beyond_its_limits_is_refused(codec: TypeCodec, within: Any, beyond: Any, expected: str) -> None:
    decode(codec, within)
    assert f"expected {expected}, got" in refusal(lambda: decode(codec, beyond))


def test_limits_are_checked_on_arrival_only() -> None:
    assert encode(rpc.constrained(rpc.INT, ge=1), 0) == 0


def test_a_pattern_is_matched_in_linear_time() -> None:
    codec = rpc.constrained(rpc.STR, pattern="^(a+)+$")
    assert "matches" in refusal(lambda: decode(codec, "a" * 5_000 + "b"))


@pytest.mark.parametrize(("codec", "value"), [(rpc.set_of(rpc.INT), {7}), (rpc.tuple_of_any(rpc.INT), (7,))])
def test_a_field_is_read_as_the_collection_that_it_is(codec: rpc.Codec, value: Any) -> None:
    assert codec.read({"x": [[7]]}, "x", None) == value
