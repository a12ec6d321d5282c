"""What an example says of itself: the docstring of its package.

Rule: the first sentence says what it shows. After it, one line for each word under which it is to be found:

    feature: both ends call at once
    problem: members who vanish without a word
    pattern: presence with a lease

and, if its schemas are compiled in a special way, `compiled with: --fakes`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
KINDS = ("feature", "problem", "pattern")
_OPTIONS = "compiled with"


class HeaderError(Exception):
    """An example does not say what the index needs."""


@dataclass(frozen=True)
class Header:
    """What one example says of itself.

    Attributes:
        name: its folder, from examples/ on, with slashes: `chat`, `backend/flask`.
        summary: what it shows.
        words: under what it is found, by kind.
        options: with what its schemas are compiled.
    """

    name: str
    summary: str
    words: dict[str, tuple[str, ...]]
    options: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it is."""
        return EXAMPLES / self.name

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"examples.{self.name.replace('/', '.')}"

    @property
    def schemas(self) -> Path | None:
        """The folder that is compiled; None where there is none."""
        found = self.folder / "schemas"
        return found if found.is_dir() else None


def names() -> list[str]:
    """The examples in this form: the folders with an output.txt."""
    found = (path.parent.relative_to(EXAMPLES) for path in EXAMPLES.glob("**/output.txt"))
    return sorted(path.as_posix() for path in found if "node_modules" not in path.parts)


def header(name: str) -> Header:
    """Read what an example says of itself.

    Raises:
        HeaderError: it does not say what it shows, or under what it is found.
    """
    path = EXAMPLES / name / "__init__.py"
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) if path.is_file() else None
    if docstring is None:
        raise HeaderError(f"examples/{name}/__init__.py has no docstring that says what the example shows")
    words: dict[str, list[str]] = defaultdict(list)
    summary: list[str] = []
    for line in docstring.split("\n"):
        kind, colon, word = line.partition(": ")
        if colon and kind in (*KINDS, _OPTIONS):
            words[kind].append(word.strip())
        elif not words and line.strip():
            summary.append(line.strip())
    missing = [kind for kind in KINDS if not words[kind]]
    if missing:
        raise HeaderError(f"examples/{name}/__init__.py names no {missing[0]}: write a line `{missing[0]}: ...`")
    options = tuple(option for line in words[_OPTIONS] for option in line.split())
    return Header(name, " ".join(summary), {kind: tuple(words[kind]) for kind in KINDS}, options)


def headers() -> list[Header]:
    """The headers of all examples, by name."""
    return [header(name) for name in names()]
