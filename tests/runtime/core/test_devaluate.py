"""Values to expressions: exactly the known types, in exactly the protocol's form."""

from __future__ import annotations

import dataclasses
import enum
import math
import uuid
from array import array
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.core.broken import DISPOSED, ErrorHook
from capnweb_runtime.core.devaluate import devaluate, encode_float, encode_int
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.refs import PlainPromise, PlainStub
from capnweb_runtime.core.text import dumps, loads
from capnweb_runtime.errors import RangeError, RpcError
from capnweb_runtime.values import FORBIDDEN_KEYS, UNDEFINED, BigInt, Uint8ClampedArray, WireDate
from tests.runtime.example import Counter
from tests.runtime.ids import shown
from tests.runtime.pair import SyncHost


def expression(value: Any) -> Any:
    return loads(dumps(devaluate(value, Loopback(SyncHost()))))


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (None, None),
        (True, True),
        (0, 0),
        (-5, -5),
        (2**53 - 1, 2**53 - 1),
        (2**53, ["bigint", "9007199254740992"]),
        (-(2**53), ["bigint", "-9007199254740992"]),
        (BigInt(5), ["bigint", "5"]),
        (BigInt(-(2**70)), ["bigint", "-1180591620717411303424"]),
        (2**70, ["bigint", "1180591620717411303424"]),
        (1.5, 1.5),
        (3.0, 3.0),
        (1e300, 1e300),
        (math.nan, ["nan"]),
        (math.inf, ["inf"]),
        (-math.inf, ["-inf"]),
        ("text", "text"),
        ("", ""),
        ("lone \ud800", "lone \ud800"),
        ([], [[]]),
        ([1, [2]], [[1, [[2]]]]),
        ((1, 2), [[1, 2]]),
        ({}, {}),
        ({"a": [1], "b": {"c": None}}, {"a": [[1]], "b": {"c": None}}),
        ({"__class__": 1}, {"__class__": 1}),
        (b"", ["bytes", ""]),
        (b"x", ["bytes", "eA"]),
        (b"xyz", ["bytes", "eHl6"]),
        (b"\xfb\xff", ["bytes", "+/8"]),
        (bytearray(b"x"), ["bytes", "eA", "ArrayBuffer"]),
        (memoryview(b"x"), ["bytes", "eA", "DataView"]),
        (Uint8ClampedArray(b"x"), ["bytes", "eA", "Uint8ClampedArray"]),
        (array("B", [120]), ["bytes", "eA"]),
        (array("b", [-1]), ["bytes", "/w", "Int8Array"]),
        (array("H", [1]), ["bytes", "AQA", "Uint16Array"]),
        (array("d", [1.0]), ["bytes", "AAAAAAAA8D8", "Float64Array"]),
        (datetime(1970, 1, 1, tzinfo=UTC), ["date", 0]),
        (datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), ["date", 1704164645678]),
        (datetime(1970, 1, 1, microsecond=1999, tzinfo=UTC), ["date", 1]),
        (datetime(1969, 12, 31, 23, 59, 59, 998001, tzinfo=UTC), ["date", -1]),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), ["date", 0]),
        (datetime(1, 1, 1, tzinfo=UTC), ["date", -62135596800000]),
        (WireDate(None), ["date", None]),
        (WireDate(-62198755200000), ["date", -62198755200000]),
        (UNDEFINED, ["undefined"]),
        ([UNDEFINED, None], [[["undefined"], None]]),
    ],
    ids=shown,
)
def test_each_known_value_has_its_expression(value: Any, wire: Any) -> None:
    assert expression(value) == wire


def test_a_whole_date_is_sent_as_an_integer() -> None:
    assert dumps(devaluate(datetime(2024, 1, 2, tzinfo=UTC), Loopback(SyncHost()))) == b'["date",1704153600000]'


@pytest.mark.parametrize("digits", [3899, 3900, 4300, 4301, 7800, 7801, 16384])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_bigint_has_as_many_digits_as_a_peer_reads(digits: int, sign: int) -> None:
    count = digits - (sign < 0)
    value = sign * (10**count - 7)
    text = "9" * (count - 1) + "3"
    assert encode_int(value) == ["bigint", text if sign > 0 else f"-{text}"]


@pytest.mark.parametrize("value", [10**16384, -(10**16383), 1 << 10_000_000], ids=["digits", "sign", "huge"])
def test_a_longer_bigint_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="peers read up to 16384 digits"):
        encode_int(value)


@pytest.mark.parametrize(
    ("error", "wire"),
    [
        (ValueError("bad"), ["error", "ValueError", "bad"]),
        (Exception("plain"), ["error", "Error", "plain"]),
        (KeyError("k"), ["error", "KeyError", "k"]),
        (TypeError(), ["error", "TypeError", ""]),
        (RangeError("far"), ["error", "RangeError", "far"]),
        (RpcError("m", "MyError"), ["error", "MyError", "m"]),
        (RpcError("m", code=5, more=[1]), ["error", "Error", "m", None, {"code": 5, "more": [[1]]}]),
    ],
    ids=repr,
)
def test_an_error_has_type_and_message_and_no_stack(error: Exception, wire: Any) -> None:
    with pytest.raises(type(error)) as raised:
        raise error
    assert expression(raised.value) == wire


