"""How schemas depend on each other, and interfaces on their bases.

Rule: pure functions over the IR, shared by the checks and by lowering.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from capnweb_gen import ir

Peers = Mapping[str, ir.Schema]  # all schemas of a run, by module


_IMPURE: frozenset[ir.ScalarName] = frozenset({"any", "blob", "url", "headers", "request", "response"})


def by_module(schemas: tuple[ir.Schema, ...]) -> dict[str, ir.Schema]:
    """The schemas of a run, by the module that declares them."""
    return {schema.module: schema for schema in schemas}


def references(schema: ir.Schema) -> Iterator[ir.Reference]:
    """Every model, interface and callback that a schema names, bases included."""
    for interface in schema.interfaces:
        yield from interface.bases
    for written in ir.schema_types(schema):
        for shape in ir.walk(written):
            if isinstance(shape, ir.ModelShape):
                yield shape.model
            elif isinstance(shape, ir.InterfaceShape):
                yield shape.interface
            elif isinstance(shape, ir.CallbackShape):
                yield shape.callback


SUPPORTING = frozenset({"ipaddress", "pathlib", "pydantic"})
"""The modules that types of text come from; others are named by the schema itself."""


def imported(schema: ir.Schema) -> Iterator[ir.Reference]:
    """Every other name that a schema's types have, and that generated code imports from where it is declared."""
    yield from (model.generic.origin for model in schema.models if model.generic)
    yield from (ir.Reference(module=error.module, name=error.name) for error in schema.errors)
    for written in ir.schema_types(schema):
        for shape in ir.walk(written):
            if isinstance(shape, ir.EnumShape):
                yield shape.enum
            elif isinstance(shape, ir.NewTypeShape):
                yield shape.new_type
            elif isinstance(shape, ir.TextShape) and shape.type.module not in SUPPORTING:
                yield shape.type
            elif isinstance(shape, ir.SturdyRefShape):
                yield shape.interface


