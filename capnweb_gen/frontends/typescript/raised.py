"""Exceptions: from what extends Error to the IR.

Rule: the properties that it declares, and those that its constructor's parameters declare, travel with it. What may be
left out may be None in Python, where attributes have values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from capnweb_gen import ir
from capnweb_gen.frontends.typescript import names, nodes
from capnweb_gen.frontends.typescript.comments import docstring
from capnweb_gen.frontends.typescript.decisions import Notes
from capnweb_gen.frontends.typescript.evaluate import Slot, Types
from capnweb_gen.frontends.typescript.members import optional
from capnweb_gen.frontends.typescript.names import Hint, Module, part_name
from capnweb_gen.frontends.typescript.scope import Declared, Env
from capnweb_gen.frontends.typescript.shapes import BROKEN, Shapes
from capnweb_runtime.schema import ERROR_TYPES, FORBIDDEN_KEYS

_OF_EVERY_ERROR = frozenset({"name", "message", "stack", "errorName"})
_TAKEN = FORBIDDEN_KEYS | {"cause", "errors"}
_STR = ir.Scalar(name="str")


class ErrorReader:
    """Reads exceptions."""

    def __init__(self, types: Types, shapes: Shapes, notes: Notes) -> None:
        self._types = types
        self._shapes = shapes
        self._notes = notes

    def error(self, module: Module, name: str, declared: Declared) -> ir.Error:
        """Describe an exception; one that Python has itself, and that says nothing more, is that."""
        group, first = declared.group, declared.group.first
        slots = _attributes(self._types, declared)
        wire = self._wire(slots, declared)
        fields = sorted(self._fields(slots, declared, module, name), key=lambda field: not field.required)
        known = ERROR_TYPES.get(wire)
        if known is not None and known.__module__ == "builtins" and not fields:
            nowhere = ir.Position(line=1, column=1)
            return ir.Error(name=known.__name__, module="builtins", path="builtins", wire=wire, position=nowhere)
        if fields:
            told = {"name": "message", "wire": "message", "accepts": "message", "type": _STR, "required": True}
            fields.insert(0, ir.ModelField.model_validate({**told, "position": first.position}))
        doc = next((one.doc for one in group.declarations if one.doc != nodes.NO_DOC), first.doc)
        return ir.Error(
            name=name,
            module=module.name,
            path=group.file.shown,
            doc=_documented(doc, slots, fields),
            wire=wire,
            fields=tuple(fields),
            position=first.position,
        )

    def _wire(self, slots: dict[str, Slot], declared: Declared) -> str:
        """The name on the wire, which is that of the Error."""
        for key in ("errorName", "name"):
            slot = slots.get(key)
            if slot is not None and isinstance(slot.type, nodes.Constant):
                return str(slot.type.value)
        name = declared.group.name.rpartition(".")[2]
        text = f'peers know {name} by the name that its Error has, and nothing here says that this is "{name}"'
        self._notes.decide(declared.group.file, declared.group.first.position, text)
        return name

    def _fields(self, slots: dict[str, Slot], declared: Declared, module: Module, name: str) -> Iterator[ir.ModelField]:
        for slot in slots.values():
            if slot.name in _OF_EVERY_ERROR:
                continue
            key = names.key_name(slot.name, module.case)
            closure = slot.closure
            if slot.signature is not None:
                self._leave_out(declared, slot, "is a method, which does not travel with an exception")
            elif slot.name in _TAKEN or not names.is_attribute(key) or hasattr(Exception, key) or key == "props":
                self._leave_out(declared, slot, "has a name that no attribute of an exception can have")
            elif closure is None:
                self._leave_out(declared, slot, "has no type that is written out")
            else:
                shape = self._shapes.shape(closure, Hint(name, name).inside(part_name(slot.name)))
                yield ir.ModelField(
                    name=key,
                    wire=slot.name,
                    accepts=key,
                    type=optional(shape) if slot.optional and shape is not BROKEN else shape,
                    required=not slot.optional,
                    secret="secret" in slot.doc.marks(),
                    position=slot.position,
                )

    def _leave_out(self, declared: Declared, slot: Slot, why: str) -> None:
        text = f"{declared.group.name}.{slot.name} {why}, and is left out"
        self._notes.decide(slot.env.file, slot.position, text)


def _documented(doc: nodes.Doc, slots: dict[str, Slot], fields: list[ir.ModelField]) -> str | None:
    """The docstring of an exception, in which its attributes are described, since nothing else can describe them."""
    said = [(field.name, docstring(slots[field.wire].doc)) for field in fields if field.wire in slots]
    entries = [f"    {name}: " + re.sub(r"\n(?=.)", "\n        ", text) for name, text in said if text]
    attributes = "\n".join(["Attributes:", *entries]) if entries else ""
    return docstring(replace(doc, text="\n\n".join(filter(None, (doc.text, attributes)))))


def _attributes(types: Types, declared: Declared) -> dict[str, Slot]:
    """What an exception has by itself: its properties, and those of what it extends."""
    found: dict[str, Slot] = {}
    for base in types.bases(declared):
        head = types.head(base)
        if isinstance(head, Declared):
            found |= _attributes(types, head)
        elif (view := types.view(base)) is not None:
            found |= view.slots
    for declaration in declared.group.declarations:
        for member in declaration.members if isinstance(declaration, nodes.InterfaceDeclaration) else ():
            if not member.static and member.access == "public":
                found |= {slot.name: slot for slot in _slots(member, declared.env)}
    return found


def _slots(member: nodes.Member, env: Env) -> Iterator[Slot]:
    """What a member gives an exception."""
    if member.kind == "constructor" and member.signature is not None:
        for parameter in member.signature.parameters:
            if parameter.is_property:
                optional = parameter.optional and parameter.default is None
                yield Slot(parameter.name, parameter.position, env, type=parameter.type, optional=optional)
    if member.constant is not None and member.type is None:
        name = member.name if member.kind == "property" else "name"
        yield Slot(name or "", member.position, env, type=_type_of(member, name or ""), doc=member.doc)
    elif member.kind == "property" and member.name is not None:
        yield Slot(
            member.name, member.position, env, type=member.type, optional=member.optional, doc=member.doc, member=member
        )
    elif member.kind == "method" and member.name is not None and member.signature is not None:
        yield Slot(member.name, member.position, env, signature=member.signature, doc=member.doc, member=member)


def _type_of(member: nodes.Member, name: str) -> nodes.TypeNode:
    """The type of what is only given a value: of a name, that value."""
    value = member.constant
    if name in _OF_EVERY_ERROR and value is not None:
        return nodes.Constant(member.position, value)
    kind = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"
    return nodes.Keyword(member.position, kind)
