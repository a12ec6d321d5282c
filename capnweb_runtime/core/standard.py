"""The codecs of types of the standard library that JSON has no form for. Rule: the form is one that a peer in any
language reads without this library, and what is read back equals what was sent.

    date, time       a string as in ISO 8601: "2024-01-31", "12:30:00", "12:30:00+02:00"
    timedelta        seconds, as a number: to the microsecond up to 272 years, beyond that as exactly as a double
    Decimal          a string, which keeps every digit: "19.90"
    UUID             a string of 36 characters, in lower case
    bytearray        bytes, as an ArrayBuffer
    Enum             the value of the member: a string or a number
    Flag             the number that the set bits make
    set, frozenset   an array in any order; one that repeats an element is read as if it did not
    tuple[T, ...]    an array
"""

from __future__ import annotations

import enum
import operator
import re
import uuid
from collections.abc import Callable, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import Annotated, Any, Final

from capnweb_runtime.core.codecs import BYTES, FLOAT, INT, TypeCodec
from capnweb_runtime.core.collisions import collide
from capnweb_runtime.core.compound import ListCodec
from capnweb_runtime.core.devaluate import encode_bytes, encode_float, encode_int
from capnweb_runtime.core.evaluate import Evaluator, attachments_of
from capnweb_runtime.core.hook import Exporter, Wire
from capnweb_runtime.core.mismatch import Mismatch, describe_value, describe_wire, wire_mismatch

_DECIMAL: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|-?Infinity|NaN", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FEW_COMBINATIONS: Final = 4095
"""Largest combination of flags that may be kept for ever."""
_MIN_SECONDS: Final = -86399999913600
_MAX_SECONDS: Final = 86399999999999.98
_TIME: Final = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


class _Text(TypeCodec):
    """A type with a form in text.

    Parameters:
        cls: the type.
        label: what a text has to be.
        write: makes the text of a value.
        pattern: what the whole text has to match; Python itself reads more than peers write.
        read: makes a value of such a text, or raises ValueError or ArithmeticError.
    """

    def __init__(
        self,
        cls: type[Any],
        label: str,
        write: Callable[[Any], str],
        pattern: re.Pattern[str],
        read: Callable[[str], Any],
    ) -> None:
        self._cls = cls
        self._label = label
        self._write = write
        self._pattern = pattern
        self._read = read

    @property
    def label(self) -> str:
        return self._label

    def encode(self, value: Any, to: Exporter) -> Wire:
        # A datetime is a date to Python, but its time would be lost.
        if isinstance(value, self._cls) and not isinstance(value, datetime):
            return self._write(value)
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        if type(wire) is str and self._pattern.fullmatch(wire):
            try:
                return self._read(wire)
            except (ValueError, ArithmeticError):
                pass
        raise wire_mismatch(self._label, wire)


class _Timedelta(TypeCodec):
    @property
    def label(self) -> str:
        return "a number of seconds"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if not isinstance(value, timedelta):
            return self.other(value, to)
        seconds = value.total_seconds()
        if seconds > _MAX_SECONDS:  # what is above it has the next double as its nearest, which no peer can read
            raise _out_of_range(self.label, _MIN_SECONDS, _MAX_SECONDS, f"timedelta {value}")
        return encode_float(seconds)

    def decode(self, wire: Wire, source: Evaluator) -> timedelta:
        try:
            seconds = FLOAT.decode(wire, source)
        except Mismatch:
            raise wire_mismatch(self.label, wire) from None
        if not _MIN_SECONDS <= seconds <= _MAX_SECONDS:
            raise _out_of_range(self.label, _MIN_SECONDS, _MAX_SECONDS, describe_wire(wire))
        return timedelta(seconds=seconds)


def _out_of_range(label: str, lowest: object, highest: object, actual: str) -> Mismatch:
    return Mismatch(f"{label} from {lowest} to {highest}", f"{actual}, which is out of range")


class _Bytearray(TypeCodec):
    @property
    def label(self) -> str:
        return "bytes"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if not isinstance(value, bytes | bytearray | memoryview):
            return self.other(value, to)
        return [*encode_bytes(value, to), "ArrayBuffer"]

    def decode(self, wire: Wire, source: Evaluator) -> bytearray:
        data = BYTES.decode(wire, source)
        if type(wire[1]) is not int:
            return bytearray(data)
        made: bytearray = attachments_of(source).container(wire[1], "ArrayBuffer", lambda: bytearray(data))
        return made


