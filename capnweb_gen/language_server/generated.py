"""Where the parts of a schema are in the modules that were generated from it, and the other way round.

Rule: generated modules are looked at as they are on disk, or open in the editor. One that is out of date may lack what
is looked for; then there is no such place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from capnweb_gen import ir
from capnweb_gen.language_server.reading import Declared, Reading
from capnweb_gen.language_server.text import Place, Span, Text

STUB, TARGET = "Calls", "Target"
"""What the classes that have the methods of a stub, and those of a target, are called after the interface."""

_SUFFIXES = re.compile(r"(Blocking)?(Spec|Calls|Stub|Promise|Target)?|Fake|R")


@dataclass(frozen=True)
class Class:
    """A class in a module: where its name stands, the lines that it takes, and where the names of its members stand."""

    name: str
    span: Span
    lines: range
    members: dict[str, Span] = field(default_factory=dict[str, Span])


def classes_of(text: Text) -> dict[str, Class]:
    """The classes at the top level of a module. None are found in what is not Python at the moment."""
    try:
        tree = ast.parse(text.text)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return {node.name: _class(node, text) for node in tree.body if isinstance(node, ast.ClassDef)}


def _class(node: ast.ClassDef, text: Text) -> Class:
    members: dict[str, Span] = {}
    for statement in node.body:
        for name, line in _defined(statement):
            span = _find(name, line, text)
            if span is not None:
                members.setdefault(name, span)
    span = _find(node.name, node.lineno, text) or Span.of(node.lineno, 1, 0)
    return Class(node.name, span, range(node.lineno, (node.end_lineno or node.lineno) + 1), members)


def _defined(statement: ast.stmt) -> Iterator[tuple[str, int]]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name, statement.lineno
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name, statement.lineno
        case _:
            return


def _find(name: str, number: int, text: Text) -> Span | None:
    """A name in the line where it is given to something."""
    found = re.search(rf"\b{re.escape(name)}\b", text.line(number))
    return Span.of(number, found.start() + 1, len(name)) if found else None


def generated_from(schema: ir.Schema, reading: Reading) -> list[Path]:
    """The generated modules of a schema, whether or not they are there."""
    return [folder / schema.output for folder in reading.folders]


def schema_behind(path: Path, reading: Reading) -> ir.Schema | None:
    """The schema that a generated module was made from."""
    return next((one for one in reading.schemas.values() if path in generated_from(one, reading)), None)


def in_generated(name: str, member: str | None, classes: dict[str, Class]) -> list[Span]:
    """Where an interface or model, or a member of it, is in a generated module: of the stub, then of the target."""
    of_members = (f"{name}{STUB}", f"{name}Promise")[: 1 if f"{name}{STUB}" in classes else 2]
    owners = [*of_members, f"{name}{TARGET}"] if member else [f"{name}Stub", f"{name}{TARGET}", f"{name}Promise"]
    found = [classes[owner] for owner in owners if owner in classes]
    if member is None:
        return [one.span for one in found[:2]]
    return [one.members[member] for one in found if member in one.members]


def behind_generated(place: Place, schema: ir.Schema, classes: dict[str, Class], reading: Reading) -> Declared | None:
    """What in a schema a place in its generated module was made from."""
    inside = next((one for one in classes.values() if place.line in one.lines), None)
    if inside is None:
        return None
    owners: list[ir.Interface | ir.Model] = [*schema.interfaces, *schema.models]
    named = [(one.name, one, one.path) for one in owners]
    fitting = [
        one for one in named if inside.name.startswith(one[0]) and _SUFFIXES.fullmatch(inside.name[len(one[0]) :])
    ]
    if not fitting:
        return None
    name, owner, path = max(fitting, key=lambda one: len(one[0]))
    parts = owner.members if isinstance(owner, ir.Interface) else owner.fields
    before = [part for part, span in inside.members.items() if span.start.line <= place.line]
    member = next((one for one in parts if before and one.name == before[-1]), None)
    if member is not None:
        return reading.declared(member.position, member.name, schema, path)
    generic = owner.generic.origin.name if owner.generic else name
    return reading.declared(owner.position, generic, schema, path)