def needed(schema: ir.Schema, peers: Peers) -> frozenset[str]:
    """The modules of the schemas that this one needs, directly or through others."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        for reference in references(waiting.pop()):
            if reference.module in peers and reference.module not in found:
                found.add(reference.module)
                waiting.append(peers[reference.module])
    return frozenset(found)


def cyclic(schema: ir.Schema, peers: Peers) -> frozenset[str]:
    """The other schemas that this one needs and that need this one."""
    others = needed(schema, peers) - {schema.module}
    return frozenset(module for module in others if schema.module in needed(peers[module], peers))


def find_interface(reference: ir.Reference, peers: Peers) -> ir.Interface | None:
    """The interface that a reference names, if one of the schemas declares it."""
    schema = peers.get(reference.module)
    declared = schema.interfaces if schema else ()
    return next((interface for interface in declared if interface.name == reference.name), None)


def find_model(reference: ir.Reference, schema: ir.Schema, peers: Peers) -> ir.Model | None:
    """The model that a schema names. One from elsewhere is described in each schema that names it."""
    home = peers.get(reference.module, schema)
    named = (reference.module, reference.name)
    return next((model for model in home.models if (model.module, model.name) == named), None)


def find_error(reference: ir.Reference, schema: ir.Schema) -> ir.Error | None:
    """The exception that a method of a schema declares, which each schema describes itself."""
    named = (reference.module, reference.name)
    return next((error for error in schema.errors if (error.module, error.name) == named), None)


Tags = tuple[tuple[ir.LiteralValue, ir.ModelShape], ...]


def tags(union: ir.UnionShape, schema: ir.Schema, peers: Peers) -> tuple[str, Tags] | None:
    """How a reader tells the models in a union apart: the wire name of a field that each of them has, with constants
    that no other has, and the model of each constant; None if there is no such field.
    """
    shapes = [member for member in union.members if isinstance(member, ir.ModelShape)]
    constants = [_constants(find_model(shape.model, schema, peers)) for shape in shapes]
    for wire in constants[0]:
        if all(wire in there for there in constants):
            found = [(value, shape) for shape, there in zip(shapes, constants, strict=True) for value in there[wire]]
            if len({(type(value), value) for value, _ in found}) == len(found):
                return wire, tuple(found)
    return None


def _constants(model: ir.Model | None) -> dict[str, tuple[ir.LiteralValue, ...]]:
    """The fields of a model that are always sent and have one of a few constants, by wire name."""
    found: dict[str, tuple[ir.LiteralValue, ...]] = {}
    for field in model.fields if model else ():
        if field.required or (model and model.form != "typed_dict"):
            match field.type:
                case ir.LiteralShape(values=values):
                    found[field.wire] = values
                case ir.EnumShape(members=members, partial=True):
                    found[field.wire] = tuple(member.value for member in members)
                case _:
                    pass
    return found


def bases(interface: ir.Interface, peers: Peers) -> Iterator[ir.Interface]:
    """The interfaces that one inherits, nearest first, each once."""
    seen: list[ir.Interface] = []
    waiting = list(interface.bases)
    while waiting:
        base = find_interface(waiting.pop(0), peers)
        if base is not None and base not in seen:
            seen.append(base)
            waiting.extend(base.bases)
            yield base


def lineage(interface: ir.Interface, schema: ir.Schema, peers: Peers) -> Iterator[tuple[ir.Interface, ir.Schema]]:
    """An interface and those that it inherits, nearest first, each once and with the schema that declares it."""
    seen: set[ir.Reference] = set()
    waiting = [ir.Reference(module=schema.module, name=interface.name)]
    while waiting:
        reference = waiting.pop(0)
        found = find_interface(reference, peers)
        if found is not None and reference not in seen:
            seen.add(reference)
            waiting.extend(found.bases)
            yield found, peers[reference.module]


def all_members(interface: ir.Interface, peers: Peers) -> dict[str, ir.Method | ir.Property]:
    """The members of an interface by Python name, its own before inherited ones."""
    members: dict[str, ir.Method | ir.Property] = {}
    for declared in (interface, *bases(interface, peers)):
        for member in declared.members:
            members.setdefault(member.name, member)
    return members


def bases_first(schema: ir.Schema) -> tuple[ir.Interface, ...]:
    """The interfaces of a schema in its own order, except that a base comes before those that inherit it."""
    own = {interface.name: interface for interface in schema.interfaces}
    ordered: dict[str, ir.Interface] = {}

    def add(interface: ir.Interface) -> None:
        for base in interface.bases:
            if base.module == schema.module and base.name in own:
                add(own[base.name])
        ordered.setdefault(interface.name, interface)

    for interface in schema.interfaces:
        add(interface)
    return tuple(ordered.values())


def is_pure(reference: ir.Reference, schema: ir.Schema, peers: Peers) -> bool:
    """Whether decoding a model that a schema names needs nothing but its wire form.

    A capability is read by a table of the session, and just any value may hold one; values of the web arrive in pieces
    or are read by that table too.
    """
    for shape, namer in _inside([ir.ModelShape(model=reference)], schema, peers):
        if ir.by_reference(shape) or (isinstance(shape, ir.Scalar) and shape.name in _IMPURE):
            return False
        model = find_model(shape.model, namer, peers) if isinstance(shape, ir.ModelShape) else None
        if model is not None and model.extra == "allow":
            return False
    return True


def secret_keys(reference: ir.Reference, schema: ir.Schema, peers: Peers) -> frozenset[str]:
    """The names on the wire of all fields that are secret in a model that a schema names, at any depth."""
    models = [
        (shape.model, namer)
        for shape, namer in _inside([ir.ModelShape(model=reference)], schema, peers)
        if isinstance(shape, ir.ModelShape)
    ]
    found = (find_model(model, namer, peers) for model, namer in models)
    return frozenset(field.wire for model in found if model for field in model.fields if field.secret)


def hold_capabilities(shapes: Iterable[ir.TypeShape], schema: ir.Schema, peers: Peers) -> bool:
    """Whether one of some types that a schema names is a capability, or holds one at any depth."""
    return any(ir.by_reference(shape) for shape, _ in _inside(shapes, schema, peers))


def _inside(
    shapes: Iterable[ir.TypeShape], schema: ir.Schema, peers: Peers
) -> Iterator[tuple[ir.TypeShape, ir.Schema]]:
    """Some types and every type inside them, also inside the models among them, each with the schema that names it."""
    seen: set[ir.Reference] = set()
    waiting = [(shape, schema) for shape in shapes]
    while waiting:
        outer, namer = waiting.pop()
        for shape in ir.walk(outer):
            yield shape, namer
            if isinstance(shape, ir.ModelShape) and shape.model not in seen:
                seen.add(shape.model)
                model = find_model(shape.model, namer, peers)
                home = peers.get(shape.model.module, namer)
                waiting.extend((field.type, home) for field in (model.fields if model else ()))
