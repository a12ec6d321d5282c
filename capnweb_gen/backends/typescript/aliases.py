"""What types are called that JavaScript has none of its own for.

Rule: each alias says in a sentence what it holds, and ends with the tag by which a reader knows it; see the package's
docstring. Names are made of the type alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from capnweb_gen import ir
from capnweb_gen.backends.typescript import text

LONGEST_NAME = 40
TAG = "@capnweb"
_EXACT = 2**53


@dataclass(frozen=True)
class Alias:
    """A type under a name: `type NAME = SPELLED`, with type parameters if the name has some."""

    name: str
    parameters: str
    spelled: str
    doc: tuple[str, ...]


def _scalar(name: str, spelled: str, said: str, tag: str) -> Alias:
    return Alias(name, "", spelled, (f"{said} {TAG} {tag}",))


SCALARS: dict[ir.ScalarName, Alias] = {
    "int": _scalar("Int", "number", "A whole number; beyond 2^53 it arrives as a bigint.", "int"),
    "decimal": _scalar("Decimal", "string", 'A decimal number, such as "19.90".', "decimal"),
    "uuid": _scalar("Uuid", "string", "A UUID, in lower case with hyphens.", "uuid"),
    "date": _scalar("CalendarDate", "string", 'A day, such as "2024-01-31".', "date"),
    "time": _scalar("ClockTime", "string", 'A time of day, such as "12:30:00".', "time"),
    "timedelta": _scalar("Seconds", "number", "A duration in seconds.", "timedelta"),
    "exact_datetime": _scalar(
        "ExactDateTime",
        "string",
        'An instant to the microsecond, such as "2024-01-31T12:30:00.000001Z".',
        "exact_datetime",
    ),
    "local_datetime": _scalar(
        "LocalDateTime", "string", 'What clocks show, such as "2024-01-31T12:30:00".', "local_datetime"
    ),
    "json": Alias(
        "Json",
        "",
        "null | boolean | number | string | Json[] | { [key: string]: Json }",
        (f"Any value of JSON. {TAG} json",),
    ),
}
LARGE_INT = _scalar("LargeInt", "number | bigint", "A whole number, a bigint from 2^53 on.", "int")
SET = Alias("SetOf", "<T>", "T[]", (f"Each element is there once. {TAG} set",))
FROZENSET = Alias("FrozenSetOf", "<T>", "readonly T[]", (f"Each element is there once. {TAG} frozenset",))
STURDY_REF = Alias(
    "SturdyRef",
    "<T extends RpcTarget>",
    "T extends RpcTarget ? string : never",
    (f"A reference that outlives the session: opaque text, from which a T is made again. {TAG} sturdy_ref",),
)
OPEN = Alias(
    "Open",
    "<T>",
    "T | (\n"
    "  T extends string ? string & {}\n"
    "  : T extends number ? number & {}\n"
    "  : T extends object ? { readonly [key: string]: unknown }\n"
    "  : never\n"
    ")",
    (f"A T, or what a later version has added to it, as it came. {TAG} open",),
)
STUB = Alias("AnyTarget", "", "RpcTarget | ((...args: never[]) => unknown)", (f"Any capability. {TAG} stub",))
PLAIN: dict[ir.ScalarName, str] = {
    "none": "null",
    "bool": "boolean",
    "float": "number",
    "str": "string",
    "bytes": "Uint8Array",
    "bytearray": "ArrayBuffer",
    "datetime": "Date",
    "blob": "Blob",
    "url": "URL",
    "headers": "Headers",
    "request": "Request",
    "response": "Response",
    "any": "unknown",
}


def formatted(shape: ir.TextShape) -> Alias:
    """The alias of a string that a class reads."""
    tag = f"text {shape.type.module}.{shape.type.name} {shape.format}"
    return _scalar(shape.type.name, "string", f"Text of the format {text.inline(shape.format)}.", text.inline(tag))


def constrained(shape: ir.ConstrainedShape, label: str, spelled: str) -> Alias:
    """The alias of a type with limits.

    Args:
        shape: the type.
        label: what its name begins with, which tells the type within.
        spelled: that type.
    """
    limits = shape.model_dump(exclude={"kind", "item"}, exclude_none=True)
    name = label + "".join(_named(key, value) for key, value in limits.items())
    said = ", ".join(_said(key, value) for key, value in limits.items())
    doc = (text.inline(f"{said[:1].upper()}{said[1:]}."), f"{TAG} constrained {text.data(limits)}")
    return Alias(name[:LONGEST_NAME].rstrip("_"), "", spelled, doc)


def is_large(shape: ir.ConstrainedShape) -> bool:
    """Whether the limits of an integer let it be one that a number does not hold."""
    limits = [limit for limit in (shape.ge, shape.gt, shape.le, shape.lt) if limit is not None]
    return shape.item == ir.Scalar(name="int") and any(abs(limit) > _EXACT for limit in limits)


def _named(key: str, value: float | str) -> str:
    head = "".join(part.capitalize() for part in key.split("_"))
    if key == "pattern":
        return head
    if key in {"when", "microseconds"}:
        return {"past": "Past", "future": "Future", "round": "Rounded", "refuse": "WholeMilliseconds"}[str(value)]
    return head + re.sub(r"\W", "_", str(value).replace("-", "Minus"))


_SAYINGS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "multiple_of": "a multiple of {}",
    "min_length": "of length {} or more",
    "max_length": "of length {} or less",
    "pattern": "matching {}",
    "when": "in the {}",
    "microseconds": "microseconds: {}",
}


def _said(key: str, value: float | str) -> str:
    return _SAYINGS[key].format(value)
