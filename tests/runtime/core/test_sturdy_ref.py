"""The codec of sturdy references, both ways, and the words with which it refuses: never those of a token."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.codecs import ANY
from capnweb_runtime.values import SturdyRef
from tests.runtime.codec_ends import decode, encode, read, refusal

REF = SturdyRef[Any]("a.b.c")


def test_it_is_a_string_and_comes_back() -> None:
    assert encode(rpc.STURDY_REF, REF) == "a.b.c"
    assert decode(rpc.STURDY_REF, "a.b.c") == read(rpc.STURDY_REF, "a.b.c") == REF
    assert decode(rpc.STURDY_REF, "x" * 4096).token == "x" * 4096


def test_it_is_a_string_where_any_value_may_travel() -> None:
    assert encode(ANY, {"ref": [REF]}) == {"ref": [["a.b.c"]]}


@pytest.mark.parametrize(
    ("wire", "came"),
    [
        ("", "one of 0"),
        ("secret" * 1000, "one of 6000"),
        (5, "int 5"),
        (None, "None"),
        ([["secret"]], "a list of 1"),
        ({"token": "secret"}, "an object"),
        (["bytes", "c2VjcmV0"], "bytes"),
    ],
)
def test_what_cannot_be_one_is_refused(wire: Any, came: str) -> None:
    said = refusal(lambda: decode(rpc.STURDY_REF, wire))
    assert said == f"it: expected a SturdyRef, a string of 1 to 4096 characters, got {came}"


@pytest.mark.parametrize("value", ["secret", rpc.Url("secret")])
def test_a_string_is_refused_with_what_to_write_and_not_shown(value: str) -> None:
    said = refusal(lambda: encode(rpc.STURDY_REF, value))
    assert said == "it: expected a SturdyRef, made of its token: SturdyRef(token), got a str"


def test_one_that_stands_elsewhere_is_not_shown() -> None:
    assert refusal(lambda: encode(rpc.STR, REF)) == "it: expected str, got an instance of SturdyRef"
    assert refusal(lambda: encode(rpc.list_of(rpc.INT), [REF])) == "it[0]: expected int, got an instance of SturdyRef"
