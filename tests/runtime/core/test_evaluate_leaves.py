"""Leaf expressions, in JavaScript's grammar."""

from __future__ import annotations

import base64
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.core.devaluate import ARRAY_TYPES, encode_int
from capnweb_runtime.core.evaluate_leaves import parse_base64, parse_bigint, parse_bytes, unknown
from capnweb_runtime.errors import ProtocolError
from capnweb_runtime.values import Uint8ClampedArray


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 0),
        ("   ", 0),
        ("\u00a0\ufeff\u2029", 0),
        ("5", 5),
        ("+5", 5),
        ("-5", -5),
        ("-0", 0),
        ("007", 7),
        (" \t\n5\r ", 5),
        ("0xff", 255),
        ("0XfF", 255),
        ("0o17", 15),
        ("0O17", 15),
        ("0b101", 5),
        ("0B1", 1),
        ("+" + "0" * 5000 + "5", 5),
    ],
)
def test_a_bigint_is_what_javascript_takes_for_one(text: str, value: int) -> None:
    assert parse_bigint(["bigint", text], 16384) == value


def test_a_bigint_may_be_longer_than_python_reads_at_once() -> None:
    assert parse_bigint(["bigint", "9" * 5000], 16384) == 10**5000 - 1
    assert parse_bigint(["bigint", "-" + "9" * 5000], 16384) == 1 - 10**5000
    assert parse_bigint(["bigint", "0x" + "f" * 16382], 16384) == 16**16382 - 1


@pytest.mark.parametrize(
    "text",
    [
        "1_000",
        "-0xff",
        "+0xff",
        "5n",
        "٥",
        "1.0",
        "1e3",
        "0x",
        "0b2",
        "0o8",
        "--5",
        "+-5",
        "- 5",
        "5 5",
        "x",
        "\u180e5",
    ],
)
def test_anything_else_is_no_bigint(text: str) -> None:
    with pytest.raises(ProtocolError, match=r"Cannot convert .* to a BigInt") as caught:
        parse_bigint(["bigint", text], 16384)
    assert caught.value.name == "SyntaxError"


def test_the_length_of_a_bigint_counts_sign_and_spaces() -> None:
    assert parse_bigint(["bigint", "-" + "1" * 9], 10) == -111111111
    for text in ("-" + "1" * 10, " " * 11, "1" * 11):
        with pytest.raises(ProtocolError, match="maximum length of 10 digits"):
            parse_bigint(["bigint", text], 10)


def test_a_long_bad_bigint_is_shown_in_part() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_bigint(["bigint", "z" * 16000], 16384)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("wire", [["bigint"], ["bigint", 5], ["bigint", None], ["bigint", ["5"]]], ids=str)
def test_a_bigint_without_text_is_unknown(wire: Any) -> None:
    with pytest.raises(ProtocolError, match=r'unknown special value: \["bigint"'):
        parse_bigint(wire, 16384)


@given(st.integers())
def test_integers_survive(value: int) -> None:
    wire = encode_int(value)
    assert (parse_bigint(wire, 16384) if isinstance(wire, list) else wire) == value


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", b""),
        ("eA==", b"x"),
        ("eA", b"x"),
        ("eA=", b"x"),
        ("+/8", b"\xfb\xff"),
        ("-_8", b"\xfb\xff"),
        ("-/8=", b"\xfb\xff"),
        (" e\nA ", b"x"),
        ("e*A*", b"x"),
        ("eéA", b"x"),
        ("e", b""),
        ("eHl6e", b"xyz"),
        ("eB", b"x"),
        ("eA==eA==", b"x"),
        ("====", b""),
        ("*", b""),
    ],
)
def test_base64_is_read_in_every_dialect_and_never_fails(text: str, data: bytes) -> None:
    assert parse_base64(text) == data


@given(st.text())
def test_no_text_makes_base64_fail(text: str) -> None:
    assert isinstance(parse_base64(text), bytes)


@given(st.binary())
def test_bytes_survive_in_each_dialect(data: bytes) -> None:
    assert parse_base64(base64.b64encode(data).decode()) == data
    assert parse_base64(base64.b64encode(data).decode().rstrip("=")) == data
    assert parse_base64(base64.urlsafe_b64encode(data).decode()) == data
    assert parse_base64(base64.encodebytes(data).decode()) == data


@pytest.mark.parametrize(
    ("marker", "container"),
    [
        ("Uint8Array", bytes),
        ("ArrayBuffer", bytearray),
        ("DataView", memoryview),
        ("Uint8ClampedArray", Uint8ClampedArray),
    ],
)
def test_a_marker_chooses_the_container(marker: str, container: type[Any]) -> None:
    value = parse_bytes(["bytes", "eHl6", marker], ARRAY_TYPES)
    assert type(value) is container
    assert bytes(value) == b"xyz"


@pytest.mark.parametrize(("marker", "typecode"), ARRAY_TYPES.items())
def test_a_marker_of_numbers_gives_an_array(marker: str, typecode: str) -> None:
    numbers = array(typecode, [1, 2])
    assert parse_bytes(["bytes", base64.b64encode(numbers.tobytes()).decode(), marker], ARRAY_TYPES) == numbers


def test_items_of_arrays_have_the_size_that_the_wire_gives_them() -> None:
    sizes = {marker: array(typecode).itemsize for marker, typecode in ARRAY_TYPES.items()}
    assert sizes == {
        "Int8Array": 1,
        "Int16Array": 2,
        "Uint16Array": 2,
        "Int32Array": 4,
        "Uint32Array": 4,
        "BigInt64Array": 8,
        "BigUint64Array": 8,
        "Float32Array": 4,
        "Float64Array": 8,
    }


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (["bytes", "eHl6", "Int16Array"], "Invalid byte length 3 for Int16Array; expected a multiple of 2"),
        (["bytes", "eA", "Nope"], "Unknown bytes type marker: Nope"),
        (["bytes", "eA", "N" * 100], "Unknown bytes type marker: " + "N" * 64),
        (["bytes", "eA", None], "Unknown bytes type marker type: object"),
        (["bytes", "eA", 5], "Unknown bytes type marker type: number"),
        (["bytes", "eA", True], "Unknown bytes type marker type: boolean"),
        (["bytes", "eA", ["Uint8Array"]], "Unknown bytes type marker type: object"),
        (["bytes"], 'unknown special value: ["bytes"]'),
        (["bytes", 5], 'unknown special value: ["bytes",5]'),
    ],
    ids=str,
)
def test_malformed_bytes_are_refused(wire: Any, message: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_bytes(wire, ARRAY_TYPES)
    assert str(caught.value) == message
    assert caught.value.name == "TypeError"


def test_what_stands_after_a_marker_is_ignored() -> None:
    assert parse_bytes(["bytes", "eA", "Uint8Array", 1], ARRAY_TYPES) == b"x"


def test_an_unknown_expression_is_shown_as_compact_json_and_cut() -> None:
    assert str(unknown(["what", 1, {"a": None}])) == 'unknown special value: ["what",1,{"a":null}]'
    long = unknown(["x" * 1000])
    assert len(long.shown) == 201
    assert long.shown.endswith("…")
    assert long.name == "TypeError"
