"""Reads the pages of `pages/`, and finds the one of a message.

A page is Markdown: `# CW-050: title`, then, indented, the messages that it is about, with `…` for what differs; then
prose, and the examples below the lines `Wrong:` and `Right:`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PAGES = Path(__file__).with_name("pages")
_TITLE = re.compile(r"# (CW-\d{3}): (.+)\n")
_MESSAGE = re.compile(r"^    (\S.*)$", re.MULTILINE)
_PROSE = re.compile(r"^(?=\S)", re.MULTILINE)
_LONGEST = 1_000
"""Letters of a message that are looked at: a schema may make it of any length, and what it is about comes first."""
_PLACE = r"(?:[^:]+: )?"
"""What a message may begin with: the member that is meant, or the parameter."""
_EXAMPLE = re.compile(r"^(Wrong|Right):\n\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Example:
    """A piece of code on a page.

    Attributes:
        right: whether it is as it should be.
        language: `python` or `ts`.
        code: what stands there.
    """

    right: bool
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class Page:
    """One kind of message.

    Attributes:
        code: as `CW-050`; it never changes, and is never given to another kind.
        title: what is wrong, in a few words.
        messages: what is said, with `…` for what differs.
        text: the page, in Markdown.
    """

    code: str
    title: str
    messages: tuple[str, ...]
    text: str

    @property
    def examples(self) -> list[Example]:
        """The examples, in the order of the page."""
        return [Example(kind == "Right", language, code) for kind, language, code in _EXAMPLE.findall(self.text)]


@cache
def pages() -> dict[str, Page]:
    """All pages, by code."""
    return {page.code: page for page in map(_read, sorted(PAGES.glob("CW-*.md")))}


def page_of(asked: str) -> Page | None:
    """The page of a code, such as `CW-050` or `50`, or of a message; None if there is none."""
    number = re.fullmatch(r"(?:cw-?)?(\d{1,3})", asked.strip(), re.IGNORECASE)
    code = f"CW-{int(number[1]):03}" if number else code_of(asked)
    return pages().get(code or "")


def code_of(message: str) -> str | None:
    """The code of a message; None if no page is about it.

    Of several that fit, the one counts that leaves the least open.
    """
    beginning = message[:_LONGEST]
    fitting = [(length, code) for length, pattern, code in _patterns() if pattern.fullmatch(beginning)]
    return max(fitting)[1] if fitting else None


@cache
def _patterns() -> list[tuple[int, re.Pattern[str], str]]:
    """Every message, how many letters of it are fixed, and its code."""
    found: list[tuple[int, re.Pattern[str], str]] = []
    for page in pages().values():
        for message in page.messages:
            pattern = _PLACE + ".*".join(map(re.escape, message.split("…")))
            found.append((len(message.replace("…", "")), re.compile(pattern, re.DOTALL), page.code))
    return found


def _read(path: Path) -> Page:
    text = path.read_text("utf-8")
    title = _TITLE.match(text)
    if title is None or title[1] != path.stem:
        raise ValueError(f"{path.name} has to begin with `# {path.stem}: title`")
    head = _PROSE.split(text[title.end() :].lstrip("\n"), maxsplit=1)[0]
    messages = _MESSAGE.findall(head)
    return Page(title[1], title[2], tuple(messages), text)
