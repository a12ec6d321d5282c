"""Places in texts, as the compiler and as editors count them; and edits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capnweb_gen.language_server.text import Edit, Place, Span, Text
from tests.gen.language_server.editor import utf16

PARTS = st.sampled_from(["a", "ä", "𝄞", "\n", "\r\n", "\r", "\x0c", "\u2028", " "])
TEXTS = st.lists(PARTS, max_size=30).map("".join)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_end_where_those_of_python_do(newline: str) -> None:
    text = Text(newline.join(["a\x0cb\u2028c\x1cd\x85e", "", "f"]))
    assert text.lines == ["a\x0cb\u2028c\x1cd\x85e", "", "f"]
    assert text.newline == newline
    assert Text("one line").newline == "\n"


def test_characters_beyond_the_first_65536_take_two_units() -> None:
    text = Text("a𝄞b")
    assert [text.to_protocol(Place(1, column), utf16)[1] for column in (1, 2, 3, 4)] == [0, 1, 3, 4]
    assert [text.from_protocol(0, unit, utf16).column for unit in (0, 1, 2, 3, 4)] == [1, 2, 3, 3, 4]


def test_what_is_outside_of_a_text_is_moved_into_it() -> None:
    text = Text("ab\nc")
    assert text.from_protocol(9, 9, utf16) == Place(2, 2)
    assert text.from_protocol(0, 9, utf16) == Place(1, 3)
    assert text.to_protocol(Place(9, 9), utf16) == (1, 1)
    assert text.to_protocol(Place(0, 0), utf16) == (0, 0)
    assert text.line(9) == ""


@settings(deadline=None)
@given(TEXTS)
def test_a_place_is_the_same_after_there_and_back(written: str) -> None:
    text = Text(written)
    for number, line in enumerate(text.lines, 1):
        for column in range(1, len(line) + 2):
            place = Place(number, column)
            assert text.from_protocol(*text.to_protocol(place, utf16), utf16) == place


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_edits_make_another_text(before: str, after: str) -> None:
    text = Text(before)
    assert text.edited(text.edits_to(after)) == after
    assert (text.edits_to(after) == []) is (before == after)


def test_edits_are_of_the_lines_that_differ() -> None:
    text = Text("a\r\nb\r\nc\r\n")
    assert text.edits_to("a\r\nx\r\nc\r\n") == [Edit(Span(Place(2, 1), Place(3, 1)), "x\r\n")]


def test_several_edits_at_one_place_come_in_their_order() -> None:
    here = Span.of(1, 2, 0)
    assert Text("ab").edited([Edit(here, "1"), Edit(here, "2"), Edit(Span.of(1, 1, 1), "A")]) == "A12b"


def test_a_word_is_found_inside_and_at_its_end() -> None:
    text = Text("def get(self)")
    assert text.word(Place(1, 5)) == text.word(Place(1, 8)) == ("get", Span.of(1, 5, 3))
    assert text.word(Place(1, 20)) is None
    assert text.word(Place(5, 1)) is None
