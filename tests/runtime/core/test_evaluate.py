"""Expressions to values: what is accepted, what is malformed, and that nothing imported is lost on the way."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import ANY, INT
from capnweb_runtime.core.compound import ListCodec
from capnweb_runtime.core.evaluate import (
    CallArguments,
    Evaluator,
    NotDirect,
    decode_direct,
    parse_path,
)
from capnweb_runtime.core.hook import Hook
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.refs import PlainPromise, PlainStub
from capnweb_runtime.errors import ProtocolError, RangeError, RpcError
from capnweb_runtime.values import FORBIDDEN_KEYS, UNDEFINED, BigInt, WireDate
from tests.runtime.pair import SyncHost


class Counted(ErrorHook):
    """Counts what is done with it."""

    __slots__ = ("calls", "disposed")

    def __init__(self) -> None:
        super().__init__(ValueError("broken"))
        self.disposed = 0
        self.calls: list[Any] = []

    def call(self, path: Any, args: Any, expect: Any = None) -> Hook:
        self.calls.append((path, args.value))
        args.dispose()
        return Counted.__new__(Counted)._as(self)

    def _as(self, other: Counted) -> Counted:
        self.error, self.disposed, self.calls = other.error, 0, []
        return self

    def dispose(self) -> None:
        self.disposed += 1


class Source(Loopback):
    """Imports count; export 5 is there."""

    def __init__(self) -> None:
        super().__init__(SyncHost())
        self.imported: list[Counted] = []
        self.forgotten: list[Hook] = []
        self.own = Counted()

    def import_stub(self, import_id: int) -> Hook:
        self.imported.append(Counted())
        return self.imported[-1]

    def import_promise(self, import_id: int) -> Hook:
        return self.import_stub(import_id)

    def forget(self, hook: Hook) -> None:
        self.forgotten.append(hook)

    def own_export(self, export_id: int) -> Hook:
        if export_id != 5:
            raise ProtocolError(f"no such entry on exports table: {export_id}")
        return self.own


def value_of(wire: Any) -> Any:
    return Evaluator(Source()).payload(wire).value


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        (None, None),
        (True, True),
        (5, 5),
        (5.5, 5.5),
        ("x", "x"),
        ([[]], []),
        ([[1, [[2]], {"a": [[3]]}]], [1, [2], {"a": [3]}]),
        ({"a": None}, {"a": None}),
        ({"__class__": 1, "__init__": 2}, {"__class__": 1, "__init__": 2}),
        (["undefined"], UNDEFINED),
        (["inf"], math.inf),
        (["inf", 1], math.inf),
        (["-inf"], -math.inf),
        (["bigint", "5"], BigInt(5)),
        (["bigint", "1", 2], BigInt(1)),
        (["bytes", "eA=="], b"x"),
        (["date", 0], datetime(1970, 1, 1, tzinfo=UTC)),
        (["date", 0, 1], datetime(1970, 1, 1, tzinfo=UTC)),
        (["date", 1.5], datetime(1970, 1, 1, microsecond=1000, tzinfo=UTC)),
        (["date", -1.5], datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
        (["date", None], WireDate(None)),
        (["date", 8.64e15 + 1], WireDate(None)),
        (["date", math.inf], WireDate(None)),
        (["date", 8.64e15], WireDate(8.64e15)),
        (["date", -62135596800001], WireDate(-62135596800001)),
    ],
    ids=str,
)
def test_a_well_formed_expression_has_its_value(wire: Any, value: Any) -> None:
    assert value_of(wire) == value
    assert type(value_of(wire)) is type(value)


def test_nan_is_nan() -> None:
    assert math.isnan(value_of(["nan", 1]))


@pytest.mark.parametrize(
    "wire",
    [
        [],
        [1],
        [None],
        [1, 2],
        [[1], 2],
        [[], []],
        ["what"],
        ["__class__", 1],
        [{}],
        ["undefined", 1],
        ["date"],
        ["date", "0"],
        ["date", True],
        ["date", [0]],
        ["error"],
        ["error", "E"],
        ["error", 1, "m"],
        ["error", "E", 1],
        ["error", "E", "m", None, 1],
        ["error", "E", "m", None, [[]]],
        ["import"],
        ["import", "5"],
        ["import", None],
        ["import", True],
        ["import", 5, "path"],
        ["import", 5, [], 1],
        ["import", 5, [], [], 1],
        ["pipeline"],
        ["pipeline", 5, None],
        ["pipeline", 5, [None]],
        ["pipeline", 5, [["a"]]],
        ["pipeline", 5, [{}]],
        ["pipeline", 5, [True]],
        ["pipeline", 5, ["m"], {}],
        ["export"],
        ["export", "1"],
        ["export", 1.5],
        ["export", True],
        ["promise"],
        ["promise", None],
        ["remap", 5],
        ["remap", 5, [], []],
        ["remap", 5, [], [], [], 1],
        ["remap", "5", [], [], []],
        ["remap", 5, {}, [], []],
        ["remap", 5, [], {}, []],
        ["remap", 5, [], [], {}],
    ],
    ids=str,
)
def test_a_malformed_expression_is_refused_and_shown(wire: Any) -> None:
    with pytest.raises(ProtocolError, match="unknown special value: ") as caught:
        value_of([[1, wire]])
    assert caught.value.name == "TypeError"


@pytest.mark.parametrize("bad", [["export"], ["export", -1, 2], ["promise", -1], [], 5, None, ["import", "5"]], ids=str)
def test_a_malformed_capture_is_refused_and_the_others_given_back(bad: Any) -> None:
    source = Source()
    with pytest.raises(ProtocolError, match="unknown map capture"):
        Evaluator(source).payload(["remap", 5, [], [["export", -1], ["import", 5], bad], [None]])
    assert [hook.disposed for hook in source.imported] == [1]


@pytest.mark.parametrize(
    "wire", [["import", 6], ["pipeline", 6], ["remap", 6, [], [], []], ["pipeline", 6, [], []]], ids=str
)
def test_an_unknown_export_is_refused(wire: Any) -> None:
    with pytest.raises(ProtocolError, match="no such entry on exports table: 6"):
        value_of(wire)


def test_whatever_was_imported_is_given_back_when_an_expression_is_malformed() -> None:
    source = Source()
    with pytest.raises(ProtocolError):
        Evaluator(source).payload([[["export", -1], {"a": ["promise", -2]}, ["pipeline", 5, ["m"], []], ["what"]]])
    assert [hook.disposed for hook in source.imported] == [1, 1]
    assert source.own.calls == [(("m",), [])]


def nested(levels: int) -> Any:
    wire: Any = "leaf"
    for level in range(levels):
        wire = [[wire]] if level % 2 else {"a": wire}
    return wire


def test_255_levels_above_a_leaf_pass_and_256_do_not() -> None:
    assert value_of(nested(255))
    assert value_of(["error", "E", "m", None, {"a": nested(254)}])
    for wire in (nested(256), ["error", "E", "m", None, {"a": nested(255)}]):
        with pytest.raises(ProtocolError, match="maximum allowed message depth of 256") as caught:
            value_of(wire)
        assert caught.value.name == "TypeError"


def test_arguments_inside_an_expression_share_the_count() -> None:
    source = Source()
    Evaluator(source).payload([[["pipeline", 5, ["m"], [nested(253)]]]])
    with pytest.raises(ProtocolError, match="maximum allowed message depth"):
        Evaluator(source).payload([[["pipeline", 5, ["m"], [nested(254)]]]])


def test_keys_that_javascript_objects_inherit_are_evaluated_and_dropped() -> None:
    source = Source()
    wire = {key: ["export", -1] for key in sorted(FORBIDDEN_KEYS)}
    payload = Evaluator(source).payload({**wire, "kept": 1})
    assert payload.value == {"kept": 1}
    payload.dispose()
    assert [hook.disposed for hook in source.imported] == [1] * len(FORBIDDEN_KEYS)


def test_the_tree_that_came_in_stays_as_it_was() -> None:
    wire = [[{"toString": 1, "a": [[["promise", -1]]]}]]
    Evaluator(Source()).payload(wire)
    assert wire == [[{"toString": 1, "a": [[["promise", -1]]]}]]


class TestErrors:
    def test_a_name_that_python_has_arrives_as_that(self) -> None:
        assert type(value_of(["error", "ValueError", "m"])) is ValueError
        assert type(value_of(["error", "RangeError", "m"])) is RangeError

    def test_another_name_is_kept(self) -> None:
        error = value_of(["error", "MyError", "m"])
        assert type(error) is RpcError
        assert (error.name, error.message) == ("MyError", "m")

    def test_a_stack_is_ignored(self) -> None:
        assert value_of(["error", "TypeError", "m", "at f"]).args == ("m",)

    @pytest.mark.parametrize(
        "name", ["SystemExit", "KeyboardInterrupt", "StopIteration", "CancelledError", "Any", "__import__"]
    )
    def test_no_name_gives_an_exception_with_a_meaning_of_its_own(self, name: str) -> None:
        assert type(value_of(["error", name, "m"])) is RpcError

    def test_properties_arrive_and_those_of_the_error_itself_do_not_overwrite(self) -> None:
        error = value_of(
            ["error", "Error", "m", None, {"code": 5, "name": "x", "message": "y", "stack": "z", "valueOf": 1}]
        )
        assert error.props == {"code": 5}
        assert (error.name, error.message) == ("Error", "m")

    def test_a_cause_that_is_an_error_becomes_the_cause(self) -> None:
        error = value_of(["error", "TypeError", "m", None, {"cause": ["error", "RangeError", "deep"]}])
        assert isinstance(error.__cause__, RangeError)
        assert error.props == {}

    def test_a_cause_that_is_no_error_stays_a_property(self) -> None:
        assert value_of(["error", "TypeError", "m", None, {"cause": 5}]).props == {"cause": 5}


class TestCapabilities:
    def test_stubs_and_promises_belong_to_the_payload(self) -> None:
        source = Source()
        payload = Evaluator(source).payload({"a": ["export", -1], "b": [[["promise", -2]]]})
        assert type(payload.value["a"]) is PlainStub
        assert type(payload.value["b"][0]) is PlainPromise
        assert payload.hooks == source.imported
        payload.dispose()
        payload.dispose()
        assert [hook.disposed for hook in source.imported] == [1, 1]

    def test_where_a_promise_belongs_is_known(self) -> None:
        payload = Evaluator(Source()).payload({"a": ["promise", -1], "b": [[1, ["promise", -2]]]})
        places = [(container, key) for container, key, _ in payload.promises or ()]
        assert places == [(payload.value, "a"), (payload.value["b"], 1)]

    def test_a_promise_by_itself_is_the_root(self) -> None:
        payload = Evaluator(Source()).payload(["promise", -1])
        assert [(container, key) for container, key, _ in payload.promises or ()] == [(None, None)]

    def test_what_stands_after_the_id_of_an_export_is_ignored(self) -> None:
        assert type(value_of(["export", -1, 9])) is PlainStub

    def test_an_import_is_a_second_reference_to_our_own(self) -> None:
        source = Source()
        payload = Evaluator(source).payload(["import", 5])
        assert payload.value._hook is source.own

    def test_a_whole_float_is_an_id(self) -> None:
        assert type(value_of(["import", 5.0])) is PlainStub


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        ([], ()),
        (["a", 0, -1, ""], ("a", 0, -1, "")),
        ([1.0, "a"], (1, "a")),
        ([1.5, "a"], ("1.5", "a")),
    ],
    ids=str,
)
def test_a_path_has_strings_and_whole_numbers(wire: Any, path: Any) -> None:
    assert parse_path(["pipeline", 0, wire], wire) == path


class TestDirect:
    """Decoding in one pass, which can be taken back."""

    def test_data_needs_no_importer(self) -> None:
        assert decode_direct(ListCodec(INT), [[1, 2]], Source(), 0) == ([1, 2], [])

    def test_capabilities_belong_to_the_caller(self) -> None:
        source = Source()
        value, hooks = decode_direct(ListCodec(ANY), [[["export", -1], 5]], source, 0)
        assert hooks == source.imported
        assert value[0]._hook is hooks[0]

    @pytest.mark.parametrize(
        "wire",
        [
            ["promise", -2],
            ["pipeline", 5],
            ["pipeline", 5, ["a"]],
            ["pipeline", 5, ["m"], []],
            ["remap", 5, [], [], [None]],
        ],
        ids=str,
    )
    def test_what_needs_a_second_pass_takes_everything_back_and_starts_nothing(self, wire: Any) -> None:
        source = Source()
        with pytest.raises(NotDirect):
            decode_direct(ANY, [[["export", -1], wire]], source, 0)
        assert source.forgotten == source.imported
        assert source.own.calls == []
        assert all(hook.disposed == 0 for hook in source.imported)

    def test_a_wrong_type_takes_everything_back(self) -> None:
        source = Source()
        arguments = CallArguments([[[["export", -1]]]], source, 0)
        with pytest.raises(Mismatch):
            arguments.direct(ListCodec(INT))
        assert source.forgotten == source.imported

    def test_arguments_can_be_evaluated_again_afterwards(self) -> None:
        source = Source()
        arguments = CallArguments([["promise", -1]], source, 0)
        payload = arguments.payload()
        assert type(payload.value[0]) is PlainPromise


def test_a_promise_never_settles_by_being_evaluated() -> None:
    source = Source()
    payload = Evaluator(source).payload(["promise", -1])
    assert payload.resolving is None
    assert isinstance(source.imported[0].pull(), Cell)
