"""Two versions of a model, of values that go one way.

Rule: fields are the same if they have one name on the wire. What is missing where it is read counts, unless the reader
has a default; what is read by nobody counts only where a model forbids it.
"""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.evolution.effects import BREAKS, CHECKED, SAFE, WARNS, Effect, Effects
from capnweb_gen.evolution.findings import Findings, Where
from capnweb_gen.evolution.sides import Owned, Part, Place
from capnweb_gen.evolution.spelled import field_text
from capnweb_gen.evolution.types import Types
from capnweb_gen.evolution.work import Models


class ModelComparison:
    """Compares the fields of two models.

    Args:
        pair: the models, and which way their values go.
        types: compares the types of fields.
        findings: told what is found.
    """

    def __init__(self, pair: Models, types: Types, findings: Findings) -> None:
        self._pair = pair
        self._up = pair.up
        self._old = pair.old.node
        self._new = pair.new.node
        self._types = types
        self._found = findings

    def run(self) -> None:
        """Tell of what has changed."""
        if self._old.form != self._new.form:
            self._found.add(
                "container-changed",
                self._where(None, None),
                f"it was a {_form(self._old)}, and is a {_form(self._new)}",
            )
        old, new = _sent(self._old), _sent(self._new)
        by_name = {field.name: field for field in new.values() if field.wire not in old}
        for wire, field in old.items():
            other = new.get(wire) or by_name.get(field.name)
            if other is None:
                self._removed(field)
            elif other.wire != wire:
                del new[other.wire]
                message = f"it was called {wire!r} on the wire, and is called {other.wire!r}"
                self._found.add("field-renamed", self._where(other, field), message)
            else:
                self._same(field, other)
        for field in new.values():
            if field.wire not in old:
                self._added(field)

    def _same(self, old: ir.ModelField, new: ir.ModelField) -> None:
        where = self._where(new, old)
        self._types.compare(Part(old.type, self._pair.old.schema), Part(new.type, self._pair.new.schema), where)
        if old.name != new.name:
            self._found.add("declaration-renamed", where, f"it was called {old.name}, and is called {new.name}")
        if old.required and not new.required and not self._up:
            effects = None if self._new.form == "typed_dict" else Effects(WARNS, SAFE)
            self._found.add("result-field-removed", where, "it may be missing now", effects)
        elif old.required and not new.required:
            effect = BREAKS if self._new.form == "typed_dict" else WARNS
            self._found.add("argument-field-removed", where, "it may be missing now", Effects(SAFE, effect))
        elif new.required and not old.required and self._up:
            effect = BREAKS if self._old.form == "typed_dict" else WARNS
            self._found.add("argument-field-required", where, "it has no default any more", Effects(effect, SAFE))
        elif new.required and not old.required:
            effect = BREAKS if self._old.form == "typed_dict" else WARNS
            self._found.add("result-field-added", where, "it has no default any more", Effects(SAFE, effect))

    def _added(self, field: ir.ModelField) -> None:
        """What the old one does not know: it reads it, and the new one misses it."""
        ignored = _ignored(self._old)
        where = self._where(field, None)
        missed = SAFE if not field.required or field.computed else BREAKS
        if not self._up:
            self._found.add("result-field-added", where, "it was added", Effects(ignored, missed))
        elif missed is BREAKS:
            self._found.add("argument-field-required", where, "it was added", Effects(BREAKS, ignored, code=True))
        elif not field.computed:
            lost = ignored if ignored is not SAFE else WARNS
            self._found.add("argument-field-added", where, "it was added", Effects(SAFE, lost))

    def _removed(self, field: ir.ModelField) -> None:
        ignored = _ignored(self._new)
        where = self._where(None, field)
        missed = SAFE if not field.required or field.computed else BREAKS
        if not self._up:
            self._found.add("result-field-removed", where, "it was removed", Effects(missed, ignored, code=True))
        elif not field.computed:
            self._found.add("argument-field-removed", where, "it was removed", Effects(ignored, missed, code=True))

    def _where(self, new: ir.ModelField | None, old: ir.ModelField | None) -> Where:
        named = new or old
        path = f"{self._new.name}.{named.name}" if named else self._new.name
        at, was = _place(self._pair.new, new), _place(self._pair.old, old)
        return Where(path, at, was, self._up, self._pair.under)


def _sent(model: ir.Model) -> dict[str, ir.ModelField]:
    return {field.wire: field for field in model.fields}


def _ignored(reader: ir.Model) -> Effect:
    """What becomes of a field that the reader does not know."""
    return CHECKED if reader.extra == "forbid" else SAFE


def _form(model: ir.Model) -> str:
    return "pydantic model" if model.form == "pydantic" else model.form.replace("_", " ")


def _place(model: Owned[ir.Model], field: ir.ModelField | None) -> Place:
    position = (field or model.node).position
    text = "" if field is None else field_text(field)
    return Place(model.node.path, position.line, position.column, text or f"class {model.node.name}")
