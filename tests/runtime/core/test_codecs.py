"""Each codec both ways, and the words with which it refuses."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.compound import RecordCodec
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import DISPOSED, PlainPromise
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.text import dumps, loads
from capnweb_runtime.errors import ProtocolError
from tests.runtime import example
from tests.runtime.example import Book, Counter, CounterStub, Desk, DeskStub, Point
from tests.runtime.pair import SyncHost


def encode(codec: TypeCodec, value: Any) -> Any:
    return loads(dumps(codec.encode(value, Loopback(SyncHost()))))


def decode(codec: TypeCodec, wire: Any) -> Any:
    return codec.decode(wire, Evaluator(Loopback(SyncHost())))


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(Mismatch) as caught:
        action()
    return str(caught.value.error("it"))


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
        (rpc.list_of(rpc.INT), [1, 2], [[1, 2]]),
        (rpc.list_of(rpc.INT), (1, 2), [[1, 2]]),
        (rpc.list_of(rpc.INT), deque([1]), [[1]]),
        (rpc.list_of(rpc.INT), [], [[]]),
        (rpc.list_of(rpc.list_of(rpc.INT)), [[1], []], [[[[1]], [[]]]]),
        (rpc.dict_of(rpc.INT), {"a": 1}, {"a": 1}),
        (rpc.dict_of(rpc.INT), OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (rpc.dict_of(rpc.INT), {Color.RED: 1}, {"red": 1}),
        (rpc.optional(rpc.INT), None, None),
        (rpc.optional(rpc.INT), 0, 0),
        (rpc.tuple_of(rpc.INT, rpc.STR), (1, "a"), [[1, "a"]]),
        (rpc.tuple_of(rpc.INT, rpc.STR), [1, "a"], [[1, "a"]]),
        (rpc.tuple_of(), (), [[]]),
        (rpc.literal_of("a", 1, None, True), "a", "a"),
        (rpc.literal_of("a", 1, None, True), 1, 1),
        (rpc.literal_of("a", 1, None, True), True, True),
        (rpc.literal_of("a", 1, None, True), None, None),
        (example.POINT, Point(x=1), {"x": 1, "y": 0}),
        (
            example.BOOK,
            Book(title="t", pages=1, tags=["a"], place=Point(x=2, y=3)),
            {"title": "t", "pageCount": 1, "tags": [["a"]], "place": {"x": 2, "y": 3}},
        ),
        (example.COUNTER, Counter(), ["export", 1]),
        (example.COUNTER, CounterStub(DISPOSED), ["export", 1]),
        (example.OPTIONAL_COUNTER, None, None),
        (example.LIST_COUNTER, [Counter(), Counter()], [[["export", 1], ["export", 2]]]),
        (example.DICT_COUNTER, {"a": Counter()}, {"a": ["export", 1]}),
        (example.CALL_INT, len, ["export", 1]),
        (RecordCodec(tuple, {0: rpc.INT, 1: rpc.STR}), (1, "a"), [[1, "a"]]),
        (RecordCodec(dict, {"n": rpc.INT}), {"n": 1}, {"n": 1}),
    ],
    ids=repr,
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
        (rpc.list_of(rpc.INT), [[1, 2.0]], [1, 2]),
        (rpc.list_of(rpc.INT), [[]], []),
        (rpc.dict_of(rpc.INT), {"a": 1, "valueOf": "dropped"}, {"a": 1}),
        (rpc.optional(rpc.INT), None, None),
        (rpc.optional(rpc.INT), ["undefined"], None),
        (rpc.optional(rpc.INT), 5, 5),
        (rpc.tuple_of(rpc.INT, rpc.STR), [[1, "a"]], (1, "a")),
        (rpc.literal_of("a", 1, None), 1, 1),
        (rpc.literal_of("a", 1, None), None, None),
        (example.POINT, {"x": 1}, Point(x=1)),
        (example.POINT, {"x": 1.0, "y": ["undefined"]}, Point(x=1)),
        (example.POINT, {"x": 1, "more": "ignored"}, Point(x=1)),
        (example.BOOK, {"title": "t", "pageCount": 1}, Book(title="t", pages=1)),
        (RecordCodec(tuple, {0: rpc.INT, 1: rpc.STR}), [[1, "a"]], (1, "a")),
        (RecordCodec(list, {0: rpc.INT}), [[1]], [1]),
        (RecordCodec(dict, {"n": rpc.INT}), {"n": 1}, {"n": 1}),
    ],
    ids=repr,
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
        (rpc.list_of(rpc.INT), "12", "it: expected a list of int, got str '12'"),
        (rpc.list_of(rpc.INT), b"12", "it: expected a list of int, got an instance of bytes"),
        (rpc.list_of(rpc.INT), {"a": 1}, "it: expected a list of int, got an instance of dict"),
        (rpc.list_of(rpc.INT), None, "it: expected a list of int, got None"),
        (rpc.list_of(rpc.INT), iter([1]), "it: expected a list of int, got an instance of list_iterator"),
        (rpc.list_of(rpc.INT), [1, "a"], "it[1]: expected int, got str 'a'"),
        (rpc.list_of(rpc.list_of(rpc.INT)), [[1], [2, None]], "it[1][1]: expected int, got None"),
        (rpc.dict_of(rpc.INT), [("a", 1)], "it: expected an object of int, got an instance of list"),
        (rpc.dict_of(rpc.INT), {"a": "b"}, "it.a: expected int, got str 'b'"),
        (rpc.dict_of(rpc.INT), {5: 1}, "it: expected str as key, got int 5"),
        (rpc.optional(rpc.INT), "a", "it: expected int, got str 'a'"),
        (rpc.tuple_of(rpc.INT, rpc.STR), (1,), "it: expected a list of exactly 2, got an instance of tuple"),
        (rpc.tuple_of(rpc.INT, rpc.STR), (1, 2), "it[1]: expected str, got int 2"),
        (rpc.literal_of("a", 1), "b", "it: expected one of 'a', 1, got str 'b'"),
        (rpc.literal_of("a", 1), True, "it: expected one of 'a', 1, got bool True"),
        (rpc.literal_of("a", 1), 1.0, "it: expected one of 'a', 1, got float 1.0"),
        (example.POINT, {"x": 1}, "it: expected Point, got an instance of dict"),
        (example.BOOK, Point(x=1), "it: expected Book, got an instance of Point"),
        (example.COUNTER, Desk(), "it: expected CounterTarget or CounterStub, got an instance of Desk"),
        (example.COUNTER, DeskStub(DISPOSED), "it: expected CounterTarget or CounterStub, got DeskStub"),
        (
            example.COUNTER,
            len,
            "it: expected CounterTarget or CounterStub, got an instance of builtin_function_or_method",
        ),
        (example.COUNTER, None, "it: expected CounterTarget or CounterStub, got None"),
        (example.CALL_INT, 5, "it: expected a function, got int 5"),
    ],
    ids=repr,
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
        (rpc.DATETIME, ["date", 1e15], "it: expected a date between year 1 and 9999, got WireDate(1000000000000000)"),
        (rpc.list_of(rpc.INT), [1], "it: expected a list of int, got a malformed expression"),
        (rpc.list_of(rpc.INT), {}, "it: expected a list of int, got an object"),
        (rpc.list_of(rpc.INT), None, "it: expected a list of int, got None"),
        (rpc.list_of(rpc.INT), [[1, ["nan"]]], "it[1]: expected int, got nan"),
        (rpc.dict_of(rpc.INT), [[]], "it: expected an object of int, got a list of 0"),
        (rpc.dict_of(rpc.INT), {"a": None}, "it.a: expected int, got None"),
        (rpc.optional(rpc.INT), "a", "it: expected int, got str 'a'"),
        (rpc.tuple_of(rpc.INT, rpc.STR), [[1]], "it: expected a list of exactly 2, got a list of 1"),
        (rpc.tuple_of(rpc.INT, rpc.STR), [[1, 2]], "it[1]: expected str, got int 2"),
        (rpc.literal_of("a", 1), "b", "it: expected one of 'a', 1, got str 'b'"),
        (rpc.literal_of("a", 1), 1.0, "it: expected one of 'a', 1, got float 1.0"),
        (rpc.literal_of("a", 1), [[]], "it: expected one of 'a', 1, got a list of 0"),
        (example.POINT, None, "it: expected Point, got None"),
        (example.POINT, [[]], "it: expected Point, got a list of 0"),
        (example.POINT, {}, "it.x: expected int, got nothing: the field is missing"),
        (example.POINT, {"x": "1"}, "it.x: expected int, got str '1'"),
        (
            example.BOOK,
            {"title": "t", "pageCount": 1, "place": {"x": 1, "y": None}},
            "it.place.y: expected int, got None",
        ),
        (
            example.LIST_BOOK,
            [[{"title": "t", "pageCount": 1, "tags": [["a", 5]]}]],
            "it[0].tags[1]: expected str, got int 5",
        ),
        (example.COUNTER, {}, "it: expected CounterTarget or CounterStub, got an object"),
        (example.COUNTER, None, "it: expected CounterTarget or CounterStub, got None"),
        (example.COUNTER, ["export"], "it: expected CounterTarget or CounterStub, got a capability"),
        (example.CALL_INT, "f", "it: expected a function, got str 'f'"),
        (RecordCodec(tuple, {0: rpc.INT}), [[1, 2]], "it: expected a tuple of 1, got a list of 2"),
        (RecordCodec(dict, {"n": rpc.INT}), {"m": 1, "n": 1}, "it: expected a dict of 1, got an object"),
    ],
    ids=repr,
)
def test_a_wire_form_of_another_type_is_refused_with_its_path(codec: TypeCodec, wire: Any, message: str) -> None:
    assert refusal(lambda: decode(codec, wire)) == message


def test_a_dict_with_another_key_is_refused_without_a_crash() -> None:
    assert refusal(lambda: decode(RecordCodec(dict, {"n": rpc.INT}), {"m": 1})).startswith("it")


@pytest.mark.parametrize(
    "wire",
    [["bigint", "x"], ["bigint", "1" * 16385], ["bigint"], ["bigint", 5]],
    ids=["text", "long", "short", "number"],
)
def test_a_malformed_bigint_is_a_protocol_error(wire: Any) -> None:
    with pytest.raises(ProtocolError):
        decode(rpc.INT, wire)


@pytest.mark.parametrize(
    "codec",
    [
        *(rpc.BOOL, rpc.INT, rpc.FLOAT, rpc.STR, rpc.BYTES, rpc.DATETIME, rpc.ANY, rpc.list_of(rpc.INT)),
        *(rpc.dict_of(rpc.INT), rpc.optional(rpc.INT), rpc.tuple_of(rpc.INT), rpc.literal_of(1)),
        *(example.POINT, example.COUNTER, example.CALL_INT),
    ],
    ids=lambda codec: str(codec.label),
)
def test_a_promise_may_stand_for_any_value(codec: TypeCodec) -> None:
    assert encode(codec, PlainPromise(DISPOSED)) == ["promise", 1]


def test_a_promise_may_stand_for_a_part() -> None:
    promise = PlainPromise(DISPOSED)
    assert encode(rpc.list_of(rpc.INT), [1, promise]) == [[1, ["promise", 1]]]
    assert encode(rpc.dict_of(rpc.INT), {"a": promise}) == {"a": ["promise", 1]}
    assert encode(rpc.tuple_of(rpc.INT, rpc.STR), (promise, "a")) == [[["promise", 1], "a"]]


def test_only_data_is_pure() -> None:
    pure = [
        rpc.INT,
        rpc.list_of(rpc.INT),
        rpc.dict_of(rpc.STR),
        rpc.optional(rpc.BYTES),
        example.BOOK,
        rpc.tuple_of(rpc.INT),
    ]
    impure = [
        *(rpc.ANY, example.COUNTER, example.CALL_INT, example.LIST_COUNTER, example.DICT_COUNTER),
        *(example.OPTIONAL_COUNTER, rpc.tuple_of(rpc.INT, rpc.ANY), rpc.list_of(rpc.list_of(rpc.ANY))),
    ]
    assert [codec.pure for codec in pure] == [True] * len(pure)
    assert [codec.pure for codec in impure] == [False] * len(impure)


SCALARS: list[tuple[TypeCodec, st.SearchStrategy[Any]]] = [
    (rpc.BOOL, st.booleans()),
    (rpc.INT, st.integers()),
    (rpc.FLOAT, st.floats(allow_nan=False)),
    (rpc.STR, st.text(st.characters())),
    (rpc.BYTES, st.binary()),
    (
        rpc.DATETIME,
        st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(
            lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000)
        ),
    ),
    (rpc.literal_of("a", 1, None, True), st.sampled_from(["a", 1, None, True])),
    (example.POINT, st.builds(Point, x=st.integers(), y=st.integers())),
    (rpc.ANY, st.none() | st.integers() | st.text()),
]
KEYS = st.text(st.characters(), max_size=5).filter(lambda key: key not in {"toJSON", "valueOf"})


def typed() -> st.SearchStrategy[tuple[TypeCodec, Any]]:
    """A codec, and a value of its type."""
    leaf = st.sampled_from(SCALARS).flatmap(lambda pair: st.tuples(st.just(pair[0]), pair[1]))

    def containers(inner: st.SearchStrategy[tuple[TypeCodec, Any]]) -> st.SearchStrategy[tuple[TypeCodec, Any]]:
        return st.one_of(
            inner.map(lambda pair: (rpc.list_of(pair[0]), [pair[1]] * 2)),
            inner.map(lambda pair: (rpc.optional(pair[0]), pair[1])),
            inner.map(lambda pair: (rpc.optional(pair[0]), None)),
            st.tuples(inner, inner).map(lambda two: (rpc.tuple_of(two[0][0], two[1][0]), (two[0][1], two[1][1]))),
            st.tuples(KEYS, inner).map(lambda both: (rpc.dict_of(both[1][0]), {both[0]: both[1][1]})),
        )

    return st.recursive(leaf, containers, max_leaves=6)


@given(typed())
def test_what_is_encoded_is_decoded(pair: tuple[TypeCodec, Any]) -> None:
    codec, value = pair
    assert decode(codec, encode(codec, value)) == value
