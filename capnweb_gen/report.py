"""Diagnostics as people read them: the place, the reason, the line of source with what is meant underlined, the fix.

Rule: a diagnostic says where its fault begins; how far it reaches is read from the source. A file that cannot be read,
or has changed since, costs the excerpt and nothing else.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from capnweb_gen.errors import Diagnostic, column

_TOKEN = re.compile(r"\w(?:\w|[\u0300-\u036f])*|->|\*\*|\S")
INDENT = "    "


class Sources:
    """The files that diagnostics name, each read once.

    Args:
        arguments: the files and folders that were compiled. Diagnostics name files relative to the projects of these.
    """

    def __init__(self, arguments: Sequence[Path] = ()) -> None:
        here = Path.cwd()
        above = [folder for argument in arguments for folder in (argument.absolute(), *argument.absolute().parents)]
        projects = [folder for folder in (*above, here, *here.parents) if (folder / "pyproject.toml").is_file()]
        self._roots = list(dict.fromkeys([*projects, here, *above]))
        self._files: dict[str, Source | None] = {}

    def find(self, file: str) -> Source | None:
        """The file that goes by this name in messages; None if it cannot be read."""
        if file not in self._files:
            texts = (text for root in self._roots if (text := _read(root / file)))
            self._files[file] = next((Source(text, python=file.endswith(".py")) for text in texts), None)
        return self._files[file]


class Source:
    """One file: its lines, and where what stands in them ends. Only of Python more is known than where words end."""

    def __init__(self, text: str, *, python: bool) -> None:
        self.lines = text.removesuffix("\n").split("\n")  # no other character ends a line of Python
        try:
            tree = ast.parse(text if python else "")
        except (SyntaxError, ValueError):
            tree = ast.Module([], [])
        self._ends: dict[tuple[int, int], int] = {}
        for line, start, end in self._spans(tree):
            self._ends[line, start] = max(end, self._ends.get((line, start), 0))

    def end(self, line: int, column: int) -> int:
        """The column after what begins at a place: an expression, a statement, or else a word. Counts from 1."""
        known = self._ends.get((line, column))
        if known is not None:
            return known
        word = _TOKEN.match(self.lines[line - 1], column - 1)
        return word.end() + 1 if word else column + 1

    def _spans(self, tree: ast.Module) -> Iterator[tuple[int, int, int]]:
        """Line, column and end of what a diagnostic may point at. What goes on in further lines ends with the first."""
        statements: list[ast.stmt] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt):
                statements.append(node)
            elif isinstance(node, ast.expr):
                start = self._column(node.lineno, node.col_offset)
                ends_here = node.end_lineno == node.lineno and node.end_col_offset is not None
                yield (
                    node.lineno,
                    start,
                    self._column(node.lineno, node.end_col_offset or 0) if ends_here else self._last(node.lineno),
                )
        for node in statements:
            if not isinstance(
                node, ast.AnnAssign | ast.Assign | ast.Expr
            ):  # those begin as their first expression does
                yield node.lineno, self._column(node.lineno, node.col_offset), self._last(node.lineno)

    def _column(self, line: int, offset: int) -> int:
        return column(self.lines[line - 1], offset)

    def _last(self, line: int) -> int:
        return len(self.lines[line - 1].partition("#")[0].rstrip()) + 1


def render(diagnostic: Diagnostic, sources: Sources, *, warning: bool = False) -> Text:
    """One diagnostic, with colours; `.plain` is the same without. A warning is called so."""
    colour = "bold yellow" if warning else "bold red"
    message = f"warning: {diagnostic.message}" if warning else diagnostic.message
    text = _head(diagnostic, message, sources, colour)
    return text.append_text(Text.assemble(INDENT, ("hint:", "bold green"), " ", diagnostic.hint))


def render_head(diagnostic: Diagnostic, sources: Sources, colour: str) -> Text:
    """A diagnostic without its hint, in a colour: the place, the reason, the line of source."""
    return _head(diagnostic, diagnostic.message, sources, colour)


def _head(diagnostic: Diagnostic, message: str, sources: Sources, colour: str) -> Text:
    code = (f" [{diagnostic.code}]", "dim") if diagnostic.code else ""
    text = Text.assemble((diagnostic.location, "bold"), ": ", (message, colour), code, "\n")
    source = sources.find(diagnostic.file)
    if source is not None and _is_inside(diagnostic, source):
        text.append_text(_excerpt(diagnostic, source, colour))
    return text


def _is_inside(diagnostic: Diagnostic, source: Source) -> bool:
    """Whether a place can be shown. What is told at the start of a blank line, or of data, concerns the whole file."""
    if diagnostic.line > len(source.lines):
        return False
    line = source.lines[diagnostic.line - 1]
    if (diagnostic.line, diagnostic.column) == (1, 1) and (not line.strip() or diagnostic.file.endswith(".json")):
        return False
    return diagnostic.column <= len(line) + 1


def _excerpt(diagnostic: Diagnostic, source: Source, colour: str) -> Text:
    start, end = diagnostic.column - 1, source.end(diagnostic.line, diagnostic.column) - 1
    return excerpt(source.lines[diagnostic.line - 1], diagnostic.line, start, end, colour)


def excerpt(line: str, number: int, start: int, end: int, colour: str) -> Text:
    """A line of source, and below it marks under a part of it.

    Args:
        line: the line.
        number: what to call it.
        start: characters before the part.
        end: characters up to its end.
        colour: style of the marks.
    """
    # Tabs stay tabs, and a wide character takes two cells: the marks then stand below what they mean in any terminal.
    before = "".join("\t" if character == "\t" else " " * cell_len(character) for character in line[:start])
    marks = "^" * max(cell_len(line[start:end]), 1)
    return Text.assemble(
        (f"{INDENT}{number} | ", "blue"),
        line,
        "\n",
        (f"{INDENT}{' ' * len(str(number))} | ", "blue"),
        before,
        (marks, colour),
        "\n",
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8-sig") if path.is_file() else None  # a pipe would keep its reader waiting
    except (OSError, UnicodeDecodeError):
        return None
