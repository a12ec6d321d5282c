"""What is declared, as schemas of JSON that have a name: models, enums, NewTypes and exceptions.

Rule: each is defined once in a document, under its own name or, where two have one, with that of its module before it;
everything else refers to it. What another document defines is referred to there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from capnweb_gen import graph, ir
from capnweb_gen.backends.json_schema import forms

Json = dict[str, Any]
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_.-]")


class Definitions:
    """The definitions of one document, which come to be when something refers to them.

    Args:
        schema: the schema of which the document tells.
        peers: all schemas of the run, by module.
        place: where definitions stand in the document, such as `#/$defs/`.
        elsewhere: where a model of another schema is defined, such as `users.schema.json`; None if it is to be defined
            here.
        interface: how the document names an interface.
    """

    def __init__(
        self,
        schema: ir.Schema,
        peers: graph.Peers,
        place: str,
        elsewhere: Callable[[ir.Schema], str | None],
        interface: Callable[[ir.Reference], str],
    ) -> None:
        self._home = schema
        self._peers = peers
        self._place = place
        self._elsewhere = elsewhere
        self._interface = interface
        self._names: dict[tuple[str, ir.Reference], str] = {}
        self._made: dict[str, Json] = {}

    @property
    def made(self) -> dict[str, Json]:
        """All definitions by name, sorted."""
        return dict(sorted(self._made.items()))

    def of(self, shape: ir.TypeShape, namer: ir.Schema | None = None) -> Json:
        """The schema of a type that a schema names; if that is left out, the one of which the document tells."""
        return forms.Forms(self, namer or self._home).of(shape)

    def model(self, reference: ir.Reference, namer: ir.Schema) -> Json:
        """Refers to a model."""
        home = self._peers.get(reference.module, namer)
        elsewhere = None if home is self._home else self._elsewhere(home)
        if elsewhere is not None:
            return {"$ref": f"{elsewhere}#/$defs/{_plain(reference.name)}"}
        model = graph.find_model(reference, namer, self._peers)
        return self._refer("model", reference, lambda: self._model(model, home) if model else {})

    def new_type(self, shape: ir.NewTypeShape, namer: ir.Schema) -> Json:
        """Refers to a NewType."""
        return self._refer(
            "new_type", shape.new_type, lambda: {"title": shape.new_type.name, **self.of(shape.item, namer)}
        )

    def enum(self, shape: ir.EnumShape) -> Json:
        """Refers to an enum, all of whose members are allowed."""
        return self._refer("enum", shape.enum, lambda: {"title": shape.enum.name, **forms.constants(shape)})

    def error(self, error: ir.Error, namer: ir.Schema) -> Json:
        """Refers to an exception."""
        reference = ir.Reference(module=error.module, name=error.name)
        return self._refer("error", reference, lambda: self._error(error, namer))

    def interface(self, reference: ir.Reference) -> str:
        """The name of an interface."""
        return self._interface(reference)

    def callback(self, reference: ir.Reference, namer: ir.Schema) -> Json:
        """Refers to a function with a signature of its own."""
        home = self._peers.get(reference.module, namer)
        callback = next(one for one in home.callbacks if one.name == reference.name)
        return self._refer("callback", reference, lambda: self._callback(callback, home))

    def scalar(self, name: ir.ScalarName) -> Json:
        """Refers to a form that the wire has for a scalar."""
        shared = f"capnweb.{name}"
        make = partial(forms.any_json, self._ref(shared)) if name == "json" else partial(forms.scalar, name)
        return self._refer("scalar", ir.Reference(module="", name=shared), make)

    def _refer(self, kind: str, reference: ir.Reference, make: Callable[[], Json]) -> Json:
        name = self._names.get((kind, reference))
        if name is None:
            name = _plain(reference.name)
            if name in self._made:
                name = _plain(f"{reference.module}.{reference.name}")
            self._names[kind, reference] = name
            self._made[name] = {}  # it may refer to itself
            self._made[name] = make()
        return self._ref(name)

    def _ref(self, name: str) -> Json:
        return {"$ref": self._place + name}

    def _model(self, model: ir.Model, home: ir.Schema) -> Json:
        if model.form == "root":
            return {"title": model.name, **described(model.doc), **self.of(model.fields[0].type, home)}
        return {
            "title": model.name,
            **described(model.doc),
            **self._object(model.fields, home),
            **({"additionalProperties": False} if model.extra == "forbid" else {}),
        }

    def _object(self, fields: tuple[ir.ModelField, ...], home: ir.Schema) -> Json:
        required = [field.wire for field in fields if field.required and not field.computed]
        return {
            "type": "object",
            "properties": {field.wire: self._field(field, home) for field in fields},
            **({"required": required} if required else {}),
        }

    def _field(self, field: ir.ModelField, home: ir.Schema) -> Json:
        return {
            **described(field.doc, field.deprecated),
            **({"readOnly": True} if field.computed else {}),
            **({"x-capnweb-secret": True} if field.secret else {}),
            **self.of(field.type, home),
        }

    def _callback(self, callback: ir.Callback, home: ir.Schema) -> Json:
        parameters = [
            {"name": parameter.name, "passing": parameter.passing, "schema": self.of(parameter.type, home)}
            for parameter in callback.call.parameters
        ]
        result = self.of(callback.call.result, home)
        return {
            "title": callback.name,
            **described(callback.doc or callback.call.doc, callback.deprecated),
            **forms.CAPABILITY,
            "x-capnweb-function": {"parameters": parameters, "result": result},
        }

    def _error(self, error: ir.Error, home: ir.Schema) -> Json:
        """`["error", name, message]`, or with `null` in place of a stack and with its attributes."""
        fields = tuple(field for field in error.fields if field.wire != "message")
        parts: list[Json] = [{"const": "error"}, {"const": error.wire}, {"type": "string"}]
        required = any(field.required for field in fields)
        if fields:
            parts += [{"type": "null"}, self._object(fields, home)]
        return {
            "title": error.name,
            **described(error.doc),
            "type": "array",
            "prefixItems": parts,
            "minItems": len(parts) if required else 3,
        }


def described(doc: str | None, deprecated: ir.Deprecation | None = None) -> Json:
    """What is said of something, and that it should not be used any more."""
    told = [*([doc] if doc else []), *([f"Deprecated: {deprecated.message}"] if deprecated else [])]
    return {
        **({"description": "\n\n".join(told)} if told else {}),
        **({"deprecated": True} if deprecated else {}),
    }


def used(schema: ir.Schema) -> Iterator[ir.TypeShape]:
    """Every type in a schema that a document defines by a name, beside its models."""
    for written in ir.schema_types(schema):
        for shape in ir.walk(written):
            if isinstance(shape, ir.NewTypeShape) or (isinstance(shape, ir.EnumShape) and not shape.partial):
                yield shape


def _plain(name: str) -> str:
    """A name as a key that needs no escape anywhere: letters beyond ASCII by their numbers."""
    return _NOT_PLAIN.sub(lambda found: f"U{ord(found[0]):04X}", name)
