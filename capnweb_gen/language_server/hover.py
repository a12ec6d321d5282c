"""What is shown over a name in a schema: what it is, what its docstring says, and its form on the wire.

Rule: Markdown, and short. What the schema says by itself in the same line is not repeated, except for the signature of
what is named elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from capnweb_gen import graph, ir
from capnweb_gen.backends.markdown.limits import limits
from capnweb_gen.backends.markdown.prose import line, read
from capnweb_gen.backends.markdown.types import Types, code
from capnweb_gen.frontends.python.source import ModuleSource
from capnweb_gen.language_server.reading import Reading, Spot
from capnweb_gen.language_server.wire import Wire

Declared = ir.Interface | ir.Callback | ir.Model | ir.Error | ir.EnumShape | ir.NewTypeShape


def hover(spot: Spot, path: Path, source: ModuleSource, reading: Reading) -> str | None:
    """What to show over a name; None if nothing is known of it.

    Args:
        spot: the name.
        path: the schema that it is in.
        source: what stands there now.
        reading: what was read of all schemas.
    """
    schema = reading.schema_of(path)
    if schema is None:
        return None
    if spot.owner is not None and spot.member is not None:
        return _member(spot, spot.owner, schema, reading)
    found = find_type(spot.word, schema, source, reading)
    return _Shown(found[1], reading.schemas).declared(found[0]) if found else None


def find_type(
    name: str, schema: ir.Schema, source: ModuleSource, reading: Reading
) -> tuple[Declared, ir.Schema] | None:
    """What a name in a schema stands for, and the schema that describes it."""
    module, original = source.imports.get(name, (schema.module, name))
    for home in [schema, *(one for one in reading.schemas.values() if _may_be(one.module, module))]:
        for declared in _all(home):
            if _name(declared) == original:
                return declared, home
        for interface, there in reading.interfaces(original, home):
            return interface, there
    return None


def _may_be(module: str, written: str) -> bool:
    """Whether a module is the one that an import names, which may be relative."""
    return module == written or (written.startswith(".") and module.endswith(written.lstrip(".")))


def _all(schema: ir.Schema) -> Iterator[Declared]:
    yield from schema.interfaces
    yield from schema.callbacks
    yield from schema.models
    yield from schema.errors
    for written in ir.schema_types(schema):
        for shape in ir.walk(written):
            if isinstance(shape, ir.EnumShape | ir.NewTypeShape):
                yield shape


def _name(declared: Declared) -> str:
    match declared:
        case ir.EnumShape(enum=reference) | ir.NewTypeShape(new_type=reference):
            return reference.name
        case _:
            return declared.name


def _member(spot: Spot, owner: str, schema: ir.Schema, reading: Reading) -> str | None:
    for interface, home in reading.interfaces(owner, schema):
        found = next((one for one in interface.members if one.name == spot.member), None)
        shown = _Shown(home, reading.schemas)
        if found is not None and spot.parameter is None:
            return shown.member(interface, found)
        if isinstance(found, ir.Method):
            return next((shown.parameter(found, one) for one in found.parameters if one.name == spot.parameter), None)
    having: list[ir.Model | ir.Error] = [*schema.models, *schema.errors]
    for values in having:
        if values.name == owner:
            fields = (one for one in values.fields if one.name == spot.member)
            return next((_Shown(schema, reading.schemas).field(one) for one in fields), None)
    return None


class _Shown:
    """Puts what one schema says into words."""

    def __init__(self, schema: ir.Schema, peers: graph.Peers) -> None:
        self._types = Types(schema, peers)
        self._wire = Wire(schema, peers)

    def member(self, interface: ir.Interface, member: ir.Method | ir.Property) -> str:
        """A method or property of an interface."""
        head = self._signature(f"{interface.name}.{member.name}", member)
        wire = member.wire != member.name
        notes = [
            *_deprecated(member.deprecated),
            *([f"On the wire it is called {code(member.wire)}."] if wire else []),
            *([f"Raises {', '.join(code(error.name) for error in member.raises)}."] if member.raises else []),
            *(["Idempotent: a client that reconnects may call it again."] if getattr(member, "idempotent", 0) else []),
            *(["Cancelled once nobody wants the result."] if getattr(member, "cancellable", False) else []),
            *(["Secret: no log shows it."] if member.secret else []),
        ]
        return _joined(head, read(member.doc).text, _listed(notes), _messages(self._wire.messages(member)))

    def parameter(self, method: ir.Method, parameter: ir.Parameter) -> str:
        """A parameter of a method."""
        place = {
            "keyword": f"Travels by name, as {code(parameter.wire)} in the object that comes last.",
            "variadic": "Travels as any number of arguments.",
        }
        by_position = "Travels by position, so that its name is not on the wire."
        notes = [
            place.get(parameter.passing, by_position),
            *(["Left out, it does not travel: its reader knows the default."] if parameter.default else []),
            *(f"{bound[0].upper()}{bound[1:]}." for bound in limits(parameter.type)),
            *(["Secret: no log shows it."] if parameter.secret else []),
        ]
        said = read(method.doc).parameters.get(parameter.name, "")
        head = f"{code(parameter.name)}: {self._types.plain(parameter.type)}"
        return _joined(head, line(said), _listed(notes), _messages([self._wire.value(parameter.type)]))

    def field(self, field: ir.ModelField) -> str:
        """A field of a model or an exception."""
        notes = [
            *_deprecated(field.deprecated),
            *([f"On the wire it is called {code(field.wire)}."] if field.wire != field.name else []),
            *(["Computed: sent, and ignored on arrival."] if field.computed else []),
            *(f"{bound[0].upper()}{bound[1:]}." for bound in limits(field.type)),
            *(["Secret: no log shows it."] if field.secret else []),
        ]
        head = f"{code(field.name)}: {self._types.plain(field.type)}"
        return _joined(head, read(field.doc).text, _listed(notes), _messages([self._wire.value(field.type)]))

    def declared(self, declared: Declared) -> str:
        """An interface, a callback, a model, an exception, an enum or a NewType."""
        head, doc = f"**{_name(declared)}**", ""
        match declared:
            case ir.Interface():
                doc, wire = read(declared.doc).text, '["export", -1]'
                notes = [*_deprecated(declared.deprecated), "An interface: it travels by reference."]
            case ir.Callback():
                head, doc = self._signature(declared.name, declared.call), read(declared.doc).text
                wire = '["export", -1]'
                notes = [*_deprecated(declared.deprecated), "A function: it travels by reference."]
            case ir.Model() | ir.Error():
                doc, wire = read(declared.doc).text, self._wire.model(declared) or ""
                kind = "A model: it travels by value." if isinstance(declared, ir.Model) else "An exception."
                fields = (f"{code(one.name)}: {self._types.plain(one.type)}" for one in declared.fields)
                notes = [kind, *fields]
            case ir.EnumShape():
                wire = self._wire.value(declared)
                notes = [f"{code(one.name)} is {code(repr(one.value))} on the wire." for one in declared.members]
            case ir.NewTypeShape():
                wire, notes = (
                    self._wire.value(declared),
                    [f"{self._types.plain(declared.item)} under a name of its own."],
                )
        return _joined(head, doc, _listed(notes), _messages([wire] if wire else []))

    def _signature(self, name: str, member: ir.Method | ir.Property) -> str:
        if isinstance(member, ir.Property):
            return f"{code(name)}: {self._types.plain(member.type)}"
        return code(self._types.plain_signature(name, member))


def _deprecated(deprecation: ir.Deprecation | None) -> list[str]:
    return [f"**Deprecated:** {line(deprecation.message)}"] if deprecation else []


def _listed(notes: Sequence[str]) -> str:
    return "\n".join(f"- {note}" for note in notes)


def _messages(messages: Sequence[str]) -> str:
    return "```json\n" + "\n".join(messages) + "\n```" if messages else ""


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
