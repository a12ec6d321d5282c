"""What a schema says of the values of a type, in the words of JSON Schema.

Rule: a limit that JSON Schema can state of the wire form is stated there; any other one is kept in
`x-capnweb-limits`, so that nothing is lost and nothing is refused that a reader would take.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from math import ceil
from typing import Any

from capnweb_gen import ir

Json = dict[str, Any]
Limits = dict[str, Any]
Of = Callable[[ir.TypeShape], Json]

_NAMES = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern", "when")
_NUMBERS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_UNUSUAL = re.compile(r"\(\?(?!:)|\\[^\\dwsDWSbBtrn.\-+*?(){}\[\]|^$/]|\[\[|&&|[*+?}][+]|--|~~")
"""What regular expressions of pydantic have, and others read differently or not at all."""


def limited(shape: ir.ConstrainedShape, of: Of, scalar: Callable[[ir.ScalarName], Json]) -> Json:
    """The schema of a type of which not every value is allowed.

    Args:
        shape: the type.
        of: gives the schema of another type.
        scalar: gives that of a scalar, as a schema of its own and not as a reference to one.
    """

    def whole(other: ir.TypeShape) -> Json:
        return scalar(other.name) if isinstance(other, ir.Scalar) and other.name != "json" else of(other)

    limits = {name: value for name in _NAMES if (value := getattr(shape, name)) is not None}
    return _limited(shape.item, limits, whole) if limits else of(shape.item)


def _limited(item: ir.TypeShape, limits: Limits, of: Of) -> Json:
    match item:
        case ir.OptionalShape(item=inner):
            return {"anyOf": [_limited(inner, limits, of), {"type": "null"}]}
        case ir.NewTypeShape(item=inner):
            return {"title": item.new_type.name, **_limited(inner, limits, of)}
        case ir.ConstrainedShape(item=inner):
            return {"allOf": [of(item), _limited(inner, limits, of)]}
        case ir.Scalar(name="int" | "float"):
            return _number(of(item), limits)
        case ir.Scalar(name="bytes" | "bytearray"):
            return _bytes(of(item), limits)
        case ir.Scalar(name="str") | ir.TextShape():
            return _text(of(item), limits)
        case ir.ListShape() | ir.CollectionShape():
            return _array(of(item), limits)
        case ir.DictShape():
            return _sized(of(item), limits, "Properties")
        case _:
            return {**of(item), **_kept(limits)}


def _kept(limits: Limits) -> Json:
    return {"x-capnweb-limits": limits} if limits else {}


def _number(schema: Json, limits: Limits) -> Json:
    """A number within bounds; beside it, what is written otherwise and may be within them too."""
    number, *others = schema["anyOf"]
    rest = {name: limit for name, limit in limits.items() if name not in {*_NUMBERS, "multiple_of"}}
    stated = {**number, **_kept(rest)}
    for name, keyword in _NUMBERS.items():
        if name in limits:
            stated[keyword] = _tighter(keyword, stated.get(keyword), limits[name])
    step = limits.get("multiple_of")
    if step:
        stated["multipleOf"] = abs(step)
    elif step is not None:
        stated |= _kept({**rest, "multiple_of": step})
    written = [{**other, **_kept_of_bigint(other, limits)} for other in others if _within(other, limits)]
    return {"anyOf": [stated, *written]} if written else stated


def _tighter(keyword: str, one: float | None, other: float) -> float:
    if one is None:
        return other
    return max(one, other) if "inimum" in keyword else min(one, other)


def _within(other: Json, limits: Limits) -> bool:
    """Whether what no number of JSON is may be within bounds: nan is not, and a bigint is far from zero."""
    if "const" in other:
        value = float(other["const"][0])
        return "multiple_of" not in limits and _holds(value, limits)
    return any(_holds(value, limits) for value in (float(2**53), -float(2**53), float("inf"), float("-inf")))


def _holds(value: float, limits: Limits) -> bool:
    lower = [value >= limits["ge"]] if "ge" in limits else []
    upper = [value <= limits["le"]] if "le" in limits else []
    above = [value > limits["gt"]] if "gt" in limits else []
    below = [value < limits["lt"]] if "lt" in limits else []
    return value == value and all([*lower, *upper, *above, *below])


def _kept_of_bigint(other: Json, limits: Limits) -> Json:
    return {} if "const" in other else _kept(limits)


def _bytes(schema: Json, limits: Limits) -> Json:
    """Of `n` bytes, base64 without padding has four thirds as many characters."""
    marker, text, *container = schema["prefixItems"]
    kept = {name: limit for name, limit in limits.items() if name not in {"min_length", "max_length"}}
    sizes = {f"{name[:3]}Length": ceil(limits[name] * 4 / 3) for name in ("min_length", "max_length") if name in limits}
    return {**schema, "prefixItems": [marker, {**text, **sizes}, *container], **_kept(kept)}


def _text(schema: Json, limits: Limits) -> Json:
    pattern = limits.get("pattern")
    if pattern is None or _UNUSUAL.search(pattern):
        return _sized(schema, limits, "Length")
    rest = {name: limit for name, limit in limits.items() if name != "pattern"}
    return {**_sized(schema, rest, "Length"), "pattern": pattern}


def _array(schema: Json, limits: Limits) -> Json:
    (inner,) = schema["prefixItems"]
    kept = _sized(inner, limits, "Items")
    more = kept.pop("x-capnweb-limits", {})
    return {**schema, "prefixItems": [kept], **_kept(more)}


def _sized(schema: Json, limits: Limits, what: str) -> Json:
    """How many there are of something; other limits are kept."""
    kept = {name: limit for name, limit in limits.items() if name not in {"min_length", "max_length"}}
    sizes = {f"{name[:3]}{what}": limits[name] for name in ("min_length", "max_length") if name in limits}
    return {**schema, **sizes, **_kept(kept)}
