"""What a schema must not say because a generated module in Python could not say it: names that it needs otherwise,
and imports in a circle.

Rule: as in `capnweb_gen.check`, which tells what is wrong in any language. Both are told in one run.
"""

from __future__ import annotations

from collections.abc import Iterator

from capnweb_gen import graph, ir
from capnweb_gen.backends.python import module_names
from capnweb_gen.check import Declared, declared, renamed, what
from capnweb_gen.errors import Diagnostic
from capnweb_gen.ir import Position


def faults(schemas: tuple[ir.Schema, ...]) -> list[Diagnostic]:
    """Everything that keeps the schemas of a run from becoming modules, beside what is wrong with them anyway."""
    peers = graph.by_module(schemas)
    found: list[Diagnostic] = []
    for schema in schemas:
        found.extend(_shared_names(schema, peers))
        found.extend(_names_taken(schema, peers))
        for model in schema.models:
            found.extend(_read_twice(model, schema, peers))
        cyclic = graph.cyclic(schema, peers)
        for interface in schema.interfaces:
            found.extend(_members(interface, schema))
            found.extend(_bases(interface, schema, cyclic))
    return found


def _shared_names(schema: ir.Schema, peers: graph.Peers) -> Iterator[Diagnostic]:
    """What is declared for two things under one name, though they are called differently."""
    owners: dict[str, ir.Reference] = {}
    first: dict[str, ir.Reference] = {}
    told: set[ir.Reference] = set()
    for one in declared(schema, peers):
        reference = one.reference
        if first.setdefault(reference.name, reference) != reference or reference in told:
            continue
        for name in _names(one):
            owner = owners.setdefault(name, reference)
            if owner != reference:
                message = f"{reference.name} and {owner.name} both need the name {name} in the generated module"
                yield _at(one.path, one.position, message, "rename one of them")
                told.add(reference)
                break


def _names_taken(schema: ir.Schema, peers: graph.Peers) -> Iterator[Diagnostic]:
    """A class that the generated module imports must not hide what the module needs: another module, for instance."""
    modules = {module.rpartition(".")[2] for module in graph.cyclic(schema, peers)}
    for one in declared(schema, peers):
        name = one.reference.name
        if name in _names(one) and name in module_names.CLASS_NAMES_TAKEN | modules:
            message = f"{name} has a name that every generated module uses itself"
            hint = f"rename it, to {name[:1].upper()}{name[1:]} for instance"
            yield _at(one.path, one.position, message, hint)


def _names(one: Declared) -> tuple[str, ...]:
    """The names that a generated module declares or imports for something."""
    name = one.reference.name
    match one.kind:
        case "model":
            return module_names.model_names(name)
        case "error":
            return module_names.error_names(name)
        case "interface":
            return module_names.interface_names(name)
        case "callback":
            return module_names.callback_names(name)
        case _:
            return (name,)


def _members(interface: ir.Interface, schema: ir.Schema) -> Iterator[Diagnostic]:
    for member in interface.members:
        if member.name in module_names.MODULE_NAMES:
            message = f"{what(interface, member)} has a name that every generated module uses itself"
            yield _at(interface.path or schema.path, member.position, message, renamed(member))


def _bases(interface: ir.Interface, schema: ir.Schema, cyclic: frozenset[str]) -> Iterator[Diagnostic]:
    """`cyclic` are the modules that need the schema, as `graph.cyclic` tells."""
    for reference in interface.bases:
        if reference.module in cyclic:
            inherited_from = f"{reference.name} from {reference.module}"
            message = f"{interface.name} inherits {inherited_from}, which needs this schema too"
            hint = "put both interfaces into one schema"
            yield _at(interface.path or schema.path, interface.position, message, hint)


def _read_twice(model: ir.Model, schema: ir.Schema, peers: graph.Peers) -> Iterator[Diagnostic]:
    """Fields of pydantic models: a generic model that holds capabilities arrives as an instance of the class without
    type arguments, which pydantic reads once more, and by aliases that its attributes do not have.
    """
    for field in model.fields if model.form in ("pydantic", "root") else ():
        fault = _lost(field.type, schema, peers)
        if fault is not None and not any(isinstance(shape, ir.Unsupported) for shape in ir.walk(field.type)):
            message, hint = fault
            yield _at(model.path, field.position, f"{model.name}.{field.name}: {message}", hint)


def _lost(written: ir.TypeShape, schema: ir.Schema, peers: graph.Peers) -> tuple[str, str] | None:
    for shape in ir.walk(written):
        inner = graph.find_model(shape.model, schema, peers) if isinstance(shape, ir.ModelShape) else None
        if inner is None or inner.form != "pydantic" or inner.generic is None:
            continue
        aliased = [field.name for field in inner.fields if field.accepts != field.name]
        if aliased and graph.hold_capabilities([shape], schema, peers):
            origin = inner.generic.origin.name
            message = f"pydantic would lose {aliased[0]} here, which has an alias in {inner.name}"
            return (
                f"{message}, a model that holds capabilities",
                f"take the alias away (a serialization_alias may stay), or make {origin} a dataclass",
            )
    return None


def _at(path: str, position: Position, message: str, hint: str) -> Diagnostic:
    return Diagnostic(path, position.line, position.column, message, hint)
