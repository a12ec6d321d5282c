"""What is known of the schemas of one place: as they were read last, whole as far as they could be.

Rule: a schema that cannot be read at the moment is remembered as it was, so that a slip of the pen does not take away
what is shown of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from capnweb_gen import ir
from capnweb_gen.backends.plugins import PYTHON
from capnweb_gen.frontends.python.source import ModuleSource, SourceError, parse_source
from capnweb_gen.frontends.python.texts import encoded
from capnweb_gen.language_server.messages import Answer, Fault
from capnweb_gen.language_server.text import Place, Span, Text


@dataclass(frozen=True)
class Declared:
    """A part of a schema, and where it stands: an interface, a member, a parameter, a model, a field, an exception."""

    path: Path
    span: Span


@dataclass(frozen=True)
class Reading:
    """Schemas by module, the files they are in, and what was wrong with them."""

    schemas: Mapping[str, ir.Schema] = field(default_factory=dict[str, ir.Schema])
    paths: Mapping[str, Path] = field(default_factory=dict[str, Path])
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    folders: tuple[Path, ...] = ()
    problem: str | None = None

    def then(self, answer: Answer) -> Reading:
        """What is known after an answer."""
        schemas = {schema.module: schema for schema in answer.schemas}
        if answer.faults or answer.problem:
            schemas = {**self.schemas, **schemas}
        paths = {name: Path(path) for name, path in answer.paths.items()}
        python = tuple(Path(one.folder) for one in answer.outputs if one.backend == PYTHON)
        folders = python if answer.problem is None else self.folders
        return Reading(schemas, {**self.paths, **paths}, answer.faults, answer.warnings, folders, answer.problem)

    def schema_of(self, path: Path) -> ir.Schema | None:
        """The schema that a file is."""
        return next((one for one in self.schemas.values() if self.paths.get(one.path) == path), None)

    def interfaces(self, name: str, schema: ir.Schema) -> list[tuple[ir.Interface, ir.Schema]]:
        """The interfaces that a class of a schema became: itself, or one for each type that a generic was given."""
        found = [(one, schema) for one in schema.interfaces if one.name == name and one.generic is None]
        origin = ir.Reference(module=schema.module, name=name)
        made = [
            (one, home)
            for home in self.schemas.values()
            for one in home.interfaces
            if one.generic and one.generic.origin == origin
        ]
        return [*found, *made]

    def declared(self, position: ir.Position, name: str, schema: ir.Schema, path: str | None = None) -> Declared | None:
        """Where something stands. `path` is the file, as the IR calls it, if that is another than the schema's."""
        file = self.paths.get(path or schema.path)
        return None if file is None else Declared(file, Span.of(position.line, position.column, len(name)))

    def everything(self) -> Iterator[tuple[str, Declared]]:
        """All that has a name, and where it is declared: `Profile`, `Profile.name`, `Api`, `Api.get`."""
        for schema in self.schemas.values():
            for owner, path, parts in _owners(schema):
                for name, part, position in (("", owner.name, owner.position), *parts):
                    there = self.declared(position, part, schema, path)
                    if there is not None:
                        yield f"{owner.name}.{name}" if name else owner.name, there


Owner = ir.Interface | ir.Model | ir.Error | ir.Callback
Part = tuple[str, str, ir.Position]


def _owners(schema: ir.Schema) -> Iterator[tuple[Owner, str | None, list[Part]]]:
    for interface in schema.interfaces:
        yield interface, interface.path, [(one.name, one.name, one.position) for one in interface.members]
    for callback in schema.callbacks:
        yield callback, callback.path, []
    for model in schema.models:
        yield model, model.path, [(one.name, one.name, one.position) for one in model.fields]
    for error in schema.errors:
        yield error, error.path, [(one.name, one.name, one.position) for one in error.fields]


def source_of(text: Text, path: Path) -> ModuleSource | None:
    """What stands in a text; None if it is not Python at the moment."""
    try:
        return parse_source(encoded(text.text), str(path))
    except (SourceError, SyntaxWarning):
        return None


@dataclass(frozen=True)
class Spot:
    """What stands at a place in a schema: a class, a member of it, or a parameter of that; or else a word."""

    word: str
    span: Span
    owner: str | None = None
    member: str | None = None
    parameter: str | None = None


def spot_at(source: ModuleSource, text: Text, place: Place) -> Spot | None:
    """What a place in a schema is about; None if nothing is there that has a name."""
    found = text.word(place)
    if found is None:
        return None
    word, span = found
    start = ir.Position(line=span.start.line, column=span.start.column)
    everything = [*source.classes.values(), *(one for several in source.alternatives.values() for one in several)]
    for declared in everything:
        if declared.position == start:
            return Spot(word, span, declared.name)
        for entry in declared.body:
            name: str | None = getattr(entry, "name", None)
            if entry.position == start and name is not None:
                return Spot(word, span, declared.name, name)
            for parameter in getattr(entry, "parameters", ()):
                if parameter.position == start:
                    return Spot(word, span, declared.name, name, parameter.name)
    return Spot(word, span)
