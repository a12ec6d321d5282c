"""The back end `json-schema`: what models, enums, NewTypes and exceptions are on the wire, in JSON Schema 2020-12.

Rule: one document for each schema, which defines what the schema declares and refers to the documents beside it for the
rest. `forms` says what types are, `limits` what is said of their values, `definitions` what is declared.
"""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath

from capnweb_gen import graph, ir, naming
from capnweb_gen.backends.json_schema.definitions import Definitions, described, used
from capnweb_gen.backends.json_text import document

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def generate(schemas: tuple[ir.Schema, ...], command: str, /) -> dict[str, str]:
    """Make the documents.

    Args:
        schemas: all schemas of the run.
        command: what a reader should run instead of editing a file.
    """
    peers = graph.by_module(schemas)
    return {path_of(schema): document(_document(schema, peers, command)) for schema in schemas}


def path_of(schema: ir.Schema) -> str:
    """The path of the document of a schema: `shop/users.py` → `shop/users.schema.json`."""
    return PurePosixPath(schema.output).with_suffix(".schema.json").as_posix()


def _document(schema: ir.Schema, peers: graph.Peers, command: str) -> dict[str, object]:
    folder = posixpath.dirname(path_of(schema))
    definitions = Definitions(
        schema,
        peers,
        "#/$defs/",
        lambda other: posixpath.relpath(path_of(other), folder or "."),
        lambda reference: f"{reference.module}.{reference.name}",
    )
    for model in schema.models:
        definitions.model(ir.Reference(module=model.module, name=model.name), schema)
    for shape in used(schema):
        definitions.of(shape)
    for error in schema.errors:
        definitions.error(error, schema)
    for callback in schema.callbacks:
        definitions.callback(ir.Reference(module=schema.module, name=callback.name), schema)
    return {
        "$schema": DIALECT,
        "$comment": naming.notice(schema.path, command),
        "title": schema.module,
        **described(schema.doc),
        "$defs": definitions.made,
    }
