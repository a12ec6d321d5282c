"""Two versions of an interface, or of a function that is passed.

Rule: members are the same if they have one name on the wire. What clients serve is called by servers: there, values go
the other way round, and so do effects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from capnweb_gen import graph, ir
from capnweb_gen.evolution.effects import BREAKS, SAFE, Effects
from capnweb_gen.evolution.findings import Findings, Where
from capnweb_gen.evolution.parameters import compare_parameters
from capnweb_gen.evolution.rules import BY_ID
from capnweb_gen.evolution.sides import Owned, Part, Place, Side, place_in, place_of_interface
from capnweb_gen.evolution.spelled import field_text, member_text
from capnweb_gen.evolution.types import Types
from capnweb_gen.evolution.work import Functions, Interfaces

_Member = ir.Method | ir.Property
_Owner = Owned[ir.Interface]


class MemberComparison:
    """Compares what can be called.

    Args:
        old: the version of then.
        new: that of now.
        types: compares types.
        findings: told what is found.
    """

    def __init__(self, old: Side, new: Side, types: Types, findings: Findings) -> None:
        self._old = old
        self._new = new
        self._types = types
        self._found = findings

    def interfaces(self, pair: Interfaces) -> None:
        """Compare two interfaces."""
        before, after = self._old.members(pair.old), self._new.members(pair.new)
        for wire, (member, owner) in before.items():
            if wire not in after:
                self._removed(member, owner, pair)
            else:
                self._same(member, owner, *after[wire], pair.by_clients)
        for wire, (member, owner) in after.items():
            if wire not in before:
                at = place_in(owner, member.position, member_text(member))
                was = place_of_interface(pair.old, f"class {pair.old.node.name}")
                where = Where(f"{owner.node.name}.{member.name}", at, was, not pair.by_clients)
                self._tell(where, pair.by_clients, "member-added", f"this {member.kind} was added")

    def functions(self, pair: Functions) -> None:
        """Compare two functions that are passed."""
        self._signatures(pair.old, pair.old_schema, pair.new, pair.new_schema, pair.where, pair.by_clients)
        self._raises(pair.old, pair.old_schema, pair.new, pair.new_schema, pair.where, pair.by_clients)

    def _removed(self, member: _Member, owner: _Owner, pair: Interfaces) -> None:
        at = place_of_interface(pair.new, f"class {pair.new.node.name}")
        was = place_in(owner, member.position, member_text(member))
        renamed = next((one for one, _ in self._new.members(pair.new).values() if one.name == member.name), None)
        message = f"this {member.kind} was removed"
        if renamed is not None:
            message = f"it was called {member.wire!r} on the wire, and is called {renamed.wire!r}"
        path = f"{pair.new.node.name}.{member.name}"
        self._tell(Where(path, at, was, not pair.by_clients), pair.by_clients, "member-removed", message)

    def _same(self, old: _Member, old_owner: _Owner, new: _Member, new_owner: _Owner, by_clients: bool) -> None:
        at = place_in(new_owner, new.position, member_text(new))
        was = place_in(old_owner, old.position, member_text(old))
        where = Where(f"{new_owner.node.name}.{new.name}", at, was, by_clients)
        if old.name != new.name:
            self._found.add("member-renamed", where, f"it was called {old.name}, and is called {new.name}")
        before, after = old_owner.schema, new_owner.schema
        match old, new:
            case ir.Method(), ir.Method():
                self._signatures(old, before, new, after, where, by_clients)
            case ir.Property(), ir.Property():
                self._types.compare(Part(old.type, before), Part(new.type, after), where)
            case _:
                message = f"it was a {old.kind}, and is a {new.kind}"
                self._tell(where, by_clients, "member-kind-changed", message)
                return
        self._raises(old, before, new, after, where, by_clients)

    def _tell(self, where: Where, by_clients: bool, rule: str, message: str, effects: Effects | None = None) -> None:
        effects = effects or BY_ID[rule].effects
        self._found.add(rule, where, message, effects.swapped() if by_clients else effects)

    # ---- what is taken and given

    def _signatures(
        self,
        old: ir.Method,
        old_schema: ir.Schema,
        new: ir.Method,
        new_schema: ir.Schema,
        where: Where,
        by_clients: bool,
    ) -> None:
        """Where `where` says which way results go, arguments go the other."""

        def of(parameter: ir.Parameter | None, other: ir.Parameter | None) -> Where:
            at = where.at if parameter is None else _moved_to(where.at, parameter.position)
            was = where.was if other is None or where.was is None else _moved_to(where.was, other.position)
            named = parameter or other
            path = where.path if named is None else f"{where.path}.{named.name}"
            return replace(where, path=path, at=at, was=was, up=not by_clients)

        def types(one: ir.Parameter, other: ir.Parameter) -> None:
            self._types.compare(Part(one.type, old_schema), Part(other.type, new_schema), of(other, one))

        def tell(
            rule: str,
            new: ir.Parameter | None,
            old: ir.Parameter | None,
            message: str,
            effects: Effects | None = None,
        ) -> None:
            self._tell(of(new, old), by_clients, rule, message, effects)

        compare_parameters(old.parameters, new.parameters, types, tell)
        result = replace(where, up=by_clients)
        self._types.compare(Part(old.result, old_schema), Part(new.result, new_schema), result)

    # ---- exceptions

    def _raises(
        self,
        old: _Member,
        old_schema: ir.Schema,
        new: _Member,
        new_schema: ir.Schema,
        where: Where,
        by_clients: bool,
    ) -> None:
        before, after = _errors(old.raises, old_schema), _errors(new.raises, new_schema)
        names = {(error.module, error.name): wire for wire, error in after.items()}
        known = {(error.module, error.name) for error in before.values()}
        for wire, error in before.items():
            if wire in after:
                self._fields(error, old_schema, after[wire], new_schema, by_clients)
                continue
            message = f"it no longer declares {error.name}"
            renamed = names.get((error.module, error.name))
            if renamed is not None:
                message = f"{error.name} was called {wire!r} on the wire, and is called {renamed!r}"
            self._tell(where, by_clients, "exception-removed", message)
        for wire, error in after.items():
            if wire not in before and (error.module, error.name) not in known:
                self._tell(where, by_clients, "exception-added", f"it declares {error.name}")

    def _fields(
        self, old: ir.Error, old_schema: ir.Schema, new: ir.Error, new_schema: ir.Schema, by_clients: bool
    ) -> None:
        before, after = ({field.wire: field for field in error.fields} for error in (old, new))
        at = Place(new.path, new.position.line, new.position.column, f"class {new.name}")
        was = Place(old.path, old.position.line, old.position.column, f"class {old.name}")
        where = Where(new.name, at, was, by_clients, "exception-field-changed")
        if old.name != new.name:
            self._found.add("declaration-renamed", replace(where, under=""), f"{old.name} is called {new.name} now")
        for wire, field in before.items():
            there = Place(old.path, field.position.line, field.position.column, field_text(field))
            if wire not in after:
                missed = BREAKS if field.required else SAFE
                gone = replace(where, path=f"{new.name}.{field.name}", was=there)
                self._tell(gone, by_clients, where.under, "it was removed", Effects(missed, SAFE, code=True))
                continue
            here = Place(new.path, after[wire].position.line, after[wire].position.column, field_text(after[wire]))
            kept = replace(where, path=f"{new.name}.{after[wire].name}", at=here, was=there)
            self._types.compare(Part(field.type, old_schema), Part(after[wire].type, new_schema), kept)
        for wire, field in after.items():
            if wire not in before and field.required:
                here = Place(new.path, field.position.line, field.position.column, field_text(field))
                added = replace(where, path=f"{new.name}.{field.name}", at=here)
                self._tell(added, by_clients, where.under, "it was added", Effects(SAFE, BREAKS, code=True))


def _errors(references: Sequence[ir.Reference], schema: ir.Schema) -> dict[str, ir.Error]:
    found = (graph.find_error(reference, schema) for reference in references)
    return {error.wire: error for error in found if error is not None}


def _moved_to(place: Place, position: ir.Position) -> Place:
    return replace(place, line=position.line, column=position.column)
