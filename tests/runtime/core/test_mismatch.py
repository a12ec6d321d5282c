"""The words of a TypeError: where, what was expected, what came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NotRequired, TypedDict

import pytest

from capnweb_runtime import codegen_api as rpc
from capnweb_runtime.core.broken import DISPOSED
from capnweb_runtime.core.loopback import Loopback
from capnweb_runtime.core.mismatch import (
    Mismatch,
    describe_value,
    describe_wire,
    located,
    value_mismatch,
    wire_mismatch,
)
from capnweb_runtime.core.refs import PlainPromise, PlainStub
from tests.runtime.codec_ends import encode, refusal
from tests.runtime.pair import SyncHost


def test_the_path_reads_from_the_outside_in() -> None:
    mismatch = Mismatch("int", "str 'x'").inside("x").inside(3).inside("points").inside("shape")
    assert str(mismatch.error("result")) == "result.shape.points[3].x: expected int, got str 'x'"


def test_the_path_stands_inside_the_quotes_of_an_argument() -> None:
    mismatch = Mismatch("int", "None").inside("x").inside(0)
    assert str(mismatch.error("argument 'points'")) == "argument 'points[0].x': expected int, got None"


def test_without_a_path_the_whole_is_named() -> None:
    assert str(Mismatch("int", "None").error("argument 'n'")) == "argument 'n': expected int, got None"


def test_the_error_is_a_type_error() -> None:
    assert type(Mismatch("int", "None").error("result")) is TypeError


def test_a_program_finds_path_and_types_as_properties() -> None:
    error = Mismatch("int", "str 'x'").inside("x").inside(3).inside("points").error("argument 'shape'", "shape")
    assert vars(error)["props"] == {"path": ["shape", "points", 3, "x"], "expected": "int", "actual": "str 'x'"}
    assert vars(Mismatch("int", "None").error("result"))["props"]["path"] == []


def test_the_first_step_of_arguments_is_the_parameter() -> None:
    name, rest = Mismatch("int", "None").inside(2).inside("rows").outermost()
    assert name == "rows"
    assert str(rest.error("argument 'rows'")) == "argument 'rows[2]': expected int, got None"


def test_without_steps_there_is_no_parameter() -> None:
    name, rest = Mismatch("at most 1 arguments", "2").outermost()
    assert name == ""
    assert str(rest.error("arguments")) == "arguments: expected at most 1 arguments, got 2"


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (None, "None"),
        (True, "bool True"),
        (5, "int 5"),
        (1.5, "float 1.5"),
        ("short", "str 'short'"),
        ([[]], "a list of 0"),
        ([[1, 2]], "a list of 2"),
        ({}, "an object"),
        (["bytes", "eA"], "bytes"),
        (["date", 0], "a date"),
        (["bigint", "1"], "an int"),
        (["error", "E", "m"], "an error"),
        (["undefined"], "undefined"),
        (["nan"], "nan"),
        (["-inf"], "-inf"),
        (["export", -1], "a capability"),
        (["import", 1], "a capability"),
        (["promise", -1], "a promise"),
        (["pipeline", 1], "a promise"),
        (["remap", 1, [], [], []], "a promise"),
        (["what"], "a value"),
        ([], "a malformed expression"),
        ([1], "a malformed expression"),
    ],
)
def test_a_wire_form_is_described_in_a_few_words(wire: Any, words: str) -> None:
    assert describe_wire(wire) == words
    assert wire_mismatch("x", wire).actual == words


class Shouting:
    def __repr__(self) -> str:
        raise AssertionError("a repr of the application must not run")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (False, "bool False"),
        (Shouting(), "an instance of Shouting"),
        ([1], "an instance of list"),
        (date(2024, 1, 31), "date 2024-01-31"),
        (datetime(2024, 1, 31, tzinfo=UTC), "datetime 2024-01-31 00:00:00+00:00"),
        (PlainStub(DISPOSED), "PlainStub"),
        (PlainPromise(DISPOSED), "PlainPromise"),
    ],
)
def test_a_value_is_described_in_a_few_words(value: Any, words: str) -> None:
    assert describe_value(value) == words
    assert value_mismatch("x", value).actual == words


def test_a_long_text_is_cut() -> None:
    words = describe_value("x" * 5000)
    assert words == "str '" + "x" * 36 + "..."


def test_a_very_large_int_is_described_by_its_size() -> None:
    assert describe_value(10**5000) == "int of 16610 bits"


# ---- the field of a model that is at fault


@dataclass
class Point:
    x: Any = 1
    label: Any = "a"
    more: Any = field(default_factory=dict[str, Any])
    model_extra: Any = None


class Movie(TypedDict):
    title: Any
    year: NotRequired[Any]


DICT_INT = rpc.dict_of(rpc.INT)


def encode_point(value: Point, to: rpc.Exporter) -> rpc.Wire:
    wire = {"x": rpc.INT.encode(value.x, to), "label": rpc.STR.encode(value.__dict__["label"], to)}
    wire["more"] = DICT_INT.encode(value.more, to)
    return {**wire, **rpc.ANY.encode(value.model_extra or {}, to)}


def encode_movie(value: Movie, to: rpc.Exporter) -> rpc.Wire:
    wire = {"title": rpc.STR.encode(value["title"], to)}
    if "year" in value:
        wire["year"] = rpc.INT.encode(value["year"], to)
    return wire


def never(*_: Any) -> Any:
    raise NotImplementedError


POINT = rpc.model(Point, encode_point, never, never)
MOVIE = rpc.typed_dict(Movie, encode_movie, never, never)


@pytest.mark.parametrize(
    ("codec", "value", "place"),
    [
        (POINT, Point(x="1"), "it.x: expected int, got str '1'"),
        (POINT, Point(label=1), "it.label: expected str, got int 1"),
        (POINT, Point(more={"a": 1, "b": "c"}), "it.more.b: expected int, got str 'c'"),
        (POINT, Point(more={"constructor": 1}), "it.more: expected keys that peers keep, got 'constructor'"),
        (POINT, Point(model_extra={"constructor": 1}), "it: expected keys that peers keep, got 'constructor'"),
        (rpc.list_of(POINT), [Point(), Point(x="1")], "it[1].x: expected int"),
        (rpc.dict_of(rpc.optional(POINT)), {"k": Point(x="1")}, "it.k.x: expected int"),
        (MOVIE, {"title": 1}, "it.title: expected str"),
        (MOVIE, {"title": "t", "year": "y"}, "it.year: expected int"),
        (MOVIE, {}, "it: expected Movie, got a dict without the key 'title'"),
        (POINT, 5, "it: expected Point, got int 5"),
    ],
)
def test_the_field_that_has_no_wire_form_is_part_of_the_path(codec: rpc.Codec, value: Any, place: str) -> None:
    assert refusal(lambda: encode(codec, value)).startswith(place)


def test_what_fails_otherwise_when_it_is_asked_again_leaves_the_path_as_it_was() -> None:
    def encode_once(value: Any, to: rpc.Exporter) -> rpc.Wire:
        raise RuntimeError(value.x)

    mismatch = located(Mismatch("this", "that"), encode_once, Point(), Loopback(SyncHost()))
    assert str(mismatch.error("it")) == "it: expected this, got that"
    mismatch = located(Mismatch("this", "that"), lambda value, to: None, Point(), Loopback(SyncHost()))
    assert str(mismatch.error("it")) == "it: expected this, got that"


def test_what_came_can_be_kept_out_of_the_text() -> None:
    mismatch = value_mismatch("int", "secret").inside("pin").unshown()
    assert str(mismatch.error("it")) == "it.pin: expected int, got what is not to be shown"
