"""Names: from Python to the wire, and to generated modules."""

from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capnweb_gen import naming

IDENTIFIERS = st.from_regex(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*", fullmatch=True)


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("me", "me"),
        ("get_profile", "getProfile"),
        ("getProfile", "getProfile"),
        ("a_b_c", "aBC"),
        ("sha256_of", "sha256Of"),
    ],
)
def test_camel_case_joins_words(name: str, wire: str) -> None:
    assert naming.wire_name(name, "camel") == wire


@given(IDENTIFIERS)
def test_names_travel_as_written_unless_a_case_is_chosen(name: str) -> None:
    assert naming.wire_name(name, "as-written") == name


@pytest.mark.parametrize("name", keyword.kwlist)
def test_the_underscore_after_a_keyword_is_dropped(name: str) -> None:
    assert naming.wire_name(f"{name}_", "as-written") == name


@pytest.mark.parametrize("name", ["list_", "type_", "match_", "from__", "_"])
def test_other_underscores_stay(name: str) -> None:
    assert naming.wire_name(name, "as-written") == name


def test_an_underscore_after_a_keyword_does_not_disturb_camel_case() -> None:
    assert naming.wire_name("from_", "camel") == "from"


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("AuthedApi", "authed_api"),
        ("HTTPServer", "http_server"),
        ("Api2Go", "api2_go"),
        ("X", "x"),
        ("already_snake", "already_snake"),
    ],
)
def test_snake_case_splits_where_words_begin(name: str, snake: str) -> None:
    assert naming.snake(name) == snake


@pytest.mark.parametrize("name", ["Profile", "URL", "X", "AuthedApi"])
def test_a_codec_is_never_called_like_the_class(name: str) -> None:
    assert naming.constant(name) != name
    assert naming.constant(name).isupper()


@pytest.mark.parametrize("name", sorted(naming.RESERVED_NAMES))
def test_attributes_of_promises_make_way_for_what_all_promises_have(name: str) -> None:
    assert naming.attribute(name, frozenset({name})) == f"{name}_"
    assert naming.attribute(name, frozenset({name, f"{name}_"})) == f"{name}__"


def test_other_attributes_keep_their_names() -> None:
    assert naming.attribute("name", frozenset({"name"})) == "name"


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("AuthedApi", "an AuthedApi"),
        ("Profile", "a Profile"),
        ("User", "a User"),
        ("Update", "an Update"),
        ("Unit", "a Unit"),
    ],
)
def test_articles_follow_the_sound(name: str, phrase: str) -> None:
    assert naming.with_article(name) == phrase
    assert naming.one_with_article(name) == phrase.capitalize()[0] + phrase[1:]


@pytest.mark.parametrize(
    ("value", "case"), [("camel", "camel"), ("as-written", "as-written"), ("kebab", None), (3, None)]
)
def test_only_known_cases_are_cases(value: object, case: str | None) -> None:
    assert naming.as_case(value) == case


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("in-reply-to", "in_reply_to"),
        ("from", "from_"),
        ("", "name"),
        ("1st", "name_1st"),
        ("_id", "id"),
        ("@type", "type"),
        ("--", "name"),
        ("日本 語", "日本_語"),
        ("ﬁle", "file"),
        ("plain", "plain"),
        ("a\N{MEROITIC CURSIVE NUMBER ONE}b", "a_b"),
    ],
)
def test_a_text_gets_a_name_that_resembles_it(text: str, name: str) -> None:
    assert naming.as_name(text) == name


@given(st.text())
def test_whatever_the_text_it_is_a_name(text: str) -> None:
    assert naming.is_name(naming.as_name(text))


@pytest.mark.parametrize("text", ["class", "None", "a-b", "1a", "", "a b", "ﬁle", "gro\N{COMBINING DIAERESIS}sse"])
def test_what_no_statement_could_name_is_no_name(text: str) -> None:
    assert not naming.is_name(text)


@pytest.mark.parametrize("text", ["match", "type", "größe", "_", "None_"])
def test_what_statements_can_name_is_one(text: str) -> None:
    assert naming.is_name(text)
