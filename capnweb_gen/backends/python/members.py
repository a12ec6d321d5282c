"""The parts of a generated method that are the same in every class which has it.

Rule: pure functions of the IR; how types are spelled is decided by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from capnweb_gen import graph, ir
from capnweb_gen.backends.python import layout

METHOD = layout.STEP
"""The indentation of a method."""
BODY = layout.STEP * 2
"""The indentation of its body."""
_RAISES_SECTION = re.compile(r"^\s*(Raises:|:raises )", re.MULTILINE)


def class_doc(text: str) -> str:
    """The docstring of a class."""
    return layout.docstring(text, indent=METHOD)


def interface_doc(interface: ir.Interface | ir.Callback, otherwise: str) -> str:
    """The docstring of a class made for an interface or a callback: that of the schema, or another one, with its
    deprecation.

    A decorator would make type checkers report the generated module itself, which names its classes.
    """
    told = interface.doc or otherwise
    return class_doc(told if interface.deprecated is None else f"{told}\n\nDeprecated: {interface.deprecated.message}")


def doc(member: ir.Method | ir.Property, schema: ir.Schema) -> str | None:
    """The docstring of a member: what the schema says of it and what it raises, unless that is said already."""
    text = member.doc or ""
    if member.raises and not _RAISES_SECTION.search(text):
        lines = [f"{layout.STEP}{_raised(reference, schema)}" for reference in member.raises]
        names = ", ".join(reference.name for reference in member.raises)
        text = "\n".join([text, "", "Raises:", *lines]) if text else f"Raises: {names}."
    return layout.docstring(text, indent=BODY) if text else None


def _raised(reference: ir.Reference, schema: ir.Schema) -> str:
    error = graph.find_error(reference, schema)
    first = (error.doc or "").strip().partition("\n")[0] if error else ""
    return f"{reference.name}: {first}" if first else reference.name


def field_doc(field: ir.ModelField) -> str | None:
    """The docstring of an attribute of a promise, if the schema gives one."""
    return layout.docstring(field.doc, indent=BODY) if field.doc else None


def parameters(method: ir.Method, written: Mapping[str, str]) -> list[str]:
    """The parameters of a method as written, with self and the markers between the ways of passing them."""
    before = [written[parameter.name] for parameter in method.parameters if parameter.passing == "positional_only"]
    normal = [written[parameter.name] for parameter in method.parameters if parameter.passing == "positional"]
    rest = [f"*{written[parameter.name]}" for parameter in method.parameters if parameter.passing == "variadic"]
    after = [written[parameter.name] for parameter in method.parameters if parameter.passing == "keyword"]
    if after and not rest:
        rest = ["*"]
    return ["self", *before, *(["/"] if before else []), *normal, *rest, *after]


def passed(parameter: ir.Parameter) -> str:
    """A parameter of a stub's method as an argument of the call that it makes."""
    match parameter.passing:
        case "keyword":
            return f"{parameter.name}={parameter.name}"
        case "variadic":
            return f"*{parameter.name}"
        case "positional" | "positional_only":
            return parameter.name
