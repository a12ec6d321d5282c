"""Models: from objects that travel by value to the IR.

Rule: what may be left out is left out where it is sent, since `undefined` is not `null` to whoever reads it. A
pydantic model has a value for every field, so that an object with a member that may be left out and may not be null
becomes a typed dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from capnweb_gen import ir, naming
from capnweb_gen.frontends.typescript import names
from capnweb_gen.frontends.typescript.comments import docstring
from capnweb_gen.frontends.typescript.decisions import Notes
from capnweb_gen.frontends.typescript.evaluate import Slot, View
from capnweb_gen.frontends.typescript.files import File
from capnweb_gen.frontends.typescript.members import deprecation, optional
from capnweb_gen.frontends.typescript.names import Hint, Module, part_name
from capnweb_gen.frontends.typescript.nodes import Doc
from capnweb_gen.frontends.typescript.shapes import BROKEN, Shapes
from capnweb_gen.naming import Case
from capnweb_runtime.schema import FORBIDDEN_KEYS

_NULLABLE = (ir.Scalar(name="any"), ir.Scalar(name="json"), ir.Scalar(name="none"))


class ModelReader:
    """Reads models."""

    def __init__(self, shapes: Shapes, notes: Notes) -> None:
        self._shapes = shapes
        self._notes = notes

    def model(
        self,
        module: Module,
        name: str,
        doc: Doc,
        view: View,
        at: tuple[File, ir.Position],
        hint: Hint,
    ) -> ir.Model:
        """Describe a model; `at` is where it stands."""
        file, position = at
        typed = [(slot, self._type(slot, hint)) for slot in view.slots.values() if self._is_field(slot)]
        made = any(slot.optional and (slot.made_optional or not _nullable(shape)) for slot, shape in typed)
        extra = self._extra(view)
        if made and extra == "allow":  # a typed dictionary cannot have keys that are not listed
            made = False
            typed = [(slot, optional(shape) if slot.optional else shape) for slot, shape in typed]
            text = f"{name or 'this'} has members of any name, so that what may be left out is null where it is"
            self._notes.decide(file, position, text)
        elif made:
            which = next(
                slot for slot, shape in typed if slot.optional and (slot.made_optional or not _nullable(shape))
            )
            text = f"{name or 'this'} is a typed dictionary, since {which.name} may be left out, but is not null then"
            self._notes.decide(file, position, text)
        said = doc
        form = "typed_dict" if made else "pydantic"
        if doc.deprecated is not None:
            said = replace(doc, text=_with_deprecation(doc))
        if form == "typed_dict":
            fields = tuple(self._keys(typed, module.case))
        else:
            fields = tuple(self._fields(typed, module.case))
        if form == "typed_dict" and not all(names.is_attribute(field.accepts) for field in fields):
            said = replace(said, text="")
            fields = tuple(field.model_copy(update={"doc": None}) for field in fields)
            said = Doc()
        return ir.Model(
            name=name,
            module=module.name,
            path=file.shown,
            doc=docstring(said),
            fields=fields,
            extra="forbid" if "forbid_extra" in doc.marks() else extra,
            form="typed_dict" if made else "pydantic",
            position=position,
        )

    def _is_field(self, slot: Slot) -> bool:
        if slot.name in FORBIDDEN_KEYS:
            what = f"{slot.name} is a name that every JavaScript object has: peers drop it"
            self._notes.fault(slot.env.file, slot.position, what, "rename it")
            return False
        return not slot.name.startswith("#")

    def _type(self, slot: Slot, hint: Hint) -> ir.TypeShape:
        closure = slot.closure
        if closure is None:
            self._notes.fault(slot.env.file, slot.position, f"the type of {slot.name} is not declared", "declare it")
            return BROKEN
        shape = self._shapes.shape(closure, hint.inside(part_name(slot.name)))
        if slot.optional and shape == ir.Scalar(name="none"):
            return shape
        return shape

    def _extra(self, view: View) -> Literal["ignore", "allow"]:
        """What becomes of members that are not listed."""
        if view.index is None:
            return "ignore"
        index = view.index
        shape = self._shapes.shape(index, Hint("Extra", "Extra"))
        if shape not in (BROKEN, ir.Scalar(name="any")):
            hint = "write unknown there, or put the others into a member of their own: others: Record<string, T>"
            what = "beside members that are listed, those that are not can only be unknown"
            self._notes.fault(index.env.file, index.position, what, hint)
        return "allow"

    def _fields(self, typed: Iterable[tuple[Slot, ir.TypeShape]], case: Case) -> Iterable[ir.ModelField]:
        """The fields of a pydantic model."""
        taken: list[str] = []
        for slot, shape in typed:
            name = names.field_name(slot.name, taken, said=names.said_name(slot.doc))
            taken.append(name)
            yield ir.ModelField(
                name=name,
                wire=slot.name,
                accepts=name,
                doc=docstring(slot.doc),
                deprecated=_field_deprecation(slot.doc),
                type=shape,
                required=not slot.optional and not _has_default(slot, shape),
                computed="computed" in slot.doc.marks(),
                secret="secret" in slot.doc.marks(),
                position=slot.position,
            )

    def _keys(self, typed: Iterable[tuple[Slot, ir.TypeShape]], case: Case) -> Iterable[ir.ModelField]:
        """The keys of a typed dictionary. They are written as the module spells names on the wire."""
        found = [(slot, shape, names.key_name(slot.name, case)) for slot, shape in typed]
        taken = {key for _, _, key in found if names.is_attribute(key)}
        for slot, shape, key in found:
            name = key
            if not names.is_attribute(key):
                name = naming.as_name(key)
                while name in taken:
                    name = f"{name}_"
                taken.add(name)
            yield ir.ModelField(
                name=name,
                wire=slot.name,
                accepts=key,
                doc=docstring(replace(slot.doc, text=_with_deprecation(slot.doc))),
                type=shape,
                required=not slot.optional,
                computed="computed" in slot.doc.marks(),
                secret="secret" in slot.doc.marks(),
                position=slot.position,
            )


def _nullable(shape: ir.TypeShape) -> bool:
    return shape is BROKEN or isinstance(shape, ir.OptionalShape) or shape in _NULLABLE


def _has_default(slot: Slot, shape: ir.TypeShape) -> bool:
    """Whether a comment says that Python has a default for what is always sent: for one of a few constants."""
    return "optional" in slot.doc.marks() and _is_constant(shape)


def _is_constant(shape: ir.TypeShape) -> bool:
    return isinstance(shape, ir.LiteralShape) or (isinstance(shape, ir.EnumShape) and shape.partial)


def _with_deprecation(doc: Doc) -> str:
    if doc.deprecated is None:
        return doc.text
    said = f"Deprecated: {doc.deprecated}" if doc.deprecated else "Deprecated."
    return f"{doc.text}\n\n{said}" if doc.text else said


def _field_deprecation(doc: Doc) -> ir.Deprecation | None:
    return deprecation(doc)
