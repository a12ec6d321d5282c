"""The operations of plans: ten, and no more. Rule: they look at values and never change one; what is of the wrong type
is a TypeError, never a guess.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from capnweb_runtime.values import UNDEFINED, BigInt

OPERANDS: Final = {
    "eq": 2,
    "ne": 2,
    "lt": 2,
    "le": 2,
    "gt": 2,
    "ge": 2,
    "not": 1,
    "null": 1,
    "len": 1,
    "in": 2,
}
"""Every operation, and how many operands it takes."""
_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    BigInt: "a number",  # an integer is one or the other by its size alone
    str: "a string",
    bytes: "bytes",
    datetime: "a date",
}
_ORDERED: Final = frozenset(("a number", "a string", "a date"))
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_TYPES: Final = {kind: frozenset(cls for cls, of in _KINDS.items() if of == kind) for kind in _KINDS.values()}
_ITEMS_PER_STEP: Final = 64  # that are looked at, some microseconds
_CHARACTERS_PER_STEP: Final = 64 * 1024  # that are compared


def carry_out(name: str, operands: list[Any]) -> bool | int:
    """The value of an operation.

    Parameters:
        name: one of `OPERANDS`.
        operands: plain values, as many as it takes.

    Raises:
        TypeError: an operand is of no type that it takes.
    """
    if name == "null":
        return operands[0] is None or operands[0] is UNDEFINED
    if name == "not":
        return not condition(operands[0], '"not" takes')
    if name == "len":
        return _length(operands[0])
    first, second = operands
    if name == "in":
        if type(second) is not list:
            raise TypeError(f'"in" takes a value and a list, not {described(second)}')
        return _is_among(first, second)
    if name in _ORDERS:
        return _ordered(name, first, second)
    return _equal(first, second) is (name == "eq")


def steps_for(operands: list[Any]) -> int:
    """Steps that an operation on these takes beside its own."""
    items = sum(len(operand) for operand in operands if type(operand) is list)
    characters = sum(len(operand) for operand in operands if type(operand) in (str, bytes))
    return items // _ITEMS_PER_STEP + characters // _CHARACTERS_PER_STEP * max(1, items)


def condition(value: Any, wanted: str) -> bool:
    """A value as the condition that it is to be. Raises TypeError if it is neither true nor false.

    Parameters:
        value: the value.
        wanted: the beginning of a sentence, such as "a condition has to be".
    """
    if type(value) is not bool:
        raise TypeError(f"{wanted} true or false, not {described(value)}")
    return value


def described(value: Any) -> str:
    """What a value is, for an error; never what is in it."""
    if type(value) is list:
        return "a list"
    return "an object" if type(value) is dict else _kind(value) or "a capability, stream or other value by reference"


def _kind(value: Any) -> str | None:
    """The kind of a value that can be compared; None if it is of none."""
    return "null" if value is UNDEFINED else _KINDS.get(type(value))


def _equal(first: Any, second: Any) -> bool:
    """Whether two values are of one kind, and equal."""
    kinds = _kind(first), _kind(second)
    for kind, value in zip(kinds, (first, second), strict=True):
        if kind is None:
            raise TypeError(f"{described(value)} cannot be compared: compare what is in it")
    return kinds[0] == kinds[1] and (kinds[0] == "null" or bool(first == second))


def _is_among(value: Any, items: list[Any]) -> bool:
    """Whether one of the items is equal to a value; what cannot be compared is equal to nothing."""
    kind = _kind(value)
    if kind is None:
        raise TypeError(f"{described(value)} cannot be compared: compare what is in it")
    if kind == "null":
        return None in items or UNDEFINED in items
    types = _TYPES[kind]
    # Few values equal one of another kind, and the list looks for a value many times faster than a loop does.
    return value in items and any(type(item) in types and item == value for item in items)


def _ordered(name: str, first: Any, second: Any) -> bool:
    kind = _kind(first)
    if kind not in _ORDERED or kind != _kind(second):
        raise TypeError(
            f'"{name}" compares two numbers, two strings or two dates, not {described(first)} with {described(second)}'
        )
    return _ORDERS[name](first, second)


def _length(value: Any) -> int:
    if type(value) not in (list, dict, str, bytes):
        raise TypeError(f'"len" counts what is in a list, an object, a string or bytes, not {described(value)}')
    return len(value)