def test_an_error_travels_with_the_cause_that_was_named_for_it_but_not_with_its_context() -> None:
    named = ValueError("bad")
    named.__cause__ = KeyError("k")
    assert expression(named) == ["error", "ValueError", "bad", None, {"cause": ["error", "KeyError", "k"]}]
    during = ValueError("bad")
    during.__context__ = KeyError("k")
    during.add_note("a note")
    assert expression(during) == ["error", "ValueError", "bad"]


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    pass


@dataclasses.dataclass
class Point:
    x: int


class WithBrokenRepr:
    def __repr__(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Color.RED,
        Level.LOW,
        Text("x"),
        Point(1),
        Point,
        int,
        uuid.UUID(int=0),
        Decimal(1),
        date(2024, 1, 1),
        timedelta(1),
        {1, 2},
        frozenset(),
        range(3),
        complex(1),
        OrderedDict(a=1),
        WithBrokenRepr(),
        iter(()),
        array("l"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="Cannot serialize value"):
        expression(value)
    with pytest.raises(TypeError, match="Cannot serialize value"):
        expression({"inside": [value]})


@pytest.mark.parametrize("key", [1, None, b"x", ("a",), Text("x")], ids=repr)
def test_keys_are_strings(key: Any) -> None:
    with pytest.raises(TypeError, match="object keys are strings"):
        expression({key: 1})


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(TypeError, match="without a time zone"):
        expression(datetime(2024, 1, 1))


def nested(levels: int) -> Any:
    value: Any = "leaf"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_255_levels_above_a_leaf_pass_and_256_do_not() -> None:
    assert expression(nested(255))
    with pytest.raises(ValueError, match="exceeded maximum allowed depth"):
        expression(nested(256))


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(ValueError, match="contain cycles"):
        expression(value)


class Table(Loopback):
    """Knows one hook as the receiver's own."""

    def __init__(self, own: Any = None) -> None:
        super().__init__(SyncHost())
        self.own = own

    def import_id(self, hook: Any) -> int | None:
        return 7 if hook is self.own else None


def test_a_capability_is_exported() -> None:
    table = Table()
    stub = PlainStub(DISPOSED)
    wire = devaluate([stub, stub, Counter(), len, lambda: None], table)
    assert wire == [[["export", 1], ["export", 2], ["export", 3], ["export", 4], ["export", 5]]]
    table.dispose()


def test_a_promise_is_exported_as_one() -> None:
    assert devaluate(PlainPromise(DISPOSED), Table()) == ["promise", 1]


def test_what_the_receiver_knows_goes_by_its_id() -> None:
    hook = ErrorHook(ValueError("never used"))
    table = Table(hook)
    promise = PlainPromise(hook)
    assert devaluate(PlainStub(hook), table) == ["import", 7]
    assert devaluate(promise, table) == ["pipeline", 7]
    promise._path = ("a", 0)
    assert devaluate(promise, table) == ["pipeline", 7, ["a", 0]]


DATES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), timezones=st.just(UTC)).map(
    lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000)
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
    | st.binary().map(bytearray)
    | st.binary().map(Uint8ClampedArray)
    | DATES
    | st.just(UNDEFINED)
    | st.lists(st.integers(-(2**15), 2**15 - 1)).map(lambda items: array("h", items))
    | st.builds(WireDate, st.just(None) | st.integers(-(8 * 10**15), -(10**14)))
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(), max_size=5).filter(lambda key: key not in {"valueOf", "toJSON"}), inner, max_size=4
        )
    ),
    max_leaves=15,
)


def same(sent: Any, received: Any) -> bool:
    if type(sent) is int and type(received) is BigInt:  # what is beyond a double
        return sent == received and not -(2**53) < sent < 2**53
    if type(sent) is float and type(received) is int:  # JSON does not tell them apart
        return sent == received
    if type(sent) is not type(received):
        return False
    if isinstance(sent, list):
        return len(sent) == len(received) and all(map(same, sent, received))
    if isinstance(sent, dict):
        return list(sent) == list(received) and all(map(same, sent.values(), received.values()))
    return bool(sent == received)


@given(VALUES)
def test_what_is_sent_arrives(value: Any) -> None:
    table = Loopback(SyncHost())
    wire = loads(dumps(devaluate(value, table)))
    assert same(value, Evaluator(table).payload(wire).value)


@given(st.floats())
def test_a_float_never_reaches_json_as_nan_or_infinity(value: float) -> None:
    wire = encode_float(value)
    assert type(wire) is list or math.isfinite(wire)


@pytest.mark.parametrize("key", sorted(FORBIDDEN_KEYS))
def test_a_key_that_peers_drop_is_refused_with_its_place(key: str) -> None:
    with pytest.raises(Mismatch) as caught:
        expression({"list": [0, {"a": {"fine": 1, key: 2}}]})
    assert str(caught.value.error("it")).startswith(
        f"it.list[1].a: expected keys that peers keep, got {key!r}, which JavaScript"
    )
