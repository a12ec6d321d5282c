"""The IR of a schema beside its generated module, for programs that ask at run time what they serve.

Rule: nobody imports it unless asked, so that it costs a program nothing. It changes when the schema says something
else, and not when lines move: all positions in it are the first of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import cast

from capnweb_gen import graph, ir
from capnweb_gen.backends.json_text import lines
from capnweb_gen.backends.python import layout
from capnweb_gen.backends.python.scope import relative
from capnweb_gen.backends.python.views import ReflectedView
from capnweb_gen.errors import Diagnostic

SUFFIX = "_ir"
_START = {"line": 1, "column": 1}
_PIECE = re.compile(r"\S*\s*")


def reflected_path(schema: ir.Schema) -> str:
    """Where the IR of a schema is written, relative to the output folder."""
    path = PurePosixPath(schema.output)
    return path.with_name(f"{path.stem}{SUFFIX}.py").as_posix()


def reflect(schema: ir.Schema, peers: graph.Peers, header: str) -> ReflectedView:
    """What is written of the IR of a schema.

    Args:
        schema: the schema.
        peers: all schemas of the run, by module.
        header: the first lines of the file.
    """
    needed = graph.needed(schema, peers) | {one.module for one in graph.imported(schema) if one.module in peers}
    modules = {module: "".join(relative(schema, peers[module])) for module in sorted(needed - {schema.module})}
    summary = f"The IR of {schema.path}, which `capnweb_runtime.reflection` reads."
    return ReflectedView(
        header=header,
        doc=layout.docstring(summary, indent=""),
        modules=tuple(f"{layout.string(module)}: {layout.string(name + SUFFIX)}" for module, name in modules.items()),
        schema=tuple(
            line
            for written in lines(_unplaced(schema.model_dump(mode="json")), layout.WIDTH)
            for line in _broken(written)
        ),
    )


def same_place(schemas: tuple[ir.Schema, ...]) -> list[Diagnostic]:
    """Schemas whose generated module would be where the IR of another one is to be."""
    places = {reflected_path(schema): schema for schema in schemas}
    hint = "rename one of them, or leave out reflection"
    return [
        Diagnostic(schema.path, 1, 1, f"this becomes {schema.output}, as the IR of {places[schema.output].path}", hint)
        for schema in schemas
        if schema.output in places
    ]


def _unplaced(node: object) -> object:
    """A node of the IR without the places at which things are declared."""
    if isinstance(node, dict):
        keyed = cast("dict[str, object]", node)
        return {key: _START if key == "position" else _unplaced(value) for key, value in keyed.items()}
    return [_unplaced(item) for item in cast("list[object]", node)] if isinstance(node, list) else node


def _broken(line: str) -> Iterator[str]:
    """A line of JSON as it stands in a Python string of three quotes, in which a backslash at the end goes on."""
    escaped = line.replace("\\", "\\\\")
    start = ""
    for piece in _PIECE.findall(escaped):
        while len(start) + len(piece) >= layout.WIDTH:
            if start:
                yield f"{start}\\"
                start = ""
                continue
            cut = layout.WIDTH - 1
            cut -= (len(piece[:cut]) - len(piece[:cut].rstrip("\\"))) % 2  # between two backslashes it would be none
            yield f"{piece[:cut]}\\"
            piece = piece[cut:]
        start += piece
    yield start
