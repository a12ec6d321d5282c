"""Parsing TypeScript with tree-sitter. Rule: the only module that imports it, which happens when the first file is
parsed.

Errors of syntax are told all at once, by file, line and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from capnweb_gen.errors import Diagnostic, column
from capnweb_gen.ir import Position

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_AT_MOST = 20  # faults of syntax that are told of one file: those behind the first few are mostly of its making
_VARIANCE = {b"in", b"out", b"in out"}
_IMPORT_TYPE = re.compile(rb"""\bimport\((["'])([^"'\n\\]+)\1\)(?=\.)""")
_HINT = "correct the line; nothing is written until every file can be read"


class MissingExtraError(Exception):
    """What parses TypeScript is not installed."""

    def __init__(self) -> None:
        super().__init__("reading TypeScript needs tree-sitter: pip install 'capnweb-gen[typescript]'")


@dataclass(frozen=True)
class Source:
    """A file that was parsed: what people call it, and its tree. `imported` are the files that types such as
    `import("./other").Note` are imported from, by the names that stand for them in the tree.
    """

    shown: str
    root: Node
    lines: tuple[bytes, ...]
    imported: dict[str, str]

    def position(self, node: Node) -> Position:
        """Where a node begins."""
        row, offset = node.start_point
        return Position(line=row + 1, column=column(self.lines[row].decode(errors="replace"), offset))


@cache
def _parser(*, tsx: bool) -> Parser:
    try:
        import tree_sitter  # noqa: PLC0415  # an extra: imported where it is used
        import tree_sitter_typescript as grammar  # noqa: PLC0415  # likewise
    except ImportError as error:
        raise MissingExtraError from error
    language = grammar.language_tsx() if tsx else grammar.language_typescript()
    return tree_sitter.Parser(tree_sitter.Language(language))


def parse(text: bytes, shown: str, *, tsx: bool = False) -> tuple[Source, list[Diagnostic]]:
    """Parse a file.

    Args:
        text: its bytes.
        shown: what to call it in messages.
        tsx: whether JSX may stand in it.

    Returns:
        Its tree, and what is wrong with its syntax.

    Raises:
        MissingExtraError: tree-sitter is not installed.
    """
    imported: dict[str, str] = {}
    tree = _parser(tsx=tsx).parse(_IMPORT_TYPE.sub(lambda found: _named(found, imported), text))
    source = Source(shown, tree.root_node, tuple(text.split(b"\n")), imported)
    return source, list(_faults(source)) if tree.root_node.has_error else []


def _named(found: re.Match[bytes], imported: dict[str, str]) -> bytes:
    """A name of the same length for `import("./other")`, which the grammar does not know everywhere."""
    name = f"$import{len(imported)}"
    padded = name.encode().ljust(len(found[0]), b"_")
    if len(padded) > len(found[0]):
        return found[0]
    imported[padded.decode()] = found[2].decode(errors="replace")
    return padded


def _faults(source: Source) -> Iterator[Diagnostic]:
    told: set[int] = set()
    for node in _broken(source.root):
        place = source.position(node)
        if place.line in told:
            continue
        told.add(place.line)
        if len(told) > _AT_MOST:
            return
        yield Diagnostic(source.shown, place.line, place.column, f"syntax error: {_described(node)}", _HINT)


def _broken(root: Node) -> Iterator[Node]:
    """The nodes that could not be read, outermost first; without recursion, since trees may be deep."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_missing or (node.type == "ERROR" and not _is_variance(node)):
            yield node
        elif node.has_error and node.type != "ERROR":
            waiting.extend(reversed(node.children))


def _is_variance(node: Node) -> bool:
    """`in` and `out` before a type parameter, which the grammar does not know and which say nothing about values."""
    parent = node.parent
    if parent is None or parent.type not in {"type_parameters", "type_parameter"}:
        return False
    return (node.text or b"").split() == [] or (node.text or b"").split()[0] in _VARIANCE


def _described(node: Node) -> str:
    if node.is_missing:
        return f"{node.type} is missing"
    words = (node.text or b"").decode(errors="replace").split()
    text = " ".join(words[:6])
    return f"cannot make sense of `{text[:40]}`" if text else "something is missing"
