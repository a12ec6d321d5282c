"""What a JSON text costs is known before it is parsed, and never taken for less."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.core.weight import (
    PIPELINED,
    bigint_work,
    slow_work,
    steps_of,
    tree_work,
    work_bound,
    work_of,
)

BEYOND = 1 << 40
DIGITS = 16_384
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=40,
)


def work(tree: Any, size: int) -> int:
    """The same, counted in the tree."""

    def parts(node: Any) -> int:
        if isinstance(node, str):
            return 8
        if isinstance(node, list):
            return 16 + 2 * max(0, len(node) - 1) + sum(map(parts, node))
        if isinstance(node, dict):
            return 16 + 8 * len(node) + 2 * max(0, len(node) - 1) + sum(map(parts, node.values()))
        return 0

    return 1 + (parts(tree) + size // 64) // 16


def bound(text: bytes, most: int = BEYOND) -> int:
    return work_bound(text, most, DIGITS)


def exact(text: bytes, most: int = BEYOND) -> int:
    return work_of(text, most, DIGITS)


@given(TREES, st.booleans())
def test_the_work_of_a_text_is_that_of_its_tree(tree: Any, ascii_only: bool) -> None:
    text = json.dumps(tree, ensure_ascii=ascii_only, separators=(",", ":")).encode("utf-8", "surrogatepass")
    assert exact(text) == work(tree, len(text))
    assert bound(text) >= exact(text)


@pytest.mark.parametrize(
    "text",
    [rb'"[,[,[\"[[["', rb'"\\\\",[', rb'"\\\"[",[', b'"unfinished [[[', b'"\\', b"", b'""""[', b"[[[["],
)
def test_any_bytes_have_a_weight(text: bytes) -> None:
    assert 1 <= exact(text) <= bound(text)


def test_what_stands_in_strings_is_left_out_where_that_decides() -> None:
    tree = ["," * 100_000, {"[": "{" * 1000}]
    text = json.dumps(tree).encode()
    assert bound(text, 1000) > 1000
    assert exact(text, 1000) == work(tree, len(text)) < 200


@pytest.mark.parametrize("backslashes", range(7))
@pytest.mark.parametrize("before", range(65_530, 65_540))
def test_an_escape_that_lies_across_two_pieces_is_one(before: int, backslashes: int) -> None:
    inside = "x" * before + "\\" * backslashes + '"[[[['
    text = json.dumps([inside, [inside]]).encode()
    assert exact(text) == work([inside, [inside]], len(text))


@pytest.mark.parametrize("count", [bound, exact])
def test_counting_ends_as_soon_as_it_is_known_that_there_is_too_much(count: Any) -> None:
    text = b"[{}," * 1_000_000
    pieces = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal pieces
        pieces += event == "c_call"

    sys.setprofile(profile)
    try:
        assert count(text, 1000) == 1001
    finally:
        sys.setprofile(None)
    assert pieces < 30


@pytest.mark.parametrize(
    "text",
    [b'""' * 1_000_000, b'"' + rb"\"" * 1_000_000 + b'"', b"\\" * 1_000_000],
    ids=["no JSON", "escapes", "backslashes"],
)
def test_no_text_is_searched_for_longer_than_it_is_worth(text: bytes) -> None:
    steps = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal steps
        steps += event == "c_call"

    sys.setprofile(profile)
    try:
        exact(text, 100)
        bound(text, 100)
    finally:
        sys.setprofile(None)
    assert steps < 1000


def expressions(expression: str, count: int) -> bytes:
    return ('["push",[[' + ",".join([expression] * count) + "]]]").encode()


def test_pipelined_expressions_count_for_more_than_they_look() -> None:
    plain, pipelined = expressions('["pipelino",0]', 1000), expressions('["pipeline",0]', 1000)
    for count in (bound, exact):
        assert count(pipelined, 4000) - count(plain, 4000) == 1000 * PIPELINED
        assert count(expressions('["pipel\\u0069ne",0]', 1000), 4000) > 4000


def test_long_bigints_count_by_the_square_of_their_length() -> None:
    digits = "9" * 16_000
    for count in (bound, exact):
        text = expressions(f'["bigint","{digits}"]', 30)
        assert count(text, 50_000) > 30 * bigint_work(16_000)
        assert count(expressions(f'["big\\u0069nt","{digits}"]', 100), 50_000) > 50_000
        assert count(expressions(f'["text","{digits}"]', 100), 50_000) < 3000
        assert count(expressions('["bigint","9"]', 1000), 50_000) < 2500


def test_what_a_bigint_costs_grows_faster_than_its_length() -> None:
    assert bigint_work(100) == 0
    assert bigint_work(16_384) > 3 * bigint_work(8_192) > 9 * bigint_work(4_096)


@given(TREES)
def test_a_tree_that_a_transport_has_parsed_costs_what_its_text_does(tree: Any) -> None:
    text = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    assert tree_work(tree, BEYOND) * 2 + 2 >= exact(text) - len(text) // 1024


def test_the_slow_parser_costs_more_than_the_fast_one() -> None:
    text = b"[" + b"1," * 10_000 + b"1e400]"
    assert slow_work(text, BEYOND) > 2500 > exact(text)
    assert slow_work(text.decode(), BEYOND) == slow_work(text, BEYOND)


def test_of_a_text_that_is_too_long_for_it_nothing_is_counted() -> None:
    text = b"," * 100_000
    assert len(text) // 1000 < slow_work(text, 100) < slow_work(text, BEYOND)


@pytest.mark.parametrize(
    ("instructions", "steps"),
    [
        ([0], 1),
        ([["pipeline", 0, ["name"]]], 2),
        ([["pipeline", 0]] * 9, 10),
        ([[[{}] * 300]], 300),
        ([[[0] * 300]], 20),
        ([{str(field): 0 for field in range(300)}], 75),
        (["x", {}, 1], 3),
    ],
    ids=["a number", "a property", "several", "objects", "numbers", "fields", "mixed"],
)
def test_instructions_take_as_many_steps_as_there_are_things_in_their_literals(
    instructions: list[Any], steps: int
) -> None:
    assert steps <= steps_of(instructions) <= steps * 1.1 + 2
