"""Values that Python lacks."""

from __future__ import annotations

import copy
import json
import math
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from capnweb_runtime.values import (
    MAX_SAFE_INTEGER,
    UNDEFINED,
    BigInt,
    Blob,
    Headers,
    Request,
    Response,
    SturdyRef,
    Uint8ClampedArray,
    Undefined,
    Url,
    WireDate,
    date_from_ms,
    date_to_ms,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_undefined_is_one_falsy_thing_and_no_none() -> None:
    assert Undefined() is UNDEFINED
    assert copy.deepcopy(UNDEFINED) is UNDEFINED
    assert pickle.loads(pickle.dumps(UNDEFINED)) is UNDEFINED
    assert not UNDEFINED
    assert UNDEFINED is not None
    assert repr(UNDEFINED) == "UNDEFINED"


def test_the_largest_safe_integer_is_that_of_a_double() -> None:
    assert float(MAX_SAFE_INTEGER) == MAX_SAFE_INTEGER
    assert float(MAX_SAFE_INTEGER + 2) != MAX_SAFE_INTEGER + 2


def test_a_bigint_is_an_int() -> None:
    assert BigInt(5) == 5
    assert isinstance(BigInt(5), int)
    assert BigInt(5) + 1 == 6


def test_dates_beyond_datetime_are_equal_by_value() -> None:
    assert WireDate(None) == WireDate(None) == WireDate(8.64e15 + 1) == WireDate(math.nan)
    assert WireDate(-(10**15)) == WireDate(-(10**15)) != WireDate(10**15)
    assert len({WireDate(1), WireDate(1), WireDate(None)}) == 2
    assert WireDate(1) != 1
    assert repr(WireDate(None)) == "WireDate(None)"
    assert WireDate(8.64e15).ms == 8.64e15


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        (EPOCH, 0),
        (EPOCH + timedelta(milliseconds=1.999), 1),
        (EPOCH - timedelta(milliseconds=1.999), -1),
        (EPOCH - timedelta(microseconds=1), 0),
        (datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))), 1709188200000),
        (datetime(1, 1, 1, tzinfo=UTC), -62135596800000),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), 253402300799999),
    ],
    ids=str,
)
def test_a_datetime_is_whole_milliseconds(value: datetime, ms: int) -> None:
    assert date_to_ms(value) == ms
    assert type(date_to_ms(value)) is int


class NoOffset(tzinfo):
    def utcoffset(self, when: datetime | None) -> None:
        return None

    def dst(self, when: datetime | None) -> None:
        return None

    def tzname(self, when: datetime | None) -> str:
        return "nowhere"


@pytest.mark.parametrize("zone", [None, NoOffset()], ids=["none", "without offset"])
def test_a_datetime_that_names_no_instant_is_refused(zone: tzinfo | None) -> None:
    with pytest.raises(TypeError, match=r"give it one, such as value\.replace\(tzinfo=timezone\.utc\)"):
        date_to_ms(datetime(2024, 1, 1, tzinfo=zone))