class EnumCodec(TypeCodec):
    """A member of an enum, by its value; of a Flag, any combination of members.

    Parameters:
        cls: the enum, whose values are strings, integers and booleans. Its `_missing_` is asked for the member of a
            value that none has, if that is of a type that members have.
    """

    def __init__(self, cls: type[enum.Enum]) -> None:
        self._cls = cls
        self._flag = issubclass(cls, enum.Flag)
        # By type as well: True equals 1. Aliases of a member are not listed, and have its value.
        self._members = {(type(member.value), member.value): member for member in cls}
        self._asked = {kind for kind, _ in self._members} if _has_missing(cls) else frozenset()

    @property
    def kinds(self) -> frozenset[type[Any]]:
        """The types of the values."""
        return frozenset({int} if self._flag else {kind for kind, _ in self._members})

    @property
    def label(self) -> str:
        if self._flag:
            return f"a combination of {self._cls.__name__}"
        return f"{self._cls.__name__}, one of " + ", ".join(repr(member.value) for member in self._members.values())

    def encode(self, value: Any, to: Exporter) -> Wire:
        if not isinstance(value, self._cls):
            return self.other(value, to)
        plain = value.value
        return encode_int(plain) if type(plain) is int else plain

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        value = wire if type(wire) in (str, bool) else self._number(wire, source)
        found = self._combination(value) if self._flag else self._members.get((type(value), value))
        if found is None and type(value) in self._asked:
            found = self._missing(value)
        if found is None:
            raise wire_mismatch(self.label, wire)
        return found

    def _missing(self, value: Any) -> enum.Enum | None:
        try:
            found: object = self._cls._missing_(value)
        except (ValueError, LookupError, TypeError, AttributeError):  # as code fails on a value that it did not expect
            return None
        return found if isinstance(found, self._cls) else None

    def _number(self, wire: Wire, source: Evaluator) -> int:
        try:
            return INT.decode(wire, source)
        except Mismatch:
            raise wire_mismatch(self.label, wire) from None

    def _combination(self, value: Any) -> enum.Enum | None:
        if type(value) is not int or value < 0:
            return None
        known: dict[Any, Any] = self._cls._value2member_map_
        is_new = value > _FEW_COMBINATIONS and value not in known
        try:
            found = self._cls(value)
        except ValueError:
            return None
        if is_new and isinstance(found, int):
            known.pop(value, None)  # Python would keep it for ever, and what it equals does not depend on that
        return found if isinstance(found, self._cls) else None


def _has_missing(cls: type[enum.Enum]) -> bool:
    asked: Any = cls._missing_
    default: Any = enum.Enum._missing_
    return not issubclass(cls, enum.Flag) and asked.__func__ is not default.__func__


class MembersCodec(EnumCodec):
    """One of some members of an enum, by its value.

    Parameters:
        members: those that are allowed, all of one enum.
    """

    def __init__(self, members: tuple[enum.Enum, ...]) -> None:
        super().__init__(type(members[0]))
        self._flag = False
        self._asked = frozenset()
        self._members = {(type(member.value), member.value): member for member in members}

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, self._cls) and value not in self._members.values():
            raise Mismatch(self.label, str(value))
        return super().encode(value, to)


