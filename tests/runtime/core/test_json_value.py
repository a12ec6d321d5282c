"""Any value of JSON, and nothing else, in either direction."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.evaluate import Evaluator, NotDirect
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.objects.stub import RpcPromise
from capnweb_runtime.values import FORBIDDEN_KEYS, UNDEFINED, Url
from tests.runtime.codec_ends import decode, encode, refusal
from tests.runtime.pair import Counted, SyncHost

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
KEYS = st.text().filter(lambda key: key not in FORBIDDEN_KEYS)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@given(VALUES)
def test_any_json_comes_back(value: Any) -> None:
    assert json.dumps(decode(rpc.JSON, encode(rpc.JSON, value))).replace("-0.0", "0") == json.dumps(value).replace(
        "-0.0", "0"
    )


def test_arrays_and_big_integers_have_the_forms_of_the_wire() -> None:
    assert encode(rpc.JSON, {"a": [1, [2**60]]}) == {"a": [[1, [[["bigint", str(2**60)]]]]]}


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, {"b": b"x"}]}, "it.a[1].b: expected a value of JSON, got an instance of bytes"),
        ([math.nan], "it[0]: expected a value of JSON, where nan is none"),
        ([[-math.inf]], "it[0][0]: expected a value of JSON, where -inf is none"),
        ({"at": datetime(2024, 1, 1, tzinfo=UTC)}, "it.at: expected a value of JSON"),
        ({1: 2}, "it: expected str as key, got int 1"),
        ({"a": {"toString": 1}}, "it.a: expected keys that peers keep, got 'toString'"),
        ((1, 2), "it: expected a value of JSON, got an instance of tuple"),
        (UNDEFINED, "it: expected a value of JSON, got an instance of Undefined"),
        (Url("http://a/"), "it: expected a value of JSON, got an instance of Url"),
    ],
)
def test_what_is_no_json_is_not_sent(value: Any, place: str) -> None:
    assert refusal(lambda: encode(rpc.JSON, value)).startswith(place)


@pytest.mark.parametrize(
    ("wire", "place"),
    [
        ({"a": [[1, ["date", 0]]]}, "it.a[1]: expected a value of JSON, got a date"),
        (["undefined"], "it: expected a value of JSON, got undefined"),
        ([[["nan"]]], "it[0]: expected a value of JSON, got nan"),
        ({"a": {"b": ["export", -1]}}, "it.a.b: expected a value of JSON, got a capability"),
        (["bytes", "YWJj"], "it: expected a value of JSON, got bytes"),
        ([1], "it: expected a value of JSON, got a malformed expression"),
    ],
)
def test_what_is_no_json_is_not_read(wire: Any, place: str) -> None:
    assert refusal(lambda: decode(rpc.JSON, wire)).startswith(place)


def test_a_promise_may_stand_for_the_whole_and_for_parts() -> None:
    promise: RpcPromise[Any] = RpcPromise(Counted())
    assert encode(rpc.JSON, promise) == ["promise", 1]
    assert encode(rpc.JSON, {"a": [promise]}) == {"a": [[["promise", 1]]]}


def test_keys_that_peers_drop_are_dropped_with_what_is_in_them() -> None:
    assert decode(rpc.JSON, {"toString": 1, "a": {"__proto__": [[2]], "b": 3}}) == {"a": {"b": 3}}
    with pytest.raises(NotDirect):  # there may be a capability in it
        rpc.JSON.decode({"toString": [[1]]}, None)  # type: ignore[arg-type]  # as pure data is decoded


def test_depth_is_bounded_both_ways() -> None:
    deep: Any = 1
    for _ in range(300):
        deep = [deep]
    with pytest.raises(ValueError, match="maximum allowed depth"):
        encode(rpc.JSON, deep)
    wire: Any = 1
    for _ in range(300):
        wire = [[wire]]
    with pytest.raises(Mismatch, match="at most 256 levels"):
        rpc.JSON.decode(wire, Evaluator(Loopback(SyncHost())))
