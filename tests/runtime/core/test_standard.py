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
from capnweb_runtime.objects.stub import _promise
from tests.runtime.codec_ends import decode, encode, refusal
from tests.runtime.pair import Counted


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


class Mood(enum.StrEnum):
    GOOD = "good"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if value == "broken":
            raise KeyError(value)
        if value == "odd":
            return "good"
        return None if value == "nothing" else cls.GOOD if str(value).lower() == "good" else cls.OTHER


COLOUR = rpc.enum_of(Colour)
ACCESS = rpc.enum_of(Access)
MOOD = rpc.enum_of(Mood)
GOOD = rpc.members_of(Mood.GOOD)
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
    (MOOD, Mood.GOOD, "good"),
    (GOOD, Mood.GOOD, "good"),
    (rpc.members_of(Colour.ONE, Colour.RED), Colour.ONE, 1),
    (rpc.members_of(Access.READ), Access.READ, 1),
    (rpc.TIMEDELTA, timedelta.min, -86399999913600.0),
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
        (MOOD, "GOOD", Mood.GOOD),
        (MOOD, "whatever", Mood.OTHER),
        (rpc.union_of(MOOD, rpc.INT), "whatever", Mood.OTHER),
        (rpc.union_of(MOOD, rpc.INT), 5, 5),
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
        (MOOD, "nothing", "Mood, one of 'good', 'other'"),
        (MOOD, "broken", "Mood, one of"),
        (MOOD, "odd", "Mood, one of"),
        (MOOD, 5, "Mood, one of"),
        (GOOD, "other", "Mood, one of 'good'"),
        (GOOD, "GOOD", "Mood, one of 'good'"),
        (rpc.members_of(Access.READ), 5, "Access, one of 1"),
        (
            rpc.TIMEDELTA,
            1e300,
            "a number of seconds from -86399999913600 to 86399999999999.98, got float 1e+300, which",
        ),
        (rpc.TIMEDELTA, 86400000000000, "a number of seconds from -86399999913600 to 86399999999999.98"),
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
        (rpc.TIMEDELTA, timedelta.max),
        (GOOD, Mood.OTHER),
        (GOOD, "good"),
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


def test_a_duration_that_no_peer_could_read_is_out_of_range() -> None:
    assert "which is out of range" in refusal(lambda: encode(rpc.TIMEDELTA, timedelta.max))


@given(st.timedeltas(timedelta(days=-99_000), timedelta(days=99_000)))
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
    (rpc.constrained(rpc.DATE, when="past"), "2001-01-01", "9999-01-01", "a date in the form YYYY-MM-DD in the past"),
    (
        rpc.constrained(rpc.DATE, when="future"),
        "9999-01-01",
        "2001-01-01",
        "a date in the form YYYY-MM-DD in the future",
    ),
    (rpc.constrained(rpc.DATETIME, when="past"), ["date", 0], ["date", 2e14], "datetime in the past"),
    (rpc.constrained(rpc.DATETIME, when="future"), ["date", 2e14], ["date", 0], "datetime in the future"),
]


@pytest.mark.parametrize(("codec", "within", "beyond", "expected"), LIMITED)
def test_what_is_beyond_its_limits_is_refused(codec: TypeCodec, within: Any, beyond: Any, expected: str) -> None:
    decode(codec, within)
    assert f"expected {expected}, got" in refusal(lambda: decode(codec, beyond))


def test_what_a_promised_list_with_limits_holds_is_promised_as_without_them() -> None:
    promise = _promise(rpc.constrained(rpc.list_of(rpc.INT), max_length=3), Counted())
    assert promise[0]._codec is rpc.INT


def test_limits_are_checked_on_arrival_only() -> None:
    assert encode(rpc.constrained(rpc.INT, ge=1), 0) == 0


def test_a_pattern_is_matched_in_linear_time() -> None:
    codec = rpc.constrained(rpc.STR, pattern="^(a+)+$")
    assert "matches" in refusal(lambda: decode(codec, "a" * 5_000 + "b"))


@pytest.mark.parametrize(("codec", "value"), [(rpc.set_of(rpc.INT), {7}), (rpc.tuple_of_any(rpc.INT), (7,))])
def test_a_field_is_read_as_the_collection_that_it_is(codec: rpc.Codec, value: Any) -> None:
    assert codec.read({"x": [[7]]}, "x", None) == value
