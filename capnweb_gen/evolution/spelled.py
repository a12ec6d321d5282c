"""Declarations in one line, for those who have no file to look at. Rule: as a schema in Python says it."""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.client.spelled import signature, type_text


def member_text(member: ir.Method | ir.Property) -> str:
    """A method or a property."""
    if isinstance(member, ir.Property):
        return f"{member.name}: {type_text(member.type)}"
    return f"def {signature(member)}"


def field_text(field: ir.ModelField) -> str:
    """A field of a model."""
    return f"{field.name}: {type_text(field.type)}{'' if field.required else ' = ...'}"
