"""What the interfaces of a server say: members, fields, and what each of them gives, as types of the IR.

Rule: it only looks up. A type here is a list of alternatives, of which each has what can be asked of it; an empty one
is a type of which nothing is known, so that everything may be asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from capnweb_gen import graph, ir


@dataclass(frozen=True)
class Part:
    """A type, and the schema that names it, in which models from elsewhere are described."""

    shape: ir.TypeShape
    schema: ir.Schema


Type = tuple[Part, ...]
UNKNOWN: Type = ()


@dataclass(frozen=True)
class Attribute:
    """What can be asked of something by name: a method, a property, or a field of a model.

    Attributes:
        owner: the interface or model, as the schema calls it.
        name: in the schema.
        wire: on the wire.
        doc: what the schema says of it.
        deprecated: why it should not be used any more; None if it may be.
        method: what it is, if it can be called.
        part: type of what it gives, or its call.
    """

    owner: str
    name: str
    wire: str
    doc: str | None
    deprecated: str | None
    method: ir.Method | None
    part: Part


class Described:
    """What is said of a server.

    Args:
        schemas: its schemas.
        main: the interfaces of its main object.
    """

    def __init__(self, schemas: tuple[ir.Schema, ...], main: Sequence[ir.Reference]) -> None:
        self._peers = graph.by_module(schemas)
        self.main: Type = tuple(
            Part(ir.InterfaceShape(interface=one), self._peers[one.module]) for one in main if one.module in self._peers
        )

    def alternatives(self, part: Part) -> Type:
        """What a type may be, without names of its own, limits, and null."""
        match part.shape:
            case ir.OpenShape():
                return UNKNOWN
            case ir.OptionalShape(item=item) | ir.NewTypeShape(item=item) | ir.ConstrainedShape(item=item):
                return self.alternatives(Part(item, part.schema))
            case ir.UnionShape(members=members):
                found = [self.alternatives(Part(member, part.schema)) for member in members]
                return tuple(one for each in found for one in each) if all(found) else UNKNOWN
            case ir.ModelShape() if (model := self.model(part)) is not None and model.form == "root":
                return self.alternatives(Part(model.fields[0].type, self.home(part)))
            case ir.StubShape() | ir.Scalar(name="any" | "json") | ir.Unsupported():
                return UNKNOWN
            case _:
                return (part,)

    def attributes(self, kind: Type) -> dict[str, Attribute]:
        """What can be asked of a type by name, in the order of the schema; where alternatives share a name, the first
        one counts.
        """
        found: dict[str, Attribute] = {}
        for part in kind:
            for attribute in self._attributes(part):
                found.setdefault(attribute.name, attribute)
        return found

    def attribute(self, kind: Type, name: str) -> Attribute | None:
        """What goes by a name, in the schema or on the wire."""
        attributes = self.attributes(kind)
        return attributes.get(name) or next((one for one in attributes.values() if one.wire == name), None)

    def inside(self, kind: Type, key: str | int) -> Type:
        """The type of what a value holds under a key on the wire, or at an index; of items of a stream, at any."""
        found: list[Part] = []
        for part in kind:
            match part.shape:
                case ir.ListShape(item=item) | ir.CollectionShape(item=item) | ir.StreamShape(item=item):
                    found.extend(self.alternatives(Part(item, part.schema)))
                case ir.TupleShape(items=items) if isinstance(key, int) and key < len(items):
                    found.extend(self.alternatives(Part(items[key], part.schema)))
                case ir.DictShape(value=value):
                    found.extend(self.alternatives(Part(value, part.schema)))
                case ir.ModelShape() if (model := self.model(part)) is not None:
                    types = [field.type for field in model.fields if field.wire == key]
                    found.extend(one for each in types for one in self.alternatives(Part(each, self.home(part))))
                case _:
                    pass
        return tuple(found)

    def interfaces(self, kind: Type) -> list[ir.Interface]:
        """The interfaces among the alternatives."""
        found = [
            graph.find_interface(part.shape.interface, self._peers)
            for part in kind
            if isinstance(part.shape, ir.InterfaceShape)
        ]
        return [one for one in found if one is not None]

    def model(self, part: Part) -> ir.Model | None:
        """The model that a type is, if it is one that is described."""
        if not isinstance(part.shape, ir.ModelShape):
            return None
        return graph.find_model(part.shape.model, part.schema, self._peers)

    def callback(self, part: Part) -> ir.Callback | None:
        """The callback that a type is, if it is one that is described."""
        if not isinstance(part.shape, ir.CallbackShape):
            return None
        reference = part.shape.callback
        declared = self.home(part).callbacks
        return next((callback for callback in declared if callback.name == reference.name), None)

    def home(self, part: Part) -> ir.Schema:
        """The schema whose declarations a model or callback is described with."""
        match part.shape:
            case ir.ModelShape(model=reference) | ir.CallbackShape(callback=reference):
                return self._peers.get(reference.module, part.schema)
            case _:
                return part.schema

    def _attributes(self, part: Part) -> Iterator[Attribute]:
        if isinstance(part.shape, ir.InterfaceShape):
            for interface, schema in self._with_bases([part.shape.interface]):
                for member in interface.members:
                    method = member if isinstance(member, ir.Method) else None
                    given = member.result if isinstance(member, ir.Method) else member.type
                    yield Attribute(
                        interface.name,
                        member.name,
                        member.wire,
                        member.doc,
                        _advice(member.deprecated),
                        method,
                        Part(given, schema),
                    )
        elif (model := self.model(part)) is not None:
            for field in model.fields:
                part_of = Part(field.type, self.home(part))
                yield Attribute(model.name, field.name, field.wire, field.doc, _advice(field.deprecated), None, part_of)

    def _with_bases(self, references: Iterable[ir.Reference]) -> Iterator[tuple[ir.Interface, ir.Schema]]:
        """Interfaces and those that they inherit, nearest first, each with its schema."""
        waiting, seen = list(references), set[ir.Reference]()
        while waiting:
            reference = waiting.pop(0)
            interface = graph.find_interface(reference, self._peers)
            if interface is not None and reference not in seen:
                seen.add(reference)
                waiting.extend(interface.bases)
                yield interface, self._peers[reference.module]


def main_objects(schemas: tuple[ir.Schema, ...], name: str | None) -> list[ir.Reference]:
    """The interfaces that may be the one of a server's main object.

    Args:
        schemas: what is said of the server.
        name: what it is called, with its module or without; if that is not known, it is one that no other gives.
    """
    declared = [
        ir.Reference(module=schema.module, name=interface.name) for schema in schemas for interface in schema.interfaces
    ]
    if name is not None:
        return [one for one in declared if name in (one.name, f"{one.module}.{one.name}")]
    given = {(one.module, one.name) for schema in schemas for one in graph.references(schema)}
    return [one for one in declared if (one.module, one.name) not in given] or declared


def _advice(deprecation: ir.Deprecation | None) -> str | None:
    return None if deprecation is None else deprecation.message
