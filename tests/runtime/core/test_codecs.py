"""The codecs of single values, both ways, and the words with which they refuse."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.errors import ProtocolError
from tests.runtime.codec_ends import decode, encode, refusal
from tests.runtime.ids import shown


class Level(IntEnum):
    LOW = 1


class Color(StrEnum):
    RED = "red"


class Name(str):
    def __str__(self) -> str:
        return "not the text"


@pytest.mark.parametrize(
    ("codec", "value", "wire"),
    [
        (rpc.NONE, None, None),
        (rpc.NONE, "ignored", None),
        (rpc.BOOL, True, True),
        (rpc.INT, 5, 5),
        (rpc.INT, Level.LOW, 1),
        (rpc.INT, 2**60, ["bigint", "1152921504606846976"]),
        (rpc.FLOAT, 1.5, 1.5),
        (rpc.FLOAT, 2, 2.0),
        (rpc.FLOAT, math.inf, ["inf"]),
        (rpc.FLOAT, -math.inf, ["-inf"]),
        (rpc.FLOAT, math.nan, ["nan"]),
        (rpc.STR, "x", "x"),
        (rpc.STR, Color.RED, "red"),
        (rpc.STR, Name("text"), "text"),
        (rpc.BYTES, b"x", ["bytes", "eA"]),
        (rpc.BYTES, bytearray(b"x"), ["bytes", "eA"]),
        (rpc.BYTES, memoryview(b"x"), ["bytes", "eA"]),
        (rpc.DATETIME, datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=1))), ["date", 3600000]),
        (rpc.ANY, {"a": [1, b"x"]}, {"a": [[1, ["bytes", "eA"]]]}),
    ],
    ids=shown,
)
def test_a_value_of_the_type_is_encoded(codec: TypeCodec, value: Any, wire: Any) -> None:
    assert encode(codec, value) == wire


@pytest.mark.parametrize(
    ("codec", "wire", "value"),
    [
        (rpc.NONE, None, None),
        (rpc.NONE, ["undefined"], None),
        (rpc.BOOL, False, False),
        (rpc.INT, 5, 5),
        (rpc.INT, 3.0, 3),
        (rpc.INT, 1e20, 10**20),
        (rpc.INT, ["bigint", "1152921504606846976"], 2**60),
        (rpc.INT, ["bigint", " 0xff "], 255),
        (rpc.FLOAT, 1.5, 1.5),
        (rpc.FLOAT, 2, 2.0),
        (rpc.FLOAT, ["inf"], math.inf),
        (rpc.FLOAT, ["-inf"], -math.inf),
        (rpc.STR, "x", "x"),
        (rpc.STR, "", ""),
        (rpc.BYTES, ["bytes", "eA=="], b"x"),
        (rpc.BYTES, ["bytes", "-_8"], b"\xfb\xff"),
        (rpc.BYTES, ["bytes", "eA", "ArrayBuffer"], b"x"),
        (rpc.BYTES, ["bytes", "eA", "Uint8Array"], b"x"),
        (rpc.DATETIME, ["date", 0], datetime(1970, 1, 1, tzinfo=UTC)),
        (rpc.DATETIME, ["date", 1.0], datetime(1970, 1, 1, microsecond=1000, tzinfo=UTC)),
        (rpc.ANY, {"a": [[1]]}, {"a": [1]}),
    ],
    ids=shown,
)
def test_a_wire_form_of_the_type_is_decoded(codec: TypeCodec, wire: Any, value: Any) -> None:
    decoded = decode(codec, wire)
    assert decoded == value
    assert type(decoded) is type(value)


def test_nan_is_decoded() -> None:
    assert math.isnan(decode(rpc.FLOAT, ["nan"]))


@pytest.mark.parametrize(
    ("codec", "value", "message"),
    [
        (rpc.BOOL, 1, "it: expected bool, got int 1"),
        (rpc.INT, True, "it: expected int, got bool True"),
        (rpc.INT, 1.0, "it: expected int, got float 1.0"),
        (rpc.INT, "1", "it: expected int, got str '1'"),
        (rpc.INT, None, "it: expected int, got None"),
        (rpc.FLOAT, True, "it: expected float, got bool True"),
        (rpc.FLOAT, "1", "it: expected float, got str '1'"),
        (rpc.STR, b"x", "it: expected str, got an instance of bytes"),
        (rpc.STR, 5, "it: expected str, got int 5"),
        (rpc.BYTES, "x", "it: expected bytes, got str 'x'"),
        (rpc.DATETIME, 5, "it: expected datetime, got int 5"),
        (
            rpc.DATETIME,
            datetime(2024, 1, 1),
            (
                "it: expected a datetime with a time zone, such as value.replace(tzinfo=timezone.utc), "
                "got a naive datetime"
            ),
        ),
    ],
    ids=shown,
)
def test_a_value_of_another_type_is_refused_with_its_path(codec: TypeCodec, value: Any, message: str) -> None:
    assert refusal(lambda: encode(codec, value)) == message


@pytest.mark.parametrize(
    ("codec", "wire", "message"),
    [
        (rpc.NONE, 0, "it: expected None, got int 0"),
        (rpc.BOOL, 0, "it: expected bool, got int 0"),
        (rpc.BOOL, "true", "it: expected bool, got str 'true'"),
        (rpc.INT, True, "it: expected int, got bool True"),
        (rpc.INT, 1.5, "it: expected int, got float 1.5"),
        (rpc.INT, "1", "it: expected int, got str '1'"),
        (rpc.INT, None, "it: expected int, got None"),
        (rpc.INT, ["nan"], "it: expected int, got nan"),
        (rpc.INT, ["inf"], "it: expected int, got inf"),
        (rpc.INT, math.inf, "it: expected int, got float inf"),
        (rpc.INT, ["undefined"], "it: expected int, got undefined"),
        (rpc.FLOAT, True, "it: expected float, got bool True"),
        (rpc.FLOAT, ["bigint", "1"], "it: expected float, got an int"),
        (rpc.FLOAT, [["nan"]], "it: expected float, got a list of 1"),
        (rpc.STR, 5, "it: expected str, got int 5"),
        (rpc.STR, [["x"]], "it: expected str, got a list of 1"),
        (rpc.BYTES, "eA==", "it: expected bytes, got str 'eA=='"),
        (rpc.BYTES, ["bytes", "eA", "Int8Array"], "it: expected bytes, got bytes"),
        (rpc.DATETIME, "2024-01-01", "it: expected datetime, got str '2024-01-01'"),
        (rpc.DATETIME, ["date", None], "it: expected datetime, got a date"),
        (
            rpc.DATETIME,
            ["date", 1e15],
            "it: expected a date from year 1 to 9999, got WireDate(1000000000000000), which is out of range",
        ),
    ],
    ids=shown,
)
def test_a_wire_form_of_another_type_is_refused_with_its_path(codec: TypeCodec, wire: Any, message: str) -> None:
    assert refusal(lambda: decode(codec, wire)) == message


@pytest.mark.parametrize(
    "wire",
    [["bigint", "x"], ["bigint", "1" * 16385], ["bigint"], ["bigint", 5]],
    ids=["text", "long", "short", "number"],
)
def test_a_malformed_bigint_is_a_protocol_error(wire: Any) -> None:
    with pytest.raises(ProtocolError):
        decode(rpc.INT, wire)
