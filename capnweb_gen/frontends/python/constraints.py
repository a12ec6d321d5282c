"""Constraints beside a type in `Annotated[...]`: bounds, lengths, patterns.

Rule: they become plain numbers and texts that a generated module holds, so that they are checked without the schema's
own objects. What cannot be said so is refused: a constraint that nobody checks is worse than none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Annotated

import typing_extensions
from annotated_types import BaseMetadata, GroupedMetadata
from pydantic import Field, Strict, TypeAdapter
from pydantic.fields import FieldInfo

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.type_names import constant
from capnweb_runtime.schema import ByReference, Microseconds, SecretMark

_BOUNDS = ("ge", "gt", "le", "lt")
_LENGTHS = ("min_length", "max_length")
_NAMES = (*_BOUNDS, *_LENGTHS, "multiple_of", "pattern")
_DESCRIBING = frozenset({"annotation", "title", "description", "examples", "deprecated", "strict", "discriminator"})
_NUMBERS: frozenset[ir.ScalarName] = frozenset({"int", "float", "decimal"})
_TEXTS: frozenset[ir.ScalarName] = frozenset({"str", "bytes", "bytearray"})
_HINT = "use ge, gt, le, lt, multiple_of, min_length, max_length and pattern, or put it on a field of a pydantic model"


def constrained(item: ir.TypeShape, metadata: Iterable[object]) -> ir.TypeShape:
    """A type with what stands beside it in `Annotated`."""
    found: dict[str, int | float | str] = {}
    for entry in metadata:
        for name, value in _constraints(entry):
            if name not in _NAMES or not isinstance(value, int | float | str):
                raise UnsupportedTypeError(f"the constraint {name}={constant(value)} cannot be checked here", _HINT)
            if isinstance(value, float) and not math.isfinite(value):
                raise UnsupportedTypeError(f"the constraint {name}={value!r} is no bound", "leave it out")
            found[name] = value
    if not found:
        return item
    if isinstance(item, ir.OptionalShape):
        return ir.OptionalShape(item=_checked(item.item, found))
    return _checked(item, found)


def _checked(item: ir.TypeShape, found: dict[str, int | float | str]) -> ir.ConstrainedShape:
    plain = item
    while isinstance(plain, ir.NewTypeShape | ir.ConstrainedShape):
        plain = plain.item
    name = plain.name if isinstance(plain, ir.Scalar) else None
    sized = name in _TEXTS or isinstance(plain, ir.ListShape | ir.DictShape | ir.CollectionShape)
    for constraint, value in found.items():
        if not {"pattern": name == "str", "multiple_of": name == "int"}.get(
            constraint, name in _NUMBERS if constraint in _BOUNDS else sized
        ):
            hint = "bounds are of numbers, multiple_of of int, lengths of texts and lists, pattern of str"
            raise UnsupportedTypeError(f"{constraint} cannot be checked of such a type", hint)
        if constraint == "pattern":
            _compile(str(value))
    return ir.ConstrainedShape.model_validate({"item": item, **found})


def _compile(pattern: str) -> None:
    try:
        TypeAdapter(Annotated[str, Field(pattern=pattern)])
    except Exception as error:
        reason = f"the pattern {pattern!r} is none that pydantic reads"
        hint = "correct it; pydantic reads the syntax of Rust's crate regex, without lookaround and backreferences"
        raise UnsupportedTypeError(reason, hint) from error


def _constraints(entry: object) -> Iterator[tuple[str, object]]:
    """What an object in Annotated demands, by name."""
    if isinstance(entry, FieldInfo):
        for name, value in _given(entry).items():
            if name not in _DESCRIBING and name not in _NAMES:
                yield name, value
        for inner in entry.metadata:
            yield from _constraints(inner)
    elif isinstance(entry, GroupedMetadata):
        for inner in entry:
            yield from _constraints(inner)
    elif isinstance(entry, Strict | typing_extensions.Doc | ByReference | Microseconds | SecretMark):
        return  # all is strict here
    elif isinstance(entry, BaseMetadata) or type(entry).__name__ == "_PydanticGeneralMetadata":
        for name, value in _attributes(entry).items():
            if value is not None and name != "strict":
                yield name, value
    else:
        raise UnsupportedTypeError("Annotated says what nothing would check here", _HINT)


def _given(field: FieldInfo) -> dict[str, object]:
    """The arguments that Field() was called with, as pydantic keeps them."""
    given: dict[str, object] = getattr(field, "_attributes_set", {})
    return given


def _attributes(entry: object) -> dict[str, object]:
    names: Iterable[str] = getattr(entry, "__dataclass_fields__", None) or vars(entry)
    return {name: getattr(entry, name) for name in names}