class CollectionCodec(ListCodec):
    """A set, frozenset or tuple whose elements have one type.

    Parameters:
        cls: what is made of the elements.
        item: how they travel.
    """

    def __init__(self, cls: type[Any], item: TypeCodec) -> None:
        super().__init__(item)
        self._cls = cls

    read = TypeCodec.read  # and not that of a list: `decode` makes something else of the items

    @property
    def label(self) -> str:
        return super().label if self._cls is tuple else f"a set of {self.item.label}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if self._cls is not tuple and not isinstance(value, Set):
            return self.other(value, to)
        return super().encode(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        items = super().decode(wire, source)
        if self._cls is not tuple and collide(items):
            raise Mismatch(self.label, "elements chosen to have the same hash")
        return self._cls(items)


class ConstrainedCodec(TypeCodec):
    """A type of which not every value is allowed. It is checked on arrival.

    Parameters:
        item: how the type travels.
        ge, gt, le, lt: bounds of a number.
        multiple_of: what a number has to be a multiple of.
        min_length, max_length: how many characters, bytes or elements there are, both inclusive.
        pattern: a regular expression, found anywhere in a text unless it is anchored.
        when: whether a date or datetime has to be in the "past" or the "future" where it arrives.
    """

    def __init__(self, item: TypeCodec, **limits: Any) -> None:
        self.limited = item
        self.item = getattr(item, "item", item)  # a list holds the same with limits as without
        self.pure = item.pure
        self.promise = item.promise
        self._checks = [(_CHECKS[name], limit) for name, limit in limits.items()]

    @property
    def label(self) -> str:
        return self.limited.label

    def encode(self, value: Any, to: Exporter) -> Wire:
        return self.limited.encode(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        value = self.limited.decode(wire, source)
        for (holds, words), limit in self._checks:
            if not _holds(holds, value, limit):
                raise Mismatch(f"{self.limited.label} {words.format(limit)}", describe_value(value))
        return value


def _holds(check: Callable[[Any, Any], bool], value: Any, limit: Any) -> bool:
    try:
        return check(value, limit)
    except ArithmeticError:  # a Decimal that is no number cannot be compared
        return False


@cache
def _matcher(pattern: str) -> Callable[[str], bool]:
    """Pydantic's regular expressions take linear time, whatever a peer sends. It is imported once it is needed."""
    pydantic = import_module("pydantic")
    return _accepts(Annotated[str, pydantic.Field(pattern=pattern)])


@cache
def _clock(when: str, kind: str) -> Callable[[date], bool]:
    """Whether a date is in the past or the future: pydantic has the clock."""
    return _accepts(getattr(import_module("pydantic"), f"{when.capitalize()}{kind.capitalize()}"))


def _accepts(checked: Any) -> Callable[[Any], bool]:
    adapter = import_module("pydantic").TypeAdapter(checked)

    def accepts(value: Any) -> bool:
        try:
            adapter.validate_python(value, strict=True)
        except ValueError:
            return False
        return True

    return accepts


# An unordered number, nan, is within no bounds.
_CHECKS: Final[dict[str, tuple[Callable[[Any, Any], bool], str]]] = {
    "ge": (operator.ge, "of at least {}"),
    "gt": (operator.gt, "greater than {}"),
    "le": (operator.le, "of at most {}"),
    "lt": (operator.lt, "less than {}"),
    "multiple_of": (lambda value, step: value % step == 0, "that is a multiple of {}"),
    "min_length": (lambda value, length: len(value) >= length, "of length {} or more"),
    "max_length": (lambda value, length: len(value) <= length, "of length {} or less"),
    "pattern": (lambda value, pattern: _matcher(pattern)(value), "that matches {!r}"),
    "when": (lambda value, when: _clock(when, type(value).__name__)(value), "in the {}"),
}

DATE: Final = _Text(date, "a date in the form YYYY-MM-DD", date.isoformat, _DATE, date.fromisoformat)
TIME: Final = _Text(time, "a time in the form HH:MM:SS", time.isoformat, _TIME, time.fromisoformat)
TIMEDELTA: Final = _Timedelta()
DECIMAL: Final = _Text(Decimal, "a decimal number as a string", str, _DECIMAL, Decimal)
UUID: Final = _Text(uuid.UUID, "a UUID as a string", str, _UUID, uuid.UUID)
BYTEARRAY: Final = _Bytearray()


def set_of(item: TypeCodec) -> TypeCodec:
    """Codec of a set."""
    return CollectionCodec(set, item)


def frozenset_of(item: TypeCodec) -> TypeCodec:
    """Codec of a frozenset."""
    return CollectionCodec(frozenset, item)


def tuple_of_any(item: TypeCodec) -> TypeCodec:
    """Codec of a tuple of any length, whose items have one type."""
    return CollectionCodec(tuple, item)


def enum_of(cls: type[enum.Enum]) -> TypeCodec:
    """Codec of the members of an enum."""
    return EnumCodec(cls)


def members_of(*members: enum.Enum) -> TypeCodec:
    """Codec of some members of an enum."""
    return MembersCodec(members)


def constrained(item: TypeCodec, **limits: Any) -> TypeCodec:
    """Codec of a type of which not every value is allowed; for the limits see `ConstrainedCodec`."""
    return ConstrainedCodec(item, **limits)
