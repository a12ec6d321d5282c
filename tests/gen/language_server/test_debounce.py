"""When what has changed is looked at."""

from __future__ import annotations

from capnweb_gen.language_server.debounce import Debounce


def test_changes_are_looked_at_once_they_pause() -> None:
    waiting = Debounce[str](pause=0.25, longest=10)
    assert waiting.next() is None
    waiting.changed("a", 1.0)
    waiting.changed("a", 1.125)
    assert waiting.next() == 1.375
    assert waiting.due(1.25) == []
    assert waiting.due(1.375) == ["a"]
    assert waiting.due(5) == []
    assert waiting.next() is None


def test_changes_that_do_not_pause_are_looked_at_all_the_same() -> None:
    waiting = Debounce[str](pause=0.25, longest=1)
    for step in range(9):
        waiting.changed("a", step / 8)
    assert waiting.next() == 1.0
    assert waiting.due(1.0) == ["a"]


def test_each_waits_for_itself_and_may_be_forgotten() -> None:
    waiting = Debounce[str](pause=1, longest=10)
    waiting.changed("a", 0)
    waiting.changed("b", 0.5)
    waiting.changed("c", 0.5)
    waiting.forget("c")
    waiting.forget("d")
    assert waiting.due(1) == ["a"]
    assert waiting.due(2) == ["b"]
