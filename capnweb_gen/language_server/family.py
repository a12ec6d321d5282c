"""The declarations that are one member: where an interface inherits another, a member of both has one name.

Rule: pure functions over what was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from capnweb_gen import graph, ir

Key = tuple[str, str]  # the module and the name of an interface


@dataclass(frozen=True)
class Declaration:
    """A member as one interface declares it."""

    schema: ir.Schema
    interface: ir.Interface
    member: ir.Method | ir.Property


def family(
    interface: ir.Interface, schema: ir.Schema, member: str, schemas: Mapping[str, ir.Schema]
) -> tuple[list[Declaration], list[tuple[ir.Schema, ir.Interface]]]:
    """A member with all declarations that are the same one.

    Args:
        interface: one that declares it.
        schema: which declares the interface.
        member: its name.
        schemas: all schemas, by module.

    Returns:
        The declarations, and the interfaces that have the member, also by inheriting it.
    """
    having = [
        (home, one, {_key(there, where) for there, where in graph.lineage(one, home, schemas) if _own(there, member)})
        for home in schemas.values()
        for one in home.interfaces
    ]
    known = {_key(interface, schema)}
    while more := set[Key]().union(*(keys for _, _, keys in having if keys & known)) - known:
        known |= more
    declared = [
        Declaration(home, one, found)
        for home, one, _ in having
        if _key(one, home) in known and (found := _own(one, member)) is not None
    ]
    return declared, [(home, one) for home, one, keys in having if keys & known]


def _key(interface: ir.Interface, schema: ir.Schema) -> Key:
    origin = interface.generic.origin if interface.generic else None
    return (origin.module, origin.name) if origin else (schema.module, interface.name)


def _own(interface: ir.Interface, member: str) -> ir.Method | ir.Property | None:
    return next((one for one in interface.members if one.name == member), None)
