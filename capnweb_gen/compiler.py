"""The compiler from end to end: schemas in, texts of generated modules out.

Rule: nothing is written here, and there are no texts while there are faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from capnweb_gen import graph, ir
from capnweb_gen.backends import python
from capnweb_gen.check import check
from capnweb_gen.errors import Diagnostic, in_order
from capnweb_gen.frontends.protocol import read_schemas
from capnweb_gen.lower.module import header, lower


@dataclass(frozen=True)
class Compiled:
    """What came of a run. `files` are texts by path relative to the output folder, and empty if there are
    diagnostics.
    """

    schemas: tuple[ir.Schema, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: dict[str, str]


def compile_schemas(arguments: Sequence[Path], command: str) -> Compiled:
    """Compile all schemas that files and folders name.

    Args:
        arguments: schema files, and folders of which each module is a schema.
        command: what the header of a generated file tells its reader to run.
    """
    schemas, faults = read_schemas(arguments)
    faults.extend(check(schemas))
    if faults:
        return Compiled(schemas, in_order(faults), {})
    peers = graph.by_module(schemas)
    files = {schema.output: python.render(lower(schema, peers, command)) for schema in schemas}
    package = python.render_package(header("", command))
    folders = {parent.as_posix() for name in files for parent in Path(name).parents}
    files.update({f"{folder}/__init__.py".removeprefix("./"): package for folder in folders})
    return Compiled(schemas, (), dict(sorted(files.items())))
