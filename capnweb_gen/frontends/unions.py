"""Unions: which types can be told apart by the form that they have on the wire.

Rule: a reader must never have to guess. Two types that travel in the same form are refused together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError

_FORMS: dict[ir.ScalarName, str] = {
    "bool": "true or false",
    "int": "an integer",
    "float": "a number",
    "timedelta": "a number",
    "str": "a string",
    "date": "a string",
    "time": "a string",
    "decimal": "a string",
    "uuid": "a string",
    "bytes": "bytes",
    "bytearray": "bytes",
    "exact_datetime": "a string",
    "local_datetime": "a string",
    "datetime": "a date",
}
_CONSTANT_FORMS: dict[type[ir.LiteralValue], str] = {bool: "true or false", int: "an integer", str: "a string"}
_HINT = "unions are of types that have different forms on the wire, such as int | str | list[int] or Profile | str"
_OPEN_HINT = "write Open[...] around the whole union"
_APART_HINT = "write one of them, or two models that a Literal field with different values tells apart"


def union(written: Sequence[str], shapes: Sequence[ir.TypeShape]) -> ir.TypeShape:
    """The shape of a union of several types, each of which may be a union that has a name.

    Args:
        written: how the schema spells the types.
        shapes: their shapes.
    """
    members: dict[str, ir.TypeShape] = {}
    null = False
    for name, shape in zip(written, shapes, strict=True):
        if isinstance(shape, ir.OptionalShape):
            shape, null = shape.item, True
        if isinstance(shape, ir.OpenShape):
            raise UnsupportedTypeError(f"{' | '.join(written)} is a union with an open type in it", _OPEN_HINT)
        for member in shape.members if isinstance(shape, ir.UnionShape) else (shape,):
            if member == ir.Scalar(name="none"):
                null = True
            elif not any(forms(member)):
                names = " | ".join(written)
                raise UnsupportedTypeError(f"{names} is a union with {name}", _HINT)
            else:
                members.setdefault(repr(member), member)
    _refuse_what_looks_alike(written, tuple(members.values()))
    found = ir.UnionShape(members=tuple(members.values())) if len(members) > 1 else next(iter(members.values()))
    return ir.OptionalShape(item=found) if null else found


def forms(shape: ir.TypeShape) -> Iterator[str]:
    """The forms that values of a type have on the wire; none for what cannot be part of a union."""
    match shape:
        case ir.Scalar(name=name):
            if name in _FORMS:
                yield _FORMS[name]
        case ir.LiteralShape(values=values):
            yield from dict.fromkeys(_CONSTANT_FORMS[type(value)] for value in values)
        case ir.EnumShape(members=members):
            yield from dict.fromkeys(_CONSTANT_FORMS[type(member.value)] for member in members)
        case ir.TextShape() | ir.SturdyRefShape():
            yield "a string"
        case ir.NewTypeShape(item=item) | ir.ConstrainedShape(item=item) | ir.OpenShape(item=item):
            yield from forms(item)
        case ir.ListShape() | ir.TupleShape() | ir.CollectionShape():
            yield "an array"
        case ir.DictShape() | ir.ModelShape():
            yield "an object"
        case _:
            pass


def _refuse_what_looks_alike(written: Sequence[str], members: Sequence[ir.TypeShape]) -> None:
    names = " | ".join(written)
    taken: dict[str, ir.TypeShape] = {}
    for member in members:
        if isinstance(member, ir.LiteralShape):
            continue  # the constants come first; whatever else is of this form is not one of them
        for form in forms(member):
            other = taken.setdefault(form, member)
            both_models = isinstance(other, ir.ModelShape) and isinstance(member, ir.ModelShape)
            if other is not member and not both_models:  # whether models have a tag is known when they have been read
                raise UnsupportedTypeError(f"in {names}, two types travel as {form}", _APART_HINT)
    enums = [member for member in members if isinstance(member, ir.EnumShape)]
    numbers = {"an integer", "a number"}
    for member in enums:
        if any(form in numbers for form in forms(member)) and numbers & (taken.keys() - set(forms(member))):
            raise UnsupportedTypeError(f"in {names}, two types travel as a number", _APART_HINT)
    constants = [member for member in members if isinstance(member, ir.LiteralShape)]
    if any(set(forms(one)) & set(forms(other)) for one in enums for other in constants):
        raise UnsupportedTypeError(f"in {names}, constants with and without names are mixed", _APART_HINT)


def _what(shape: ir.TypeShape) -> str:
    return shape.name if isinstance(shape, ir.Scalar) else shape.kind.replace("_", " ")


def opened(shape: ir.TypeShape) -> ir.TypeShape:
    """The shape of a type to which later versions of a schema may add.

    Raises:
        UnsupportedTypeError: the type is not one of a known few.
    """
    match shape:
        case ir.OptionalShape(item=item):
            return ir.OptionalShape(item=opened(item))
        case ir.EnumShape() | ir.LiteralShape() | ir.UnionShape():
            return ir.OpenShape(item=shape)
        case ir.OpenShape():
            return shape
        case _:
            raise UnsupportedTypeError(
                f"Open is said of the type {_what(shape)}, to which no values can be added",
                "put it around an enum, a Literal or a union; a model may get further fields without it",
            )
