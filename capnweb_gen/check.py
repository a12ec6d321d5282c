"""What a schema must not say: from the IR to diagnostics.

Rule: here is what is wrong whatever is made of a schema; what only one language cannot say, its back end refuses.
Schemas that pass both can be lowered. Each fault is told where it stands, with what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

from capnweb_gen import graph, ir, naming
from capnweb_gen.errors import Diagnostic
from capnweb_gen.ir import Position
from capnweb_runtime.schema import ERROR_TYPES, FORBIDDEN_KEYS


def check(schemas: tuple[ir.Schema, ...]) -> list[Diagnostic]:
    """Everything that is wrong with the schemas of one run."""
    peers = graph.by_module(schemas)
    found: list[Diagnostic] = []
    for schema in schemas:
        found.extend(_check_texts(schema, schema.path, Position(line=1, column=1)))
        found.extend(_check_names(schema, peers))
        found.extend(_check_made_up_names(schema))
        for model in schema.models:
            found.extend(_check_model(model, schema, peers))
        for error in schema.errors:
            found.extend(_check_error(error, schema, peers))
        for interface in schema.interfaces:
            found.extend(_Interface(schema, interface, peers).faults())
        for callback in schema.callbacks:
            found.extend(_check_callback(callback, schema, peers))
    return found


# ---- texts

_HALF_A_CHARACTER = re.compile(r"[\ud800-\udfff]")
_ASK = "leave it out; whoever catches the exception can ask for the object"
_TEXTS = {"doc": "description", "message": "deprecation", "wire": "name on the wire", "values": "value"}


def _check_texts(node: ir.Node, path: str, position: Position) -> Iterator[Diagnostic]:
    """Half a character cannot be written into a file. It comes of the escape of one half without that of the other."""
    position = getattr(node, "position", position)
    path = getattr(node, "path", None) or path
    found: dict[str, str] = {}
    for name in type(node).model_fields if not isinstance(node, ir.Unsupported) else ():
        value: object = getattr(node, name)
        for part in cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,):
            if isinstance(part, ir.Node):
                yield from _check_texts(part, path, position)
            elif isinstance(part, str) and (half := _HALF_A_CHARACTER.search(part)):
                found.setdefault(half[0], _TEXTS.get(name, name))
    for text, what in found.items():
        owner = getattr(node, "name", "")
        message = f"the {what}{f' of {owner}' if owner else ''} holds half a character, {text!r}"
        yield _at(path, position, message, "write the whole character")


# ---- names of what is declared


@dataclass(frozen=True)
class Declared:
    """Something that a schema declares or names. `kind` is "" of what is only imported, such as an enum."""

    reference: ir.Reference
    kind: Literal["model", "error", "interface", "callback", ""]
    path: str
    position: Position


def _check_names(schema: ir.Schema, peers: graph.Peers) -> Iterator[Diagnostic]:
    owners: dict[str, ir.Reference] = {}
    told: set[ir.Reference] = set()
    for one in declared(schema, peers):
        reference = one.reference
        owner = owners.setdefault(reference.name, reference)
        if owner != reference and reference not in told:
            message = f"two types are called {owner.name}: in {owner.module} and in {reference.module}"
            yield _at(one.path, one.position, message, "rename one of them")
            told.add(reference)


def declared(schema: ir.Schema, peers: graph.Peers) -> Iterator[Declared]:
    """Everything that has a name in a schema: what it declares, and what it names of others.

    Args:
        schema: the schema.
        peers: all schemas of the run, by module.
    """
    for model in schema.models:
        yield Declared(ir.Reference(module=model.module, name=model.name), "model", model.path, model.position)
    for error in schema.errors:
        yield Declared(ir.Reference(module=error.module, name=error.name), "error", error.path, error.position)
    for interface in schema.interfaces:
        reference = ir.Reference(module=schema.module, name=interface.name)
        yield Declared(reference, "interface", interface.path or schema.path, interface.position)
    for callback in schema.callbacks:
        reference = ir.Reference(module=schema.module, name=callback.name)
        yield Declared(reference, "callback", callback.path or schema.path, callback.position)
    for reference in sorted(set(graph.references(schema)), key=_by_name):
        home = peers.get(reference.module)
        if home is not None and home is not schema:
            yield Declared(reference, _kind_of(reference.name, home), schema.path, _place(schema, reference))
    for reference in sorted(set(graph.imported(schema)), key=_by_name):
        yield Declared(reference, "", schema.path, _place(schema, reference))


def _by_name(reference: ir.Reference) -> tuple[str, str]:
    return reference.module, reference.name


def _kind_of(name: str, home: ir.Schema) -> Literal["model", "interface", "callback"]:
    if any(model.name == name for model in home.models):
        return "model"
    return "callback" if any(callback.name == name for callback in home.callbacks) else "interface"


def _check_made_up_names(schema: ir.Schema) -> Iterator[Diagnostic]:
    """A generic with its type arguments has a name that nobody chose, and that something else may have."""
    others = {interface.name for interface in schema.interfaces if interface.generic is None}
    others |= {model.name for model in schema.models if model.module == schema.module and model.generic is None}
    others |= {error.name for error in schema.errors if error.module == schema.module}
    others |= {callback.name for callback in schema.callbacks if callback.generic is None}
    for interface in (interface for interface in schema.interfaces if interface.generic is not None):
        if interface.name in others:
            message = (
                f"a generic interface with its type arguments becomes {interface.name}, "
                "but something else here has that name"
            )
            yield _at(interface.path or schema.path, interface.position, message, "rename one of them")
        others.add(interface.name)
    for model in (model for model in schema.models if model.generic is not None):
        if model.name in others:
            message = (
                f"a generic model with its type arguments becomes {model.name}, but something else here has that name"
            )
            yield _at(model.path, model.position, message, "rename one of them")
        others.add(model.name)
    for callback in (callback for callback in schema.callbacks if callback.generic is not None):
        if callback.name in others:
            message = (
                f"a generic callback with its type arguments becomes {callback.name}, "
                "but something else here has that name"
            )
            yield _at(callback.path or schema.path, callback.position, message, "rename one of them")
        others.add(callback.name)


def _place(schema: ir.Schema, reference: ir.Reference) -> Position:
    """Where a schema first names what it imports."""
    typed: list[tuple[Position, ir.TypeShape]] = []
    for model in schema.models:
        typed += [(field.position, field.type) for field in model.fields if model.module == schema.module]
    for interface in schema.interfaces:
        typed += [(interface.position, ir.InterfaceShape(interface=base)) for base in interface.bases]
        for member in interface.members:
            typed += _typed(member)
    for callback in schema.callbacks:
        typed += _typed(callback.call) if callback.path is None else []
    places = [position for position, shape in typed if reference in map(_named, ir.walk(shape))]
    return min(places, key=lambda place: (place.line, place.column), default=Position(line=1, column=1))


def _typed(member: ir.Method | ir.Property) -> list[tuple[Position, ir.TypeShape]]:
    """The types of a member, and where they stand."""
    if isinstance(member, ir.Property):
        return [(member.position, member.type)]
    typed = [(parameter.position, parameter.type) for parameter in member.parameters]
    return [*typed, (member.position, member.result)]


def _named(shape: ir.TypeShape) -> ir.Reference | None:
    match shape:
        case ir.ModelShape(model=reference) | ir.InterfaceShape(interface=reference):
            return reference
        case ir.SturdyRefShape(interface=reference):
            return reference
        case ir.EnumShape(enum=reference) | ir.NewTypeShape(new_type=reference):
            return reference
        case ir.CallbackShape(callback=reference):
            return reference
        case _:
            return None


# ---- models


def _check_model(model: ir.Model, schema: ir.Schema, peers: graph.Peers) -> Iterator[Diagnostic]:
    def what(field: ir.ModelField) -> str:
        return f"{model.name}.{field.name}"

    apart = _told_apart(schema, peers)
    yield from _same_wire_name(model.path, model.name, model.fields, "give one of them an alias")
    hint = "rename it, or give it an alias" if model.form == "pydantic" else "rename it"
    yield from _dropped(model.path, [(what(field), field) for field in model.fields], hint)
    for field in model.fields:
        yield from _check_type(model.path, what(field), field.position, field.type, apart)


# ---- exceptions


_TAKEN_NAMES = frozenset({*ERROR_TYPES, "AggregateError"})


def _check_error(error: ir.Error, schema: ir.Schema, peers: graph.Peers) -> Iterator[Diagnostic]:
    if error.wire in _TAKEN_NAMES and error.module != "builtins":
        message = f"{error.name} is called {error.wire!r} on the wire, which stands for an exception that is built in"
        yield _at(error.path, error.position, message, 'rename it, or write @wire_name("...") above it')
    yield from _same_wire_name(error.path, error.name, error.fields, "rename one of them")
    for field in error.fields:
        what = f"{error.name}.{field.name}"
        rules = _data_only(schema, peers), _told_apart(schema, peers)
        yield from _check_type(error.path, what, field.position, field.type, *rules)


def _data_only(schema: ir.Schema, peers: graph.Peers) -> Rule:
    """The rule for attributes of exceptions: nobody disposes what an exception holds."""

    def refuse(declared: ir.TypeShape) -> tuple[str, str] | None:
        return next(filter(None, (_held(shape, schema, peers) for shape in ir.walk(declared))), None)

    return refuse


def _held(shape: ir.TypeShape, schema: ir.Schema, peers: graph.Peers) -> tuple[str, str] | None:
    """What is wrong with an exception that holds this."""
    match shape:
        case ir.InterfaceShape(interface=ir.Reference(name=name)):
            return f"an exception cannot hold the capability {name}", _ASK
        case ir.CallbackShape(callback=ir.Reference(name=name)):
            return f"an exception cannot hold the function {name}", _ASK
        case ir.StubShape() | ir.CallableShape() | ir.StreamShape() | ir.WritableShape():
            return f"an exception cannot hold a {shape.kind}", _ASK
        case ir.ModelShape(model=model) if graph.hold_capabilities([shape], schema, peers):
            return (
                f"an exception cannot hold {model.name}, which holds capabilities",
                "give the exception the data that is in it",
            )
        case ir.Scalar(name="request" | "response" as name):
            return f"an exception cannot hold a {name.capitalize()}, whose body may be a stream", "send its parts"
        case _:
            return None


# ---- interfaces


class _Interface:
    """Checks one interface."""

    def __init__(self, schema: ir.Schema, interface: ir.Interface, peers: graph.Peers) -> None:
        self._schema = schema
        self._path = interface.path or schema.path
        self._interface = interface
        self._peers = peers

    def faults(self) -> Iterator[Diagnostic]:
        """Everything that is wrong with it."""
        own = self._interface.members
        for member in own:
            yield from self._check_name(member)
            yield from self._check_types(member)
            yield from _check_raises(self._path, self._what(member), member, self._schema)
        yield from self._check_bases()
        hint = 'give one of them another name with @wire_name("...")'
        members = graph.all_members(self._interface, self._peers).values()
        for fault in _same_wire_name(self._path, self._interface.name, members, hint):
            # Of inherited members, those that the base has by itself are reported there.
            if any((member.position.line, member.position.column) == (fault.line, fault.column) for member in own):
                yield fault

    def _what(self, member: ir.Method | ir.Property) -> str:
        return what(self._interface, member)

    def _check_name(self, member: ir.Method | ir.Property) -> Iterator[Diagnostic]:
        name = member.name
        if name.startswith("_"):
            message = f"{self._what(member)} is private: what begins with an underscore is not part of an interface"
            yield self._fault(
                member.position, message, "name it without the underscore, or move it out of the interface"
            )
        elif member.wire in FORBIDDEN_KEYS - {"toJSON"}:
            message = f"{self._what(member)} is called {member.wire!r} on the wire, which every JavaScript object has"
            hint = 'rename it, or give it another name with @wire_name("...")'
            yield self._fault(member.position, f"{message}: peers cannot reach it", hint)
        elif name in naming.PROMISE_NAMES:
            message = f"{self._what(member)} has a name that every stub and promise uses itself"
            yield self._fault(member.position, message, renamed(member))

    def _check_types(self, member: ir.Method | ir.Property) -> Iterator[Diagnostic]:
        what = self._what(member)
        if isinstance(member, ir.Method):
            yield from _check_call(self._path, what, member, self._schema, self._peers)
        else:
            apart = _told_apart(self._schema, self._peers)
            yield from _check_type(self._path, what, member.position, member.type, apart)

    def _check_bases(self) -> Iterator[Diagnostic]:
        interface, position = self._interface, self._interface.position
        own = {member.name for member in interface.members}
        inherited: dict[str, tuple[ir.Interface, ir.Method | ir.Property]] = {}
        for base in graph.bases(interface, self._peers):
            for member in base.members:
                other, first = inherited.setdefault(member.name, (base, member))
                if member.name in own or self._overrides(other, base):
                    continue
                if _meaning(first) != _meaning(member):
                    message = f"{interface.name} inherits two different members called {member.name}"
                    hint = f"declare it here, as in {other.name} or as in {base.name}; or rename one of them"
                    yield self._fault(position, message, hint)
        for member in interface.members:
            if member.name in inherited:
                yield from self._check_override(member, *inherited[member.name])

    def _overrides(self, interface: ir.Interface, other: ir.Interface) -> bool:
        return other in graph.bases(interface, self._peers) or interface in graph.bases(other, self._peers)

    def _check_override(
        self, member: ir.Method | ir.Property, base: ir.Interface, inherited: ir.Method | ir.Property
    ) -> Iterator[Diagnostic]:
        what = self._what(member)
        if member.kind != inherited.kind:
            message = f"{what} is a {member.kind}, but {base.name} declares it as a {inherited.kind}"
            yield self._fault(member.position, message, "declare it as there, or rename it")
        elif member.wire != inherited.wire:
            message = f"{what} is {member.wire!r} on the wire, but {inherited.wire!r} in {base.name}"
            yield self._fault(member.position, message, f'write @wire_name("{inherited.wire}") here too, or rename it')

    def _fault(self, position: Position, message: str, hint: str) -> Diagnostic:
        return _at(self._path, position, message, hint)


def what(interface: ir.Interface, member: ir.Method | ir.Property) -> str:
    """What a member is called in messages."""
    owner = interface.generic.origin.name if interface.generic else interface.name
    return f"{owner}.{member.name}" + ("()" if isinstance(member, ir.Method) else "")


def renamed(member: ir.Method | ir.Property) -> str:
    """How to give a member another name in Python."""
    return f'write @wire_name("{member.wire}") above `def {member.name}_`: it stays {member.wire!r} on the wire'


def _meaning(member: ir.Method | ir.Property) -> ir.Method | ir.Property:
    """A member without where it stands and how it is described."""
    nowhere = Position(line=0, column=0)
    if isinstance(member, ir.Property):
        return member.model_copy(update={"position": nowhere, "doc": None, "deprecated": None})
    parameters = tuple(parameter.model_copy(update={"position": nowhere}) for parameter in member.parameters)
    nothing = {"position": nowhere, "doc": None, "deprecated": None}
    return member.model_copy(update={**nothing, "parameters": parameters})


# ---- calls: of methods and of callbacks


def _check_callback(callback: ir.Callback, schema: ir.Schema, peers: graph.Peers) -> Iterator[Diagnostic]:
    path, what = (
        callback.path or schema.path,
        f"{callback.generic.origin.name if callback.generic else callback.name}()",
    )
    yield from _check_call(path, what, callback.call, schema, peers)
    yield from _check_raises(path, what, callback.call, schema)


def _check_call(path: str, what: str, method: ir.Method, schema: ir.Schema, peers: graph.Peers) -> Iterator[Diagnostic]:
    apart = _told_apart(schema, peers)
    for parameter in method.parameters:
        label = f"{what}, parameter {parameter.name}"
        yield from _check_type(path, label, parameter.position, parameter.type, apart)
    yield from _check_type(path, what, method.position, method.result, apart)
    keywords = [parameter for parameter in method.parameters if parameter.passing == "keyword"]
    yield from _same_wire_name(path, what, keywords, "rename one of them")
    named = [(f"{what}, parameter {parameter.name}", parameter) for parameter in keywords]
    yield from _dropped(path, named, "rename it")


def _check_raises(path: str, what: str, member: ir.Method | ir.Property, schema: ir.Schema) -> Iterator[Diagnostic]:
    by_wire: dict[str, ir.Reference] = {}
    for reference in member.raises:
        error = graph.find_error(reference, schema)
        other = by_wire.setdefault(error.wire, reference) if error else reference
        if error and other != reference:
            parts = ("name",) if other.name != reference.name else ("module", "name")
            names = " and ".join(".".join(getattr(one, part) for part in parts) for one in (other, reference))
            message = f"{what} raises two exceptions called {error.wire!r} on the wire: {names}"
            yield _at(path, member.position, message, 'give one of them another name with @wire_name("...")')


# ---- types


Rule = Callable[[ir.TypeShape], tuple[str, str] | None]


def _check_type(path: str, what: str, position: Position, declared: ir.TypeShape, *rules: Rule) -> Iterator[Diagnostic]:
    """What cannot travel, and what cannot travel in this place; not both for one type."""
    unsupported = [shape for shape in ir.walk(declared) if isinstance(shape, ir.Unsupported)]
    for shape in unsupported:
        yield _at(path, shape.position, f"{what}: {shape.reason}", shape.hint)
    for fault in (rule(declared) for rule in rules if not unsupported):
        if fault is not None:
            message, hint = fault
            yield _at(path, position, f"{what}: {message}", hint)


def _told_apart(schema: ir.Schema, peers: graph.Peers) -> Rule:
    """The rule for unions with models in them: by one field, a reader knows which model it is."""

    def rule(declared: ir.TypeShape) -> tuple[str, str] | None:
        for union in (shape for shape in ir.walk(declared) if isinstance(shape, ir.UnionShape)):
            models = [member.model for member in union.members if isinstance(member, ir.ModelShape)]
            names = " | ".join(reference.name for reference in models)
            for reference in models:
                found = graph.find_model(reference, schema, peers)
                if found is not None and found.form == "root":
                    return f"the root model {found.name} is part of a union", "write the type it holds"
            if len(models) > 1 and graph.tags(union, schema, peers) is None:
                hint = 'give each a field such as kind: Literal["..."], with a value that the others do not have'
                return f"nothing tells the models in {names} apart", hint
        return None

    return rule


# ---- shared


def _same_wire_name(
    path: str,
    owner: str,
    named: Iterable[ir.Method | ir.Property | ir.ModelField | ir.Parameter],
    hint: str,
) -> Iterator[Diagnostic]:
    by_wire: dict[str, list[ir.Method | ir.Property | ir.ModelField | ir.Parameter]] = {}
    for item in named:
        by_wire.setdefault(item.wire, []).append(item)
    for wire, items in by_wire.items():
        first, *others = sorted(items, key=lambda item: (item.position.line, item.position.column))
        for other in others:
            message = f"{owner} has two things called {wire!r} on the wire: {first.name} and {other.name}"
            yield _at(path, other.position, message, hint)


def _dropped(path: str, named: Iterable[tuple[str, ir.ModelField | ir.Parameter]], hint: str) -> Iterator[Diagnostic]:
    """What would be a key that peers drop."""
    for what, item in named:
        if item.wire in FORBIDDEN_KEYS:
            message = f"{what} is called {item.wire!r} on the wire, which every JavaScript object has: peers drop it"
            yield _at(path, item.position, message, hint)


def _at(path: str, position: Position, message: str, hint: str) -> Diagnostic:
    return Diagnostic(path, position.line, position.column, message, hint)
