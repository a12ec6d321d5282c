"""Expressions of the wire in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_runtime.inspector.words import LONGEST, Words, path_text


def words() -> Words:
    return Words(lambda _, number: "Account" if number == -1 else "")


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ("a\nb", '"a\\nb"'),
        ([[1, [["x"]]]], '[1, ["x"]]'),
        ({"a": 1, "b": {"c": None}}, "{a: 1, b: {c: null}}"),
        ({"password": "hunter2", "user": "ada"}, '{password: •••, user: "ada"}'),
        (["undefined"], "undefined"),
        (["date", 0], "1970-01-01T00:00:00.000Z"),
        (["date", None], "date(null)"),
        (["bytes", "AAAA"], "‹3 bytes›"),
        (["bigint", "123"], "123"),
        (["error", "TypeError", "no"], "TypeError: no"),
        (["export", -1], "‹Account #-1›"),
        (["import", -7], "‹import #-7›"),
        (["pipeline", 3, ["name"]], "‹#3.name›"),
        (["pipeline", 3, ["of"], ["hunter2"]], "‹#3.of›(…)"),
        (["remap", 3, [], [], [1, 2]], "‹#3›.map(2 steps)"),
        (["blob", {}], "‹blob›"),
        ([], "(malformed)"),
        (["surprise", 1], "(malformed)"),
    ],
)
def test_each_kind_of_expression(wire: Any, said: str) -> None:
    assert words().value(wire) == said


def test_arguments_have_their_names_and_secrets_do_not_show() -> None:
    assert words().arguments(["ada", "hunter2", 3], ["user", "password"]) == 'user: "ada", password: •••, 3'
    assert words().arguments([["export", -1]], ["token"]) == "token: ‹Account #-1›"


def test_what_is_long_or_deep_is_cut() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [[deep]]
    for wire in ([["x" * 50_000] * 50], {"k" * 10_000: 1}, deep, ["error", "E" * 9_000, "m" * 9_000]):
        said = words().value(wire)
        assert len(said) <= LONGEST + 2
        assert "…" in said or "E" in said


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=20,
)


@given(
    st.lists(st.sampled_from(["export", "date", "bytes", "error", "pipeline", "remap", "bigint"]) | VALUES, max_size=5)
)
def test_whatever_arrives_can_be_said(wire: list[Any]) -> None:
    said = words().value(wire)
    assert len(said) <= 2 * LONGEST
    assert said.isprintable()
    assert len(path_text(wire, ".")) < 10_000
