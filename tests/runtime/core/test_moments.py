"""Codecs of datetimes of which a schema says more: what becomes of microseconds and of time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime import codegen_api as rpc
from tests.runtime.codec_ends import decode, encode, refusal

ROUNDED, WHOLE = rpc.datetime_of("round"), rpc.datetime_of("refuse")
NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)
NOON_MS = 1706702400000


def later(microseconds: int) -> datetime:
    return NOON + timedelta(microseconds=microseconds)


@pytest.mark.parametrize(
    ("microseconds", "cut", "rounded"), [(0, 0, 0), (499, 0, 0), (500, 0, 1), (999_999, 999, 1000), (1_001, 1, 1)]
)
def test_microseconds_are_cut_off_unless_a_schema_rounds_them(microseconds: int, cut: int, rounded: int) -> None:
    assert encode(rpc.DATETIME, later(microseconds)) == ["date", NOON_MS + cut]
    assert encode(ROUNDED, later(microseconds)) == ["date", NOON_MS + rounded]


def test_before_1970_rounding_goes_to_the_nearest_too() -> None:
    long_ago = datetime(1960, 1, 1, tzinfo=UTC) + timedelta(microseconds=700)
    assert encode(ROUNDED, long_ago) == ["date", encode(rpc.DATETIME, datetime(1960, 1, 1, tzinfo=UTC))[1] + 1]


def test_microseconds_are_refused_where_a_schema_says_so() -> None:
    assert encode(WHOLE, later(2_000)) == ["date", NOON_MS + 2]
    assert "a datetime of whole milliseconds" in refusal(lambda: encode(WHOLE, later(2_345)))
    assert "got one with 345 microseconds more" in refusal(lambda: encode(WHOLE, later(2_345)))


@pytest.mark.parametrize("codec", [ROUNDED, WHOLE])
def test_dates_are_read_as_any_datetime_is(codec: rpc.Codec) -> None:
    assert decode(codec, ["date", NOON_MS]) == NOON
    assert "expected datetime, got str" in refusal(lambda: decode(codec, "2024-01-31T12:00:00Z"))
    assert "a naive datetime" in refusal(lambda: encode(codec, NOON.replace(tzinfo=None)))
    assert "expected datetime, got int" in refusal(lambda: encode(codec, 5))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.timezones()))
def test_what_is_kept_is_the_instant_to_the_microsecond(value: datetime) -> None:
    assert decode(rpc.EXACT_DATETIME, encode(rpc.EXACT_DATETIME, value)) == value.astimezone(UTC)


@given(st.datetimes())
def test_what_clocks_show_comes_as_it_was(value: datetime) -> None:
    back = decode(rpc.LOCAL_DATETIME, encode(rpc.LOCAL_DATETIME, value))
    assert (back, back.tzinfo) == (value, None)


def test_texts_are_those_of_javascript() -> None:
    east = timezone(timedelta(hours=2))
    assert encode(rpc.EXACT_DATETIME, later(1).astimezone(east)) == "2024-01-31T12:00:00.000001Z"
    assert decode(rpc.EXACT_DATETIME, "2024-01-31T14:00:00.000+02:00") == NOON
    assert encode(rpc.LOCAL_DATETIME, NOON.replace(tzinfo=None)) == "2024-01-31T12:00:00"
    assert decode(rpc.LOCAL_DATETIME, "2024-01-31T12:00") == NOON.replace(tzinfo=None)


@pytest.mark.parametrize(
    ("codec", "wire"),
    [
        (rpc.EXACT_DATETIME, "2024-01-31T12:00:00"),
        (rpc.EXACT_DATETIME, "2024-01-31T12:00:00.0000001Z"),
        (rpc.EXACT_DATETIME, "2024-02-31T12:00:00Z"),
        (rpc.EXACT_DATETIME, "0001-01-01T00:00:00+02:00"),
        (rpc.EXACT_DATETIME, ["date", 0]),
        (rpc.LOCAL_DATETIME, "2024-01-31T12:00:00Z"),
        (rpc.LOCAL_DATETIME, "20240131T120000"),
        (rpc.LOCAL_DATETIME, "2024-01-31"),
        (rpc.LOCAL_DATETIME, None),
    ],
)
def test_other_texts_are_refused(codec: rpc.Codec, wire: Any) -> None:
    assert "expected a datetime in the form YYYY-MM-DDTHH:MM:SS" in refusal(lambda: decode(codec, wire))


def test_a_time_zone_is_there_where_it_has_to_be() -> None:
    assert "a datetime with a time zone" in refusal(lambda: encode(rpc.EXACT_DATETIME, NOON.replace(tzinfo=None)))
    assert "a datetime without a time zone" in refusal(lambda: encode(rpc.LOCAL_DATETIME, NOON))
    assert "got int 5" in refusal(lambda: encode(rpc.EXACT_DATETIME, 5))


def test_what_is_out_of_range_in_utc_is_told() -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert "which is out of range" in refusal(lambda: encode(rpc.EXACT_DATETIME, first))
    early = refusal(lambda: decode(rpc.DATETIME, ["date", -1e14]))
    assert early == "it: expected a date from year 1 to 9999, got WireDate(-100000000000000), which is out of range"
    assert "got an invalid date" in refusal(lambda: decode(rpc.DATETIME, ["date", 1e300]))
