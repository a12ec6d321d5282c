"""The schemas of then and those of now, and what belongs together in them.

Rule: a declaration is the same if it has its name and its module; or else if it has its name, or its members, and no
other could be meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from capnweb_gen import graph, ir


@dataclass(frozen=True)
class Place:
    """Where something is declared. `text` says it in the words of a schema, for those who have no file of it."""

    path: str
    line: int
    column: int
    text: str = ""


@dataclass(frozen=True)
class Part:
    """A type, and the schema in which its names mean something."""

    shape: ir.TypeShape
    schema: ir.Schema

    def inside(self, shape: ir.TypeShape) -> Part:
        """A part of it."""
        return Part(shape, self.schema)


NodeT = TypeVar("NodeT", bound=ir.Node)


@dataclass(frozen=True)
class Owned(Generic[NodeT]):
    """A declaration, and the schema that it is in."""

    node: NodeT
    schema: ir.Schema


class Side:
    """All schemas of one version.

    Args:
        schemas: they.
    """

    def __init__(self, schemas: tuple[ir.Schema, ...]) -> None:
        self.schemas = schemas
        self.peers = graph.by_module(schemas)

    @cached_property
    def interfaces(self) -> dict[ir.Reference, Owned[ir.Interface]]:
        """All interfaces, in order."""
        return {
            ir.Reference(module=schema.module, name=interface.name): Owned(interface, schema)
            for schema in self.schemas
            for interface in schema.interfaces
        }

    @cached_property
    def _models(self) -> dict[tuple[str, ir.Reference], Owned[ir.Model]]:
        """All models, by the schema that describes them and by name."""
        found: dict[tuple[str, ir.Reference], Owned[ir.Model]] = {}
        for schema in self.schemas:
            for model in schema.models:
                reference = ir.Reference(module=model.module, name=model.name)
                home = self.peers.get(model.module, schema)
                found.setdefault((schema.module, reference), Owned(model, home))
        return found

    def model(self, part: Part) -> Owned[ir.Model] | None:
        """The model that a type is, and the schema in which the types of its fields mean something."""
        if not isinstance(part.shape, ir.ModelShape):
            return None
        home = self.peers.get(part.shape.model.module, part.schema)
        return self._models.get((home.module, part.shape.model))

    def callback(self, reference: ir.Reference) -> Owned[ir.Callback] | None:
        """The callback of a name."""
        schema = self.peers.get(reference.module)
        found = next((one for one in schema.callbacks if one.name == reference.name), None) if schema else None
        return Owned(found, schema) if found is not None and schema is not None else None

    def members(self, interface: Owned[ir.Interface]) -> dict[str, tuple[ir.Method | ir.Property, Owned[ir.Interface]]]:
        """The members of an interface by their names on the wire, each with the interface that declares it."""
        found: dict[str, tuple[ir.Method | ir.Property, Owned[ir.Interface]]] = {}
        for owner in (interface, *self.bases(interface)):
            for member in owner.node.members:
                found.setdefault(member.wire, (member, owner))
        return found

    @cached_property
    def _by_identity(self) -> dict[int, Owned[ir.Interface]]:
        return {id(owned.node): owned for owned in self.interfaces.values()}

    def bases(self, interface: Owned[ir.Interface]) -> Iterator[Owned[ir.Interface]]:
        """The interfaces that one inherits, nearest first."""
        return (self._by_identity[id(base)] for base in graph.bases(interface.node, self.peers))

    @cached_property
    def named(self) -> frozenset[ir.Reference]:
        """The interfaces that models, functions, or members of other interfaces name: what servers and clients give
        each other, rather than where sessions begin.
        """
        found: set[ir.Reference] = set()
        for schema in self.schemas:
            inside = [field.type for model in schema.models for field in model.fields]
            inside += [shape for callback in schema.callbacks for shape in ir.member_types(callback.call)]
            found.update(_named_in(inside))
        for reference, owned in self.interfaces.items():
            inside = [shape for member in owned.node.members for shape in ir.member_types(member)]
            found.update(one for one in _named_in(inside) if one != reference)
        return frozenset(found)

    def is_given(self, reference: ir.Reference) -> bool:
        """Whether another interface leads to one."""
        others = (owned for one, owned in self.interfaces.items() if one != reference)
        waiting = [
            Part(shape, owned.schema)
            for owned in others
            for member in owned.node.members
            for shape in ir.member_types(member)
        ]
        seen: set[ir.Reference] = set()
        while waiting:
            part = waiting.pop()
            if reference in _named_in([part.shape]):
                return True
            for shape in ir.walk(part.shape):
                waiting += self._inside(part.inside(shape), seen)
        return False

    def _inside(self, part: Part, seen: set[ir.Reference]) -> list[Part]:
        """The types in a model or a function that has not been seen yet."""
        match part.shape:
            case ir.CallbackShape(callback=reference) if reference not in seen:
                called = self.callback(reference)
                seen.add(reference)
                return [Part(one, called.schema) for one in ir.member_types(called.node.call)] if called else []
            case ir.ModelShape(model=reference) if reference not in seen:
                model = self.model(part)
                seen.add(reference)
                return [Part(field.type, model.schema) for field in model.node.fields] if model else []
            case _:
                return []


def _named_in(shapes: Iterable[ir.TypeShape]) -> Iterator[ir.Reference]:
    """The interfaces that types name, those of models not looked at."""
    return (shape.interface for outer in shapes for shape in ir.walk(outer) if isinstance(shape, ir.InterfaceShape))


def place_of_interface(interface: Owned[ir.Interface], text: str = "") -> Place:
    """Where an interface is declared."""
    return place_in(interface, interface.node.position, text)


def place_in(interface: Owned[ir.Interface], position: ir.Position, text: str = "") -> Place:
    """A place in the file of an interface."""
    return Place(interface.node.path or interface.schema.path, position.line, position.column, text)


def paired(old: Side, new: Side) -> dict[ir.Reference, ir.Reference]:
    """Which interface of now is which of then."""
    pairs = {reference: reference for reference in old.interfaces if reference in new.interfaces}
    for key in (_name, _wire_names):
        _pair_by(key, old, new, pairs)
    return pairs


_Key = Callable[[Side, ir.Reference], object]


def _pair_by(key: _Key, old: Side, new: Side, pairs: dict[ir.Reference, ir.Reference]) -> None:
    """Adds pairs of what is left and has the same key, where no other has it."""
    taken = set(pairs.values())
    before = _unique(key, old, (reference for reference in old.interfaces if reference not in pairs))
    after = _unique(key, new, (reference for reference in new.interfaces if reference not in taken))
    pairs.update({reference: after[found] for found, reference in before.items() if found in after})


def _unique(key: _Key, side: Side, references: Iterable[ir.Reference]) -> Mapping[object, ir.Reference]:
    found: dict[object, ir.Reference | None] = {}
    for reference in references:
        value = key(side, reference)
        found[value] = None if value in found else reference
    return {value: reference for value, reference in found.items() if reference is not None and value}


def _name(side: Side, reference: ir.Reference) -> object:
    return reference.name


def _wire_names(side: Side, reference: ir.Reference) -> object:
    members = side.members(side.interfaces[reference])
    return tuple(sorted((wire, member.kind) for wire, (member, _) in members.items()))
