"""Documents against the schemas of their formats, and values against documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT7, DRAFT202012

from capnweb_gen.backends.plugins import load
from capnweb_gen.compiler import compile_schemas
from tests.gen.golden_cases import GOLDEN

FORMATS = Path(__file__).parent / "formats"
# It brings no types, and what it validates has none either.
_jsonschema: Any = import_module("jsonschema")

GOLDEN_IR = sorted(GOLDEN.glob("*/ir.json"))
"""Every golden case that compiles, whatever Python can read it."""


def _format(name: str) -> Any:
    return json.loads((FORMATS / f"{name}.json").read_text("utf-8"))


_TOOLS = DRAFT7.create_resource(_format("json-schema-tools"))
_PUBLISHED: Registry[Any] = Registry[Any]().with_resources(
    [("https://meta.json-schema.tools/", _TOOLS), ("https://meta.json-schema.tools", _TOOLS)]
)


def made(backend: str, path: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> dict[str, Any]:
    """What a back end makes of a schema, or of IR: documents by path."""
    monkeypatch.chdir(GOLDEN.parents[2])
    compiled = compile_schemas([path], "x", load(backend).told(**options))
    assert compiled.diagnostics == ()
    return {name: json.loads(text) for name, text in compiled.files.items()}


def openrpc_faults(document: Any, version: str) -> list[str]:
    """What is wrong with a document of OpenRPC."""
    validator = _jsonschema.Draft7Validator(_format(f"openrpc-{version}"), registry=_PUBLISHED)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def schema_faults(schema: Any) -> list[str]:
    """What is wrong with a schema in JSON Schema 2020-12."""
    checked = _jsonschema.Draft202012Validator(_jsonschema.Draft202012Validator.META_SCHEMA)
    return [f"{error.json_path}: {error.message}" for error in checked.iter_errors(schema)]


def value_faults(value: Any, reference: str, documents: Mapping[str, Any], *, draft_7: bool = False) -> list[str]:
    """Why a value is not what a definition says.

    Args:
        value: as `json` reads it.
        reference: the definition, such as `users.schema.json#/$defs/User`.
        documents: by path.
        draft_7: whether they are in draft 7.
    """
    specification = DRAFT7 if draft_7 else DRAFT202012
    base = "https://example.org/"
    resources = [(base + path, specification.create_resource(document)) for path, document in documents.items()]
    cls = _jsonschema.Draft7Validator if draft_7 else _jsonschema.Draft202012Validator
    validator = cls({"$ref": base + reference}, registry=Registry[Any]().with_resources(resources))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def references(node: Any) -> Iterator[str]:
    """Everything that a document refers to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)
