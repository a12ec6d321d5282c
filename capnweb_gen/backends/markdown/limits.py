"""Bounds of values in words."""

from __future__ import annotations

from capnweb_gen import ir
from capnweb_gen.backends.markdown.types import code

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def limits(shape: ir.TypeShape) -> list[str]:
    """What is said of the values of a type, and of those inside it."""
    return [word for part in ir.walk(shape) if isinstance(part, ir.ConstrainedShape) for word in _limits(part)]


def _limits(shape: ir.ConstrainedShape) -> list[str]:
    found = [f"{sign} {value}" for name, sign in _SIGNS.items() if (value := getattr(shape, name)) is not None]
    if shape.multiple_of is not None:
        found.append(f"a multiple of {shape.multiple_of}")
    if shape.min_length is not None or shape.max_length is not None:
        found.append(_length(shape.min_length, shape.max_length))
    if shape.pattern is not None:
        found.append(f"matches {code(shape.pattern)}")
    if shape.when is not None:
        found.append(f"in the {shape.when}")
    if shape.microseconds is not None:
        found.append("microseconds are rounded" if shape.microseconds == "round" else "whole milliseconds")
    return found


def _length(least: int | None, most: int | None) -> str:
    if least == most:
        return f"of length {least}"
    if most is None:
        return f"of length {least} or more"
    return f"of length {most} or less" if least is None else f"of length {least} to {most}"
