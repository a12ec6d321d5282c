"""A text as an editor shows it: its lines, and places in it as the protocol counts them.

Rule: inside, lines and columns are those of the compiler: from 1, in characters. The protocol's count from 0, in the
units that editor and server agreed on, of which a character may take several.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Units = Callable[[str], int]
"""How many units of the protocol a text takes."""

_LINE_END = re.compile(r"\r\n|\r|\n")  # what else Python's splitlines knows ends no line, here or in Python's source
_WHOLE_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, order=True)
class Place:
    """A line and a column."""

    line: int
    column: int


@dataclass(frozen=True, order=True)
class Span:
    """Where a part of a text begins, and where what follows it does."""

    start: Place
    end: Place

    @classmethod
    def of(cls, line: int, column: int, length: int) -> Span:
        """A part of one line."""
        return cls(Place(line, column), Place(line, column + length))

    def __contains__(self, place: Place) -> bool:
        return self.start <= place <= self.end


@dataclass(frozen=True, order=True)
class Edit:
    """A part of a text, and what to put in its place."""

    span: Span
    text: str


class Text:
    """The text of one file.

    Args:
        text: the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = _LINE_END.split(text)

    @property
    def newline(self) -> str:
        """What ends its first line."""
        found = _LINE_END.search(self.text)
        return found[0] if found else "\n"

    def line(self, number: int) -> str:
        """A line, without its end; of what is beyond the last, nothing is known."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def to_protocol(self, place: Place, units: Units) -> tuple[int, int]:
        """Line and character for the protocol. What is outside of the text is moved into it."""
        number = min(max(place.line, 1), len(self.lines))
        return number - 1, units(self.lines[number - 1][: max(place.column - 1, 0)])

    def from_protocol(self, line: int, character: int, units: Units) -> Place:
        """The place that the protocol means. Half a character counts as the whole."""
        number = min(max(line, 0), len(self.lines) - 1)
        found, passed = 0, 0
        for char in self.lines[number]:
            if passed >= character:
                break
            passed += units(char)
            found += 1
        return Place(number + 1, found + 1)

    def word(self, place: Place) -> tuple[str, Span] | None:
        """The word at a place, or that ends there."""
        for found in _WORD.finditer(self.line(place.line)):
            if found.start() <= place.column - 1 <= found.end():
                return found[0], Span.of(place.line, found.start() + 1, len(found[0]))
        return None

    def edited(self, edits: Sequence[Edit]) -> str:
        """The text after edits, none of which overlap. Of several at one place, the first comes first."""
        done, last = list[str](), 0
        for edit in sorted(edits, key=lambda edit: edit.span):
            start, end = self._offset(edit.span.start), self._offset(edit.span.end)
            done += [self.text[last:start], edit.text]
            last = end
        return "".join([*done, self.text[last:]])

    def edits_to(self, other: str) -> list[Edit]:
        """Edits, of whole lines, that make another text of this one."""
        ours, theirs = _whole_lines(self.text), _whole_lines(other)
        same = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
        return [
            Edit(Span(self._start(first), self._start(last)), "".join(theirs[a:b]))
            for kind, first, last, a, b in same
            if kind != "equal"
        ]

    def _start(self, index: int) -> Place:
        return Place(index + 1, 1) if index < len(self.lines) else self._end()

    def _end(self) -> Place:
        return Place(len(self.lines), len(self.lines[-1]) + 1)

    def _offset(self, place: Place) -> int:
        before = self.lines[: place.line - 1]
        ends = [found.end() - found.start() for found in _LINE_END.finditer(self.text)][: place.line - 1]
        return sum(map(len, before)) + sum(ends) + place.column - 1


def _whole_lines(text: str) -> list[str]:
    """Lines, with what ends them."""
    return _WHOLE_LINE.findall(text)
