"""A type by the forms that its values have on the wire, and which values of a form it has.

Rule: what Python calls a type does not matter here. Two types that have no form in common are different things; two
that have one differ in the values that they allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from capnweb_gen import ir
from capnweb_gen.evolution.sides import Part, Side

Form = Literal[
    "null", "bool", "number", "seconds", "text", "bytes", "date", "array", "object", "capability", "stream", "writable",
    "anything", "blob", "url", "headers", "request", "response",
]  # fmt: skip
BY_REFERENCE: frozenset[Form] = frozenset({"capability", "stream", "writable"})
SAFE_INTEGER = 2**53
_IN_JSON: frozenset[Form] = frozenset({"null", "bool", "number", "seconds", "text", "array", "object", "anything"})

_SCALARS: dict[ir.ScalarName, Form] = {
    "none": "null",
    "bool": "bool",
    "int": "number",
    "float": "number",
    "timedelta": "seconds",
    "str": "text",
    "date": "text",
    "time": "text",
    "decimal": "text",
    "uuid": "text",
    "exact_datetime": "text",
    "local_datetime": "text",
    "bytes": "bytes",
    "bytearray": "bytes",
    "datetime": "date",
    "json": "anything",
    "any": "anything",
}
_KINDS: dict[ir.ScalarName, set[str]] = {"none": set(), "bytearray": {"bytes"}, "float": {"float", "int"}}
_CONSTANTS: dict[type[ir.LiteralValue], Form] = {bool: "bool", int: "number", str: "text"}
_WHOLE = {"text": "str", "number": "float", "bool": "bool"}
"""What of a form has all values of it."""


@dataclass
class Values:
    """Which values of one form a type has.

    Attributes:
        kinds: names of what is taken whole: scalars, formats of texts.
        constants: single values, by type as well: True equals 1.
        parts: types of which more has to be said: arrays, objects, capabilities.
        limits: the bounds.
    """

    kinds: set[str] = field(default_factory=set[str])
    constants: set[tuple[str, ir.LiteralValue]] = field(default_factory=set[tuple[str, ir.LiteralValue]])
    parts: list[Part] = field(default_factory=list[Part])
    limits: list[ir.ConstrainedShape] = field(default_factory=list[ir.ConstrainedShape])

    def covers(self, form: Form, other: Values) -> bool:
        """Whether it has all values of the other, but for limits and parts."""
        whole = _WHOLE.get(form) in self.kinds
        kinds = whole or other.kinds <= self.kinds | ({"flags"} if "int" in self.kinds else set())
        return kinds and (whole or all(self._has(kind, value) for kind, value in other.constants))

    def meets(self, form: Form, other: Values) -> bool:
        """Whether a value of one may be one of the other."""
        plain = (self.constants and other.constants) or self.parts or other.parts
        return bool(plain) or self.covers(form, other) or other.covers(form, self) or bool(self.kinds & other.kinds)

    def _has(self, kind: str, value: ir.LiteralValue) -> bool:
        return kind in self.kinds or (kind, value) in self.constants


@dataclass
class Forms:
    """All values of a type. `open` tells what it takes besides, because later versions may have added it: further
    constants, or anything that is none of the members of a union.
    """

    by_form: dict[Form, Values] = field(default_factory=dict[Form, Values])
    open: Literal["", "constants", "members"] = ""
    names: list[ir.Reference] = field(default_factory=list[ir.Reference])

    def values(self, form: Form) -> Values:
        """Those of one form."""
        return self.by_form.setdefault(form, Values())

    @property
    def told(self) -> set[Form]:
        """The forms, but for null; that only where there is no other."""
        without: set[Form] = {form for form in self.by_form if form != "null"}
        return without or set(self.by_form)


def forms_of(part: Part, side: Side) -> Forms:
    """What values a type has."""
    found = Forms()
    _add(part, side, found, None)
    return found


def _add(part: Part, side: Side, found: Forms, limits: ir.ConstrainedShape | None) -> None:
    match part.shape:
        case ir.OptionalShape(item=item):
            found.values("null")
            _add(part.inside(item), side, found, limits)
        case ir.OpenShape(item=item):
            found.open = "members" if isinstance(item, ir.UnionShape) else "constants"
            _add(part.inside(item), side, found, limits)
        case ir.UnionShape(members=members):
            for member in members:
                _add(part.inside(member), side, found, limits)
        case ir.NewTypeShape(item=item, new_type=reference):
            found.names.append(reference)
            _add(part.inside(item), side, found, limits)
        case ir.ConstrainedShape(item=item):
            _add(part.inside(item), side, found, part.shape)
        case ir.ModelShape() if (model := side.model(part)) is not None and model.node.form == "root":
            found.names.append(part.shape.model)
            _add(Part(model.node.fields[0].type, model.schema), side, found, limits)
        case _:
            _add_plain(part, found, limits)


def _add_plain(part: Part, found: Forms, limits: ir.ConstrainedShape | None) -> None:
    match part.shape:
        case ir.LiteralShape(values=constants):
            _add_constants(constants, found)
        case ir.EnumShape(enum=reference, members=members, flag=flag):
            found.names.append(reference)
            _add_constants([member.value for member in members], found)
            if flag:  # any sum of them
                found.values("number").kinds.add("flags")
        case ir.TextShape(format=written):
            found.values("text").kinds.add(written)
        case ir.SturdyRefShape():
            found.values("text").kinds.add("sturdy_ref")
        case ir.Scalar(name=name):
            values = found.values(_form_of(part.shape))
            values.kinds |= _KINDS.get(name, {name})
            values.limits += [limits] if limits else []
        case _:
            values = found.values(_form_of(part.shape))
            values.parts.append(part)
            values.limits += [limits] if limits else []


def _add_constants(values: Iterable[ir.LiteralValue], found: Forms) -> None:
    for value in values:
        found.values(_CONSTANTS[type(value)]).constants.add((type(value).__name__, value))


def _form_of(shape: ir.TypeShape) -> Form:
    match shape:
        case ir.Scalar(name="blob" | "url" | "headers" | "request" | "response" as name):
            return name
        case ir.Scalar(name=name):
            return _SCALARS[name]
        case ir.ListShape() | ir.CollectionShape() | ir.TupleShape():
            return "array"
        case ir.DictShape() | ir.ModelShape():
            return "object"
        case ir.StreamShape():
            return "stream"
        case ir.WritableShape():
            return "writable"
        case _:
            return "capability"


# ---- limits


def reach(limits: list[ir.ConstrainedShape]) -> float | None:
    """How far from zero a number may be; None if nobody has said so."""
    found = [_bounds(one) for one in limits]
    sides = [bound for bounds in found for bound in bounds]
    if all(bound is None for bound in sides):
        return None
    return float("inf") if any(bound is None for bound in sides) else max(abs(bound) for bound in sides if bound)


def _bounds(limits: ir.ConstrainedShape) -> tuple[float | None, float | None]:
    lower = limits.ge if limits.ge is not None else limits.gt
    upper = limits.le if limits.le is not None else limits.lt
    return lower, upper


def excludes(limits: list[ir.ConstrainedShape], constants: Iterable[ir.LiteralValue]) -> bool:
    """Whether limits may not let through one of some constants."""
    return any(not _lets_through(limit, value) for limit in limits for value in constants)


def _lets_through(limit: ir.ConstrainedShape, value: ir.LiteralValue) -> bool:
    if limit.pattern is not None or limit.multiple_of is not None:
        return False  # which nobody looks at so closely
    if isinstance(value, str):
        return (limit.min_length or 0) <= len(value) <= (len(value) if limit.max_length is None else limit.max_length)
    lower, upper = _bounds(limit)
    return (lower is None or lower <= value) and (upper is None or value <= upper)


def loosened(old: list[ir.ConstrainedShape], new: list[ir.ConstrainedShape]) -> bool:
    """Whether limits let through what they did not let through."""
    return any(_looser(one, other) for one, other in _side_by_side(old, new))


def tightened(old: list[ir.ConstrainedShape], new: list[ir.ConstrainedShape]) -> bool:
    """Whether limits no longer let through what they let through."""
    return any(_looser(other, one) for one, other in _side_by_side(old, new))


_NONE = ir.ConstrainedShape(item=ir.Scalar(name="any"))


def _side_by_side(
    old: list[ir.ConstrainedShape], new: list[ir.ConstrainedShape]
) -> Iterator[tuple[ir.ConstrainedShape, ir.ConstrainedShape]]:
    yield (old or [_NONE])[0], (new or [_NONE])[0]


def _looser(old: ir.ConstrainedShape, new: ir.ConstrainedShape) -> bool:
    """Whether the second lets through what the first does not."""
    lower = _lower(new) < _lower(old)
    upper = _lower(new, "le", "lt", -1) < _lower(old, "le", "lt", -1)
    shortest = (new.min_length or 0) < (old.min_length or 0)
    longest = old.max_length is not None and (new.max_length is None or new.max_length > old.max_length)
    others = any(
        getattr(old, name) is not None and getattr(new, name) != getattr(old, name)
        for name in ("multiple_of", "pattern", "when")
    )
    refusing = old.microseconds == "refuse" and new.microseconds != "refuse"
    return lower or upper or shortest or longest or others or refusing


def _lower(limits: ir.ConstrainedShape, at: str = "ge", beyond: str = "gt", sign: int = 1) -> tuple[float, int]:
    """A lower bound, or an upper one with its sign turned; one that excludes itself is the higher of two."""
    inclusive, exclusive = getattr(limits, at), getattr(limits, beyond)
    bounds = [(sign * bound, rank) for bound, rank in ((inclusive, 0), (exclusive, 1)) if bound is not None]
    return max(bounds, default=(float("-inf"), 0))


# ---- anything


def is_json(part: Part) -> bool:
    """Whether a type is any value of JSON."""
    return part.shape == ir.Scalar(name="json")


def fits_json(part: Part, side: Side) -> bool:
    """Whether all values of a type are values of JSON; what is in models is not looked at."""
    inner = [one for one in ir.walk(part.shape) if not isinstance(one, ir.Unsupported)]
    forms = {form for one in inner for form in forms_of(part.inside(one), side).by_form}
    return forms <= _IN_JSON and ir.Scalar(name="any") not in inner
