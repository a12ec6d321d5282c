"""The words of a TypeError: where, what was expected, what came."""

from __future__ import annotations

from typing import Any

import pytest

from capnweb_runtime.core.broken import DISPOSED
from capnweb_runtime.core.mismatch import Mismatch, describe_value, describe_wire, value_mismatch, wire_mismatch
from capnweb_runtime.core.refs import PlainPromise, PlainStub


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


def test_what_came_can_be_kept_out_of_the_text() -> None:
    mismatch = value_mismatch("int", "secret").inside("pin").unshown()
    assert str(mismatch.error("it")) == "it.pin: expected int, got what is not to be shown"
