"""The parts of a generated method that are the same in every class which has it.

Rule: pure functions of the IR; how types are spelled is decided by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping

from capnweb_gen import ir
from capnweb_gen.lower import layout

METHOD = layout.STEP
"""The indentation of a method."""
BODY = layout.STEP * 2
"""The indentation of its body."""


def class_doc(text: str) -> str:
    """The docstring of a class."""
    return layout.docstring(text, indent=METHOD)


def interface_doc(interface: ir.Interface, otherwise: str) -> str:
    """The docstring of a class made for an interface: that of the schema, or another one, with its deprecation.

    A decorator would make type checkers report the generated module itself, which names its classes.
    """
    told = interface.doc or otherwise
    return class_doc(told if interface.deprecated is None else f"{told}\n\nDeprecated: {interface.deprecated.message}")


def doc(member: ir.Method | ir.Property | ir.ModelField) -> str | None:
    """The docstring of a member, if the schema gives one."""
    return layout.docstring(member.doc, indent=BODY) if member.doc else None


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
