"""From a name in a schema to what was made of it, and back: generated stubs and targets, and implementations.

Rule: what is not there is not shown. Generated modules and implementations are found in files as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from capnweb_gen import graph, ir
from capnweb_gen.frontends.python.files import schema_file
from capnweb_gen.language_server.documents import Documents
from capnweb_gen.language_server.family import family
from capnweb_gen.language_server.generated import (
    behind_generated,
    classes_of,
    generated_from,
    in_generated,
    schema_behind,
)
from capnweb_gen.language_server.hover import find_type
from capnweb_gen.language_server.implementations import Implementation, Target
from capnweb_gen.language_server.reading import Declared, Reading, Spot, source_of, spot_at
from capnweb_gen.language_server.service import Project
from capnweb_gen.language_server.text import Place

Named = tuple[ir.Schema, ir.Interface]


class Navigation:
    """Answers where things are, in one project.

    Args:
        project: the schemas.
        reading: what was read of them.
        documents: what is open.
    """

    def __init__(self, project: Project, reading: Reading, documents: Documents) -> None:
        self._project = project
        self._reading = reading
        self._documents = documents

    def definition(self, path: Path, place: Place) -> list[Declared]:
        """From a schema to generated code, or, at a type, to where that is declared; from elsewhere to the schema."""
        schema = self._reading.schema_of(path)
        if schema is not None:
            return list(self._from_schema(path, schema, place))
        text = self._documents.text(path)
        if text is None:
            return []
        made = schema_behind(path, self._reading)
        if made is not None:
            found = behind_generated(place, made, classes_of(text), self._reading)
            return [found] if found else []
        return list(self._from_implementation(path, place))

    def implementation(self, path: Path, place: Place) -> list[Declared]:
        """The classes that implement an interface, or their methods."""
        schema, spot = self._spot(path, place)
        if schema is None or spot is None or spot.owner is None:
            return []
        return [
            Declared(one.path, span)
            for one in self.implementations(self._having(spot.owner, spot.member, schema))
            for span in (
                [method.span for method in one.methods if method.name == spot.member] if spot.member else [one.span]
            )
        ]

    def implementations(self, having: list[Named]) -> list[Implementation]:
        """The classes that implement some interfaces."""
        return self._project.implementations.find(list(self._targets(having)), self._reading.folders)

    # ---- inside

    def _spot(self, path: Path, place: Place) -> tuple[ir.Schema | None, Spot | None]:
        """What is meant by a place in a schema, or in what was generated from it."""
        schema = self._reading.schema_of(path)
        if schema is None:
            made = schema_behind(path, self._reading)
            text = self._documents.text(path)
            found = behind_generated(place, made, classes_of(text), self._reading) if made and text else None
            if found is None:
                return None, None
            path, place, schema = found.path, found.span.start, self._reading.schema_of(found.path)
        text = self._documents.text(path)
        source = source_of(text, path) if text else None
        return schema, spot_at(source, text, place) if source and text else None

    def _from_schema(self, path: Path, schema: ir.Schema, place: Place) -> Iterator[Declared]:
        text = self._documents.text(path)
        source = source_of(text, path) if text else None
        spot = spot_at(source, text, place) if source and text else None
        if source is None or spot is None:
            return
        if spot.owner is None:
            found = find_type(spot.word, schema, source, self._reading)
            if found is not None and isinstance(found[0], ir.Interface | ir.Callback | ir.Model | ir.Error):
                there = found[0]
                name = there.generic.origin.name if not isinstance(there, ir.Error) and there.generic else there.name
                declared = self._reading.declared(there.position, name, found[1], there.path)
                yield from [declared] if declared else []
            return
        for name, home in self._made_of(spot.owner, schema):
            for module in generated_from(home, self._reading):
                generated = self._documents.text(module)
                spans = in_generated(name, spot.member, classes_of(generated)) if generated else []
                yield from (Declared(module, span) for span in spans)

    def _made_of(self, owner: str, schema: ir.Schema) -> Iterator[tuple[str, ir.Schema]]:
        interfaces = [(one.name, home) for one, home in self._reading.interfaces(owner, schema)]
        yield from interfaces or [(owner, schema)]

    def _from_implementation(self, path: Path, place: Place) -> Iterator[Declared]:
        """From a method of an implementation, or its name, to the schema."""
        everything = [(home, one) for home in self._reading.schemas.values() for one in home.interfaces]
        targets = {target.name: (target, named) for target, named in self._by_target(everything)}
        wanted = [target for target, _ in targets.values()]
        for one in self._project.implementations.in_file(path, wanted, targets.keys()):
            method = next((method for method in one.methods if place in method.span), None)
            for schema, interface in (targets[name][1] for name in sorted(one.targets)):
                if place in one.span:
                    yield from self._declared(interface, schema, None)
                elif method is not None:
                    yield from self._declared(interface, schema, method.name)

    def _declared(self, interface: ir.Interface, schema: ir.Schema, member: str | None) -> Iterator[Declared]:
        for there, home in graph.lineage(interface, schema, self._reading.schemas):
            if member is None:
                name = there.generic.origin.name if there.generic else there.name
                found = self._reading.declared(there.position, name, home, there.path)
            else:
                part = next((one for one in there.members if one.name == member), None)
                found = self._reading.declared(part.position, part.name, home, there.path) if part else None
            if found is not None:
                yield found
                return

    def _having(self, owner: str, member: str | None, schema: ir.Schema) -> list[Named]:
        """The interfaces that have a member; or else, one and those that inherit it."""
        named = self._reading.interfaces(owner, schema)
        if member is not None and named:
            return family(*named[0], member, self._reading.schemas)[1]
        mine = {(home.module, one.name) for one, home in named}
        return [
            (home, one)
            for home in self._reading.schemas.values()
            for one in home.interfaces
            for there, where in graph.lineage(one, home, self._reading.schemas)
            if (where.module, there.name) in mine
        ]

    def _targets(self, having: list[Named]) -> Iterator[Target]:
        yield from (target for target, _ in self._by_target(having))

    def _by_target(self, having: list[Named]) -> Iterator[tuple[Target, Named]]:
        for schema, interface in having:
            for folder in self._reading.folders or (self._project.place.folder / "generated",):
                package = schema_file(folder / "x.py", folder, given=True).module.rpartition(".")[0]
                module = PurePosixPath(schema.output).with_suffix("").as_posix().replace("/", ".")
                yield Target(f"{package}.{module}".lstrip("."), f"{interface.name}Target"), (schema, interface)
