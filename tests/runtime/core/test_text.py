"""JSON text: what orjson does by itself, and what it would get wrong."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.core.text import dumps, loads
from capnweb_runtime.errors import ProtocolError


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (["push", ["pipeline", 0, ["a"], [1, "x"]]], b'["push",["pipeline",0,["a"],[1,"x"]]]'),
        ({"a": None, "b": [True, False]}, b'{"a":null,"b":[true,false]}'),
        ("é€𝄞", '"é€𝄞"'.encode()),
        (1.5, b"1.5"),
        ("\ud800", b'"\\ud800"'),
        (["é", "a\udfffb"], '["é","a\\udfffb"]'.encode()),
        ({"\udc00": 1}, b'{"\\udc00":1}'),
        (2**64, b"18446744073709551616"),
        (("a", ("b",)), b'["a",["b"]]'),
    ],
)
def test_text_is_compact_and_utf8(tree: Any, text: bytes) -> None:
    assert dumps(tree) == text


def test_nan_beside_a_lone_surrogate_is_refused_rather_than_written_as_a_literal() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(["\ud800", math.nan])


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("-0.0", -0.0),
        ("9007199254740993", 9007199254740993),
        ("1e400", math.inf),
        ("-1e400", -math.inf),
        ("1" * 400, math.inf),
        ("-" + "9" * 5000, -math.inf),
        ("18446744073709551616", 18446744073709551616.0),
        ('"\\ud800"', "\ud800"),
        ('"\\ud834\\udd1e"', "𝄞"),
        (b'["a", 1e400]', ["a", math.inf]),
        (" [1 ,\n2]\t", [1, 2]),
        ('{"a":1,"a":2}', {"a": 2}),
    ],
)
def test_reads_what_the_reference_reads(text: str | bytes, tree: Any) -> None:
    read = loads(text)
    assert read == tree
    assert type(read) is type(tree)


def test_a_big_integer_reads_as_the_nearest_double() -> None:
    assert loads("100000000000000000000000") == 1e23


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "nonsense",
        "[1,2",
        "[1,]",
        "{'a':1}",
        "NaN",
        "Infinity",
        "[-Infinity]",
        "[1] [2]",
        "01",
        "+1",
        '"\n"',
        "[" * 100_000,
        b"\xff\xfe",
        b'"\xc3\x28"',
        "\ufeff[1]",
    ],
)
def test_what_is_not_json_is_a_protocol_error(text: str | bytes) -> None:
    with pytest.raises(ProtocolError, match="not valid JSON"):
        loads(text)


JSON_TREES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON_TREES)
def test_what_is_written_reads_back(tree: Any) -> None:
    assert loads(dumps(tree)) == tree
    assert json.loads(dumps(tree)) == tree


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32-be", "utf-8-sig"])
def test_text_in_another_encoding_than_utf8_is_refused(encoding: str) -> None:
    with pytest.raises(ProtocolError, match="message is not valid JSON"):
        loads('["push",1]'.encode(encoding))


def test_half_a_surrogate_pair_in_the_bytes_is_no_utf8() -> None:
    with pytest.raises(ProtocolError, match="message is not valid JSON"):
        loads(b'["\xed\xa0\x80",1e400]')
