"""Strings, comments and lines of TypeScript: nothing that a schema says gets out of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_gen import ir
from capnweb_gen.backends.typescript import text

TEXTS = st.text(st.characters() | st.sampled_from("*/@{}`$\\\"'\u2028\u2029\u00a0\ufeff\ud800\r\n"), max_size=60)
LINE_ENDS = "\r\u2028\u2029\x0b\x0c\x85"


@given(TEXTS)
def test_a_string_is_one_line_and_means_what_it_was(value: str) -> None:
    written = text.string(value)
    assert not set(written) & {*LINE_ENDS, "\n", "`"} - set(value if "`" in value else "")
    assert json.loads(written) == value


@given(TEXTS)
def test_a_comment_ends_where_it_ends(value: str) -> None:
    written = text.comment(text.doc(value))
    assert written.count("*/") == (1 if written else 0)
    assert not written or written.endswith("*/\n")
    assert not set(written) & set(LINE_ENDS)
    written.encode("utf-8")


@given(TEXTS)
def test_nothing_in_a_docstring_is_a_tag(value: str) -> None:
    for line in text.doc(value):
        assert not line.lstrip().startswith("@")
        assert "{@" not in line.replace("\\{@", "")


@given(TEXTS, TEXTS)
def test_the_header_is_a_comment_to_its_end(origin: str, advice: str) -> None:
    written = text.header(origin, advice)
    assert all(line.startswith("// ") for line in written.split("\n"))
    assert not set(written) & set(LINE_ENDS)


@given(st.none() | st.booleans() | st.integers() | TEXTS)
def test_a_default_can_be_read_back_and_ends_no_quotes(value: str | bool | int | None) -> None:
    written = text.default(value)
    assert written.count("`") == 2
    assert not {"@", "*/"} & {written, *written}
    assert json.loads(written[1:-1]) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (ir.SpecialFloat(float="inf"), "`Infinity`"),
        (ir.SpecialFloat(float="-inf"), "`-Infinity`"),
        (ir.SpecialFloat(float="nan"), "`NaN`"),
    ],
)
def test_defaults_that_json_lacks_are_written_as_javascript_does(value: ir.SpecialFloat, written: str) -> None:
    assert text.default(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(True, "true"), (3, "3"), (-(2**53) + 1, "-9007199254740991"), (2**53, "9007199254740992n"), ("a", '"a"')],
)
def test_constants_are_of_the_type_as_which_they_arrive(value: ir.LiteralValue, written: str) -> None:
    assert text.literal(value) == written


def test_parameters_break_one_to_a_line_and_the_last_alone_keeps_its_brackets() -> None:
    long = [f"parameter_{number}: string" for number in range(5)]
    assert text.call("find", long[:1], ": void;", indent="  ") == "find(parameter_0: string): void;"
    broken = text.call("find", [*long, "...rest: string[]"], ": void;", indent="  ").split("\n")
    assert broken[1] == "    parameter_0: string,"
    assert broken[-2:] == ["    ...rest: string[]", "  ): void;"]
    options = "options: {\n  a: string;\n}"
    assert text.call("find", [options], ": void;", indent="  ") == "find(options: {\n    a: string;\n  }): void;"


def test_a_union_breaks_where_its_members_stand() -> None:
    members = [f"Record<string, {'A' * 30}{number} | B>" for number in range(3)]
    assert text.declared("of:", "A | B", ";", indent="  ") == "of: A | B;"
    assert text.declared("of:", " | ".join(members), ";", indent="  ").split("\n") == [
        "of:",
        *(f"    | {member}" for member in members[:-1]),
        f"    | {members[-1]};",
    ]


def test_what_is_in_brackets_or_strings_is_not_split() -> None:
    assert text.split('"a | b" | (A | B) | X<A | B> | (() => A)', " | ") == [
        '"a | b"',
        "(A | B)",
        "X<A | B>",
        "(() => A)",
    ]
