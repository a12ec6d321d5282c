"""docs/protocol: the messages and pictures are those of sessions that take place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.site.drawing import LETTERS, lines
from tests.site.sequences import SESSION, UPDATE, page_of, pages, wire_of


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.stem)
def test_a_page_shows_what_is_on_the_wire(path: Path) -> None:
    page = page_of(path)
    made = {path: page.text, **page.pictures}
    stale = [one.name for one, text in made.items() if not one.exists() or one.read_text("utf-8") != text]
    if stale:
        pytest.fail(f"{', '.join(stale)} of docs/protocol would change; run: {UPDATE}", pytrace=False)


def test_every_picture_belongs_to_a_session() -> None:
    shown = {found["name"] for path in pages() for found in SESSION.finditer(path.read_text("utf-8"))}
    assert {picture.stem for path in pages() for picture in path.parent.glob("pictures/*.svg")} == shown


async def test_messages_of_both_ends_are_recorded_until_nothing_more_comes() -> None:
    seen = [str(message) for message in await wire_of("await api.authenticate('secret').me()", "here")]
    assert seen[0] == '-> ["push",["pipeline",0,["authenticate"],["secret"]]]'
    assert seen.count("<- " + '["resolve",2,1]') == 1
    assert seen[-1] == '-> ["release",2,1]'


def test_a_long_message_is_drawn_in_lines_that_lose_nothing() -> None:
    text = '["push",["pipeline",0,["say"],["two words, and more",' + "12345," * 40 + "1]]]"
    drawn = lines(text)
    assert "".join(drawn) == text
    assert len(drawn) > 2
    assert all(len(line) <= LETTERS for line in drawn)
