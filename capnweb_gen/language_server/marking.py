"""Writing `wire_name` beside a member of a schema, and taking it away.

Rule: edits of source, one line each, in the style of the lines around them.
"""

from __future__ import annotations

import ast
import re

from capnweb_gen.frontends.python.source import AttributeSource, FunctionSource, ModuleSource
from capnweb_gen.language_server.text import Edit, Place, Span, Text

MODULE, NAME = "capnweb_runtime.schema", "wire_name"
_DEF = re.compile(r"([ \t]*)(?:async\s+)?def\s")
_ANNOTATED = re.compile(r"(?:\w+\.)*Annotated\[.*\]", re.DOTALL)


def marked(entry: FunctionSource | AttributeSource, wire: str, text: Text, source: ModuleSource) -> set[Edit]:
    """What gives a member its name on the wire. It is nothing where the source is written in a way that is not known.

    Args:
        entry: the member.
        wire: the name.
        text: the schema.
        source: what stands in it.
    """
    local, imported = importing(text, source)
    mark = f'{local}("{wire}")' if wire.isprintable() and not set('"\\') & set(wire) else f"{local}({wire!r})"
    if isinstance(entry, FunctionSource):
        line = entry.position.line
        head = _DEF.match(text.line(line))
        return {Edit(Span.of(line, 1, 0), f"{head[1]}@{mark}{text.newline}"), *imported} if head else set()
    written = entry.annotation
    if written is None or "\n" in written.text:
        return set()
    span = Span.of(written.position.line, written.position.column, len(written.text))
    if _ANNOTATED.fullmatch(written.text):
        last = Span.of(span.end.line, span.end.column - 1, 0)
        return {Edit(last, f", {mark}"), *imported}
    annotated, more = importing(text, source, "typing", "Annotated")
    return {Edit(span, f"{annotated}[{written.text}, {mark}]"), *imported, *more}


def unmarked(entry: FunctionSource, text: Text) -> Edit | None:
    """What takes away the name on the wire that stands above a method; None if it shares its lines with others."""
    for decorator in entry.decorators:
        line = text.line(decorator.position.line)
        if decorator.function.rpartition(".")[2] == NAME and line.strip() == f"@{decorator.text}":
            return Edit(Span(Place(decorator.position.line, 1), Place(decorator.position.line + 1, 1)), "")
    return None


def importing(text: Text, source: ModuleSource, module: str = MODULE, name: str = NAME) -> tuple[str, set[Edit]]:
    """What something is called in a schema, and what imports it if nothing does; `wire_name` if nothing is said."""
    for local, origin in source.imports.items():
        if origin == (module, name):
            return local, set()
    local = name if name not in {*source.imports, *source.values, *source.classes} else f"{name}_"
    wanted = name if local == name else f"{name} as {local}"
    last = 0
    for statement in _statements(text):
        if isinstance(statement, ast.ImportFrom) and statement.module == module and not statement.level:
            line = text.line(statement.lineno)
            if statement.lineno == statement.end_lineno and not set("(#*;") & set(line):
                return local, {_joined(statement, wanted, line)}
        if isinstance(statement, ast.Import | ast.ImportFrom) or _is_docstring(statement):
            last = statement.end_lineno or statement.lineno
    before = text.newline if last and not text.line(last).lstrip().startswith(("from", "import", ")")) else ""
    at = Place(last + 1, 1)
    if last + 1 > len(text.lines):
        at, before = Place(len(text.lines), len(text.lines[-1]) + 1), text.newline
    return local, {Edit(Span(at, at), f"{before}from {module} import {wanted}{text.newline}")}


def _joined(statement: ast.ImportFrom, wanted: str, line: str) -> Edit:
    """An import with one name more."""
    names = [one.name if one.asname is None else f"{one.name} as {one.asname}" for one in statement.names]
    listed = ", ".join(sorted([*names, wanted], key=lambda name: (name[:1].islower(), name)))
    start = line.index(" import ") + len(" import ") + 1
    return Edit(Span.of(statement.lineno, start, len(line.rstrip()) - start + 1), listed)


def _statements(text: Text) -> list[ast.stmt]:
    try:
        return ast.parse("\n".join(text.lines)).body
    except (SyntaxError, ValueError, RecursionError):
        return []


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
