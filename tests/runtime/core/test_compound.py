"""The codecs that are put together from others, both ways, and the words with which they refuse."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypedDict

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.compound import RecordCodec
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.refs import PlainPromise
from capnweb_runtime.errors import RpcError
from tests.runtime import example
from tests.runtime.codec_ends import decode, encode, read, refusal
from tests.runtime.example import Book, Counter, CounterStub, Desk, DeskStub, Point
from tests.runtime.ids import shown
from tests.runtime.pair import SyncHost


class Color(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("codec", "value", "wire"),
    [
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
        (example.COUNTER, CounterStub(ErrorHook(RpcError("never"))), ["export", 1]),
        (example.OPTIONAL_COUNTER, None, None),
        (example.LIST_COUNTER, [Counter(), Counter()], [[["export", 1], ["export", 2]]]),
        (example.DICT_COUNTER, {"a": Counter()}, {"a": ["export", 1]}),
        (example.CALL_INT, len, ["export", 1]),
        (RecordCodec(tuple, {0: rpc.INT, 1: rpc.STR}), (1, "a"), [[1, "a"]]),
        (RecordCodec(dict, {"n": rpc.INT}), {"n": 1}, {"n": 1}),
    ],
    ids=shown,
)
def test_a_value_of_the_type_is_encoded(codec: TypeCodec, value: Any, wire: Any) -> None:
    assert encode(codec, value) == wire


@pytest.mark.parametrize(
    ("codec", "wire", "value"),
    [
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
    ids=shown,
)
def test_a_wire_form_of_the_type_is_decoded(codec: TypeCodec, wire: Any, value: Any) -> None:
    for decoded in (decode(codec, wire), read(codec, wire)):
        assert decoded == value
        assert type(decoded) is type(value)


@pytest.mark.parametrize(
    ("codec", "value", "message"),
    [
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
        (
            example.COUNTER,
            DeskStub(ErrorHook(RpcError("never"))),
            "it: expected CounterTarget or CounterStub, got DeskStub",
        ),
        (
            example.COUNTER,
            len,
            "it: expected CounterTarget or CounterStub, got an instance of builtin_function_or_method",
        ),
        (example.COUNTER, None, "it: expected CounterTarget or CounterStub, got None"),
        (example.CALL_INT, 5, "it: expected a function, got int 5"),
    ],
    ids=shown,
)
def test_a_value_of_another_type_is_refused_with_its_path(codec: TypeCodec, value: Any, message: str) -> None:
    assert refusal(lambda: encode(codec, value)) == message


@pytest.mark.parametrize(
    ("codec", "wire", "message"),
    [
        (rpc.list_of(rpc.INT), [1], "it: expected a list of int, got a malformed expression"),
        (rpc.list_of(rpc.INT), [], "it: expected a list of int, got a malformed expression"),
        (rpc.list_of(rpc.INT), [[1], [2]], "it: expected a list of int, got a malformed expression"),
        (rpc.list_of(rpc.STR), "a", "it: expected a list of str, got str 'a'"),
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
    ids=shown,
)
def test_a_wire_form_of_another_type_is_refused_with_its_path(codec: TypeCodec, wire: Any, message: str) -> None:
    assert refusal(lambda: decode(codec, wire)) == message
    assert refusal(lambda: read(codec, wire)) == message.replace("it", "it.f", 1)


def test_a_list_that_was_read_is_not_the_one_of_the_message() -> None:
    wire: Any = [["a"]]
    read(rpc.list_of(rpc.STR), wire).append("b")
    assert wire == [["a"]]


@pytest.mark.parametrize("codec", [rpc.INT, rpc.list_of(rpc.INT)], ids=shown)
def test_a_field_that_is_missing_is_refused_with_its_path(codec: TypeCodec) -> None:
    missing = refusal(lambda: codec.read({}, "f", None))
    assert missing == f"it.f: expected {codec.label}, got nothing: the field is missing"


def test_a_dict_with_another_key_is_refused_without_a_crash() -> None:
    assert refusal(lambda: decode(RecordCodec(dict, {"n": rpc.INT}), {"m": 1})).startswith("it")


@pytest.mark.parametrize(
    "codec",
    [
        *(rpc.BOOL, rpc.INT, rpc.FLOAT, rpc.STR, rpc.BYTES, rpc.DATETIME, rpc.ANY, rpc.list_of(rpc.INT)),
        *(rpc.dict_of(rpc.INT), rpc.optional(rpc.INT), rpc.tuple_of(rpc.INT), rpc.literal_of(1)),
        *(example.POINT, example.COUNTER, example.CALL_INT),
    ],
    ids=shown,
)
def test_a_promise_may_stand_for_any_value(codec: TypeCodec) -> None:
    assert encode(codec, PlainPromise(ErrorHook(RpcError("never")))) == ["promise", 1]


def test_a_promise_may_stand_for_a_part() -> None:
    promise = PlainPromise(ErrorHook(RpcError("never")))
    assert encode(rpc.list_of(rpc.INT), [1, promise]) == [[1, ["promise", 1]]]
    assert encode(rpc.dict_of(rpc.INT), {"a": promise}) == {"a": ["promise", 1]}
    assert encode(rpc.tuple_of(rpc.INT, rpc.STR), (promise, "a")) == [[["promise", 1], "a"]]


class Taken(TypedDict):
    counter: Any
    kind: str


def tagged(kind: str) -> TypeCodec:
    """A dict that says what it is after the capability that it holds."""

    def encoded(value: Any, to: rpc.Exporter) -> Any:
        return {
            "counter": example.COUNTER.encode(value["counter"], to),
            "kind": rpc.literal_of(kind).encode(value["kind"], to),
        }

    return rpc.typed_dict(Taken, encoded, lambda wire, source: wire, lambda: rpc.RpcPromise, pure=False)


def test_what_a_wrong_member_of_a_union_has_exported_is_taken_back() -> None:
    class Watched(Counter):
        gone = 0

        def dispose(self) -> None:
            Watched.gone += 1

    union = rpc.tagged_union("kind", ("a", tagged("a")), ("b", tagged("b")))
    loopback = Loopback(SyncHost())
    assert union.encode({"counter": Watched(1), "kind": "b"}, loopback) == {"counter": ["export", 1], "kind": "b"}
    assert Watched.gone == 1
    loopback.dispose()
    assert Watched.gone == 2


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


# ---- many values of one type at once

LEAVES: list[TypeCodec] = [rpc.INT, rpc.STR, rpc.FLOAT, rpc.BOOL, rpc.BYTES]
NUMBERS: list[Any] = [0, 1, 2**53 - 1, 2**53, -(2**53), 2**70, 0.0, -0.0, 1.5, 3.0, float("nan"), float("inf"), True]
OTHERS: list[Any] = [None, "", "a", Color.RED, b"x", ["bigint", "5"], ["nan"], ["undefined"], [], {}]


def outcome(action: Callable[[], Any]) -> str:
    """What came of it, with the types of all parts."""
    try:
        return repr(action())
    except Mismatch as mismatch:
        return str(mismatch.error("it"))


@given(st.sampled_from(LEAVES), st.lists(st.sampled_from([*NUMBERS, *OTHERS]), max_size=3))
def test_a_container_of_scalars_converts_each_as_it_is_by_itself(codec: TypeCodec, values: list[Any]) -> None:
    to = Loopback(SyncHost())
    source = Evaluator(to)
    each = rpc.tuple_of(*[codec] * len(values))  # this one looks at nothing itself
    assert outcome(lambda: rpc.list_of(codec).encode(values, to)) == outcome(lambda: each.encode(values, to))
    assert outcome(lambda: rpc.list_of(codec).decode([values], source)) == outcome(
        lambda: list(each.decode([values], source))
    )
    named = {f"k{index}": value for index, value in enumerate(values)}
    fields = RecordCodec(dict, dict.fromkeys(named, codec))
    assert outcome(lambda: rpc.dict_of(codec).encode(named, to)) == outcome(lambda: fields.encode(named, to))
    assert outcome(lambda: rpc.dict_of(codec).decode(named, source)) == outcome(lambda: fields.decode(named, source))


@pytest.mark.parametrize("codec", LEAVES)
def test_a_list_on_the_wire_is_nobodys_value(codec: TypeCodec) -> None:
    value = [{rpc.INT: 1, rpc.STR: "a", rpc.FLOAT: 0.5, rpc.BOOL: True, rpc.BYTES: b"x"}[codec]]
    wire = rpc.list_of(codec).encode(value, Loopback(SyncHost()))
    assert wire[0] is not value
    assert rpc.list_of(codec).decode(wire, Evaluator(Loopback(SyncHost()))) is not wire[0]


def test_an_instance_of_a_subclass_is_sent_as_its_model() -> None:
    class Marked(Point):
        pass

    assert encode(POINTS, [Point(x=1), Marked(x=2)]) == [[{"x": 1, "y": 0}, {"x": 2, "y": 0}]]
    assert refusal(lambda: encode(POINTS, [Point(x=1), 5])) == "it[1]: expected Point, got int 5"


POINTS = rpc.list_of(example.POINT)
