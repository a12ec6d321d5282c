"""Types that pydantic cannot check, found when a schema is imported: which one it was, where it stands, what to write.

Rule: pydantic tells the type in words only. What is not recognised in them is left to the general message.
"""

from __future__ import annotations

import ast
import re
import traceback
from collections.abc import Iterator, Mapping
from importlib.util import decode_source
from pathlib import Path

from capnweb_gen.errors import column
from capnweb_gen.frontends.python import texts
from capnweb_gen.frontends.python.failures import unchecked_name
from capnweb_gen.frontends.python.refusals import pydantic_cannot_check
from capnweb_gen.frontends.python.shapes import is_interface
from capnweb_gen.ir import Position

_WORD = re.compile(r"\w+")
_NOT_CLASSES = frozenset({"AsyncIterator", "AsyncIterable", "Request", "Response"})


def unchecked_type(
    error: Exception, path: Path, line: int, namespace: Mapping[str, object] | None = None
) -> tuple[Position, str, str] | None:
    """What to say of a type that pydantic gave up on and that can travel all the same: where, what, and a hint.

    Args:
        error: what importing raised, or making a model.
        path: the schema.
        line: where in it the error came from.
        namespace: what names mean there; if left out, what they meant when importing failed.
    """
    name = unchecked_name(error)
    meant = (_names_at(error, path) if namespace is None else namespace).get(name)
    if meant is None or not (is_interface(meant) or name in _NOT_CLASSES):
        return None
    places = sorted(_places(path, line, name))
    if places:
        return Position(line=places[0][0], column=places[0][1]), *pydantic_cannot_check(name)
    message = f"pydantic has no way to check {name}, which a type that is named here holds"
    return Position(line=line, column=1), message, "put that type into Capability[...], from capnweb_runtime.schema"


def _names_at(error: Exception, path: Path) -> Mapping[str, object]:
    """What names meant in the module of a file while it was executed."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == str(path):
            return frame.f_globals
    return {}


def _places(path: Path, line: int, name: str) -> Iterator[tuple[int, int]]:
    """Where a name is written in the statement that begins at a line."""
    text = decode_source(texts.content(path))
    lines = text.split("\n")
    for statement in ast.walk(ast.parse(text)):
        if isinstance(statement, ast.stmt) and statement.lineno == line:
            nodes = (node for annotation in _annotations(statement) for node in ast.walk(annotation))
            for node in nodes:
                if isinstance(node, ast.Name | ast.Constant) and name in _WORD.findall(_text(node)):
                    yield node.lineno, column(lines[node.lineno - 1], node.col_offset)


def _text(node: ast.Name | ast.Constant) -> str:
    return node.id if isinstance(node, ast.Name) else str(node.value)


def _annotations(statement: ast.stmt) -> Iterator[ast.expr]:
    for node in ast.walk(statement):
        written = getattr(node, "annotation", None) or getattr(node, "returns", None)
        if isinstance(written, ast.expr):
            yield written