@pytest.mark.parametrize(
    ("ms", "value"),
    [
        (0, EPOCH),
        (-0.0, EPOCH),
        (1.9, EPOCH + timedelta(milliseconds=1)),
        (-1.9, EPOCH - timedelta(milliseconds=1)),
        (253402300799999, datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
        (253402300800000, WireDate(253402300800000)),
        (-62135596800000, datetime(1, 1, 1, tzinfo=UTC)),
        (-62135596800001, WireDate(-62135596800001)),
        (8.64e15, WireDate(8640000000000000)),
        (8.64e15 + 1, WireDate(None)),
        (-8.64e15 - 1, WireDate(None)),
        (math.nan, WireDate(None)),
        (math.inf, WireDate(None)),
        (None, WireDate(None)),
    ],
    ids=str,
)
def test_milliseconds_are_a_datetime_where_it_can_hold_them(ms: float | None, value: object) -> None:
    assert date_from_ms(ms) == value


@given(st.integers(-62135596800000, 253402300799999))
def test_milliseconds_survive(ms: int) -> None:
    value = date_from_ms(ms)
    assert isinstance(value, datetime)
    assert value.tzinfo is UTC
    assert date_to_ms(value) == ms


def test_bytes_in_a_clamped_array_are_bytes() -> None:
    assert Uint8ClampedArray(b"x") == b"x"


def test_a_url_is_text() -> None:
    assert Url("http://a/") == "http://a/"
    assert repr(Url("http://a/")) == "Url('http://a/')"


class TestHeaders:
    def test_they_are_lower_cased_sorted_and_joined(self) -> None:
        headers = Headers([("X-B", " 2 "), ("Accept", "a"), ("x-b", "3")])
        assert headers.pairs == (("accept", "a"), ("x-b", "2, 3"))
        assert headers["ACCEPT"] == "a"
        assert list(headers) == ["accept", "x-b"]
        assert len(headers) == 2

    def test_cookies_are_kept_apart(self) -> None:
        headers = Headers([("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("x", "1")])
        assert headers.pairs == (("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x", "1"))
        assert headers["set-cookie"] == "a=1, b=2"

    def test_they_are_equal_by_value(self) -> None:
        assert Headers([("A", "1"), ("B", "2")]) == Headers([("b", "2"), ("a", "1")])
        assert len({Headers([("A", "1")]), Headers([("a", "1")])}) == 1
        assert repr(Headers([("A", "1")])) == "Headers([('a', '1')])"

    @pytest.mark.parametrize(
        "pair", [("", "1"), ("a b", "1"), ("a:", "1"), ("ä", "1"), ("a", "x\r\ny: z"), ("a", "\0")]
    )
    def test_what_http_does_not_allow_is_refused(self, pair: tuple[str, str]) -> None:
        with pytest.raises(ValueError, match="is not a valid header"):
            Headers([pair])


def test_blobs_requests_and_responses_are_equal_by_value() -> None:
    assert Blob(b"\xffa", "text/plain") == Blob(b"\xffa", "text/plain")
    assert (Blob(b"\xffa").size, Blob(b"\xffa").text()) == (2, "\ufffda")
    assert Request("http://a/") == Request("http://a/", "GET", Headers())
    assert Response() == Response(None, 200, "")
    assert Request("http://a/") != Request("http://b/")


class TestSturdyRef:
    def test_nothing_shows_its_token_by_chance(self) -> None:
        ref = SturdyRef[str]("secret")
        shown = [str(ref), repr(ref), f"{ref}", f"{ref!s:>40}", "%s %r" % (ref, [ref]), format(ref), str({"ref": ref})]  # noqa: UP031
        assert not [text for text in shown if "secret" in text]
        assert repr(ref) == "SturdyRef('***')"
        assert not hasattr(ref, "__dict__")

    def test_equal_tokens_are_equal_references(self) -> None:
        ref = SturdyRef[str]("a")
        assert ref == SturdyRef[int]("a") != SturdyRef("b")
        assert len({ref, SturdyRef("a"), SturdyRef("b")}) == 2
        assert ref != "a"
        assert hash(ref) != hash("a")

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_it_can_be_stored(self, protocol: int) -> None:
        ref = SturdyRef[str]("a")
        assert pickle.loads(pickle.dumps(ref, protocol)) == ref
        assert copy.copy(ref) is copy.deepcopy(ref) is ref
        assert SturdyRef(ref.token) == ref

    def test_it_cannot_be_changed(self) -> None:
        ref = SturdyRef[str]("a")
        changes: list[Callable[[], None]] = [
            lambda: setattr(ref, "token", "b"),
            lambda: setattr(ref, "other", 1),
            lambda: delattr(ref, "token"),
        ]
        for change in changes:
            with pytest.raises(AttributeError, match="a SturdyRef cannot be changed"):
                change()
        assert ref.token == "a"

    @pytest.mark.parametrize("token", ["", "x" * 4097])
    def test_a_token_has_a_length(self, token: str) -> None:
        assert SturdyRef("x" * 4096).token == "x" * 4096
        with pytest.raises(ValueError, match=f"a token of 1 to 4096 characters, not of {len(token)}"):
            SturdyRef(token)

    @pytest.mark.parametrize("token", [None, 1, b"a", Url("a"), SturdyRef("a")])
    def test_a_token_is_a_string(self, token: Any) -> None:
        with pytest.raises(TypeError, match=f"made of a string, not of {type(token).__name__}"):
            SturdyRef(token)

    def test_pydantic_takes_it_and_its_token_and_writes_the_token_as_json(self) -> None:
        class Mark(BaseModel):
            ref: SturdyRef[str]
            more: list[SturdyRef[str]] = []

        ref = SturdyRef[str]("secret")
        mark = Mark(ref=ref, more=[ref])
        assert Mark.model_validate({"ref": "secret", "more": [ref]}) == mark
        assert mark.model_dump() == {"ref": ref, "more": [ref]}
        assert mark.model_dump_json() == '{"ref":"secret","more":["secret"]}'
        assert Mark.model_validate_json(mark.model_dump_json(), strict=True) == mark
        assert "secret" not in f"{mark} {mark!r}"
        assert Mark.model_json_schema()["properties"]["ref"]["maxLength"] == 4096

    @pytest.mark.parametrize("wrong", ["", "x" * 4097, 5, None, ["a"]])
    def test_pydantic_refuses_what_is_none(self, wrong: object) -> None:
        taken = TypeAdapter(SturdyRef[str])
        with pytest.raises(ValidationError, match="1 validation error"):
            taken.validate_python(wrong)
        with pytest.raises(ValidationError, match="1 validation error"):
            taken.validate_json(json.dumps(wrong))
