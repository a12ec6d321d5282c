"""The codecs of scalars, and what all codecs of generated code have in common. Rule: one short function each
way per type.

Decoding is strict (a string is no number), but 3.0 is an int, as JSON does not tell them apart. A promise may stand for
any value on the sending side; on the receiving side promises have been resolved before a codec is asked, or it raises
Mismatch and is asked again later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from capnweb_runtime.core.devaluate import (
    devaluate,
    encode_bigint,
    encode_bytes,
    encode_date,
    encode_float,
    encode_int,
    encode_ref,
)
from capnweb_runtime.core.evaluate import Evaluator, attachments_of
from capnweb_runtime.core.evaluate_leaves import byte_string, parse_bigint
from capnweb_runtime.core.hook import UNDEFINED_WIRE, Codec, Exporter, Hook, Host, PromiseRef, Wire
from capnweb_runtime.core.mismatch import Mismatch, value_mismatch, wire_mismatch
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.values import MAX_SAFE_INTEGER, date_from_ms

_BYTE_CONTAINERS: Final = ("Uint8Array", "ArrayBuffer", "DataView", "Uint8ClampedArray")
_NOT_FINITE: Final = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
ABSENT: Final = object()
"""Stands for a field that is not there."""
NO_PROMISE: Final[Callable[[], type[PromiseRef] | None]] = lambda: None  # noqa: E731  (a default that is shared by name)


class TypeCodec(Codec):
    """A codec of generated code.

    Attributes:
        promise: gives the class whose instances stand for a value that has not arrived; None means the general one.
        passes: every value without capabilities is of the type as it is.
        plain: so is every value of exactly one of these classes.
        instances: the class of nearly all values, and what encodes one that is known to be of it; None without one.
        each: decodes all items of a list in less time than one by one; None, or gives None, where there is no such way.
    """

    promise: Callable[[], type[PromiseRef] | None] = staticmethod(NO_PROMISE)
    passes: bool = False
    plain: tuple[type, ...] = ()
    instances: tuple[type, Callable[[Any, Exporter], Wire]] | None = None
    each: Callable[[list[Wire], Any], list[Any] | None] | None = None

    def read(self, wire: Mapping[str, Wire], key: str, source: Any) -> Any:
        """The value of a field that has no default.

        Parameters:
            wire: the wire form of what has the field.
            key: of the field in it.
            source: gives capabilities in it their stubs.

        Raises:
            Mismatch: it is missing, or not of this type.
        """
        item = wire.get(key, ABSENT)
        if item is ABSENT:
            raise Mismatch(self.label, "nothing: the field is missing").inside(key)
        try:
            return self.decode(item, source)
        except Mismatch as mismatch:
            raise mismatch.inside(key) from None

    def travel(self, values: Collection[Any]) -> bool:
        """Whether values that all are exactly of the class `exact` are their own wire forms."""
        return True

    def capture(self, value: Any, host: Host) -> Hook | None:
        """A hook, owned by the caller, over a result that is a new local capability; None if it is anything else."""
        return None

    def other(self, value: Any, to: Exporter) -> Wire:
        """The wire form of what is not of the type itself: a promise of it, or an awaitable. Raises Mismatch for
        anything else.
        """
        if isinstance(value, PromiseRef):
            return encode_ref(value, to)
        if hasattr(type(value), "__await__"):
            return ["promise", to.export_promise(to.host.awaitable_hook(value, self))]
        raise value_mismatch(self.label, value)


class _None(TypeCodec):
    @property
    def label(self) -> str:
        return "None"

    def encode(self, value: Any, to: Exporter) -> Wire:
        return None

    def decode(self, wire: Wire, source: Evaluator) -> None:
        if wire is not None and wire != UNDEFINED_WIRE:
            raise wire_mismatch(self.label, wire)


class _Bool(TypeCodec):
    plain = (bool,)
    exact = bool

    @property
    def label(self) -> str:
        return "bool"

    def encode(self, value: Any, to: Exporter) -> Wire:
        return value if type(value) is bool else self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> bool:
        if type(wire) is not bool:
            raise wire_mismatch(self.label, wire)
        return wire


class _Int(TypeCodec):
    plain = (int,)
    exact = int

    @property
    def label(self) -> str:
        return "int"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is int:
            return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else encode_bigint(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return encode_int(int(value))
        return self.other(value, to)

    def travel(self, values: Collection[int]) -> bool:
        """Whether a double holds all of them exactly."""
        return not values or -MAX_SAFE_INTEGER <= min(values) <= max(values) <= MAX_SAFE_INTEGER

    def decode(self, wire: Wire, source: Evaluator) -> int:
        if type(wire) is int:
            return wire
        if type(wire) is float and wire.is_integer():
            return int(wire)
        if type(wire) is list and wire and wire[0] == "bigint":
            return parse_bigint(wire, DEFAULT_LIMITS.bigint_digits)
        raise wire_mismatch(self.label, wire)


class _Float(TypeCodec):
    plain = (float,)
    exact = float

    @property
    def label(self) -> str:
        return "float"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is float:
            return value if value and isfinite(value) else encode_float(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return encode_float(float(value))
        return self.other(value, to)

    def travel(self, values: Collection[float]) -> bool:
        """Whether all are finite and none is a zero, which is sent without a sign."""
        return all(values) and all(map(isfinite, values))

    def decode(self, wire: Wire, source: Evaluator) -> float:
        if type(wire) is float:
            return wire
        if type(wire) is int:
            return float(wire)
        if type(wire) is list and len(wire) == 1 and type(wire[0]) is str and wire[0] in _NOT_FINITE:
            return _NOT_FINITE[wire[0]]
        raise wire_mismatch(self.label, wire)


class _Str(TypeCodec):
    plain = (str,)
    exact = str

    @property
    def label(self) -> str:
        return "str"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is str:
            return value
        return str.__str__(value) if isinstance(value, str) else self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> str:
        if type(wire) is not str:
            raise wire_mismatch(self.label, wire)
        return wire


class _Bytes(TypeCodec):
    plain = (bytes,)

    @property
    def label(self) -> str:
        return "bytes"

    def encode(self, value: Any, to: Exporter) -> Wire:
        return encode_bytes(value, to) if isinstance(value, (bytes, bytearray, memoryview)) else self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> bytes:
        if type(wire) is not list or not 2 <= len(wire) <= 3 or wire[0] != "bytes":
            raise wire_mismatch(self.label, wire)
        if len(wire) == 3 and wire[2] not in _BYTE_CONTAINERS:
            raise wire_mismatch(self.label, wire)
        data = byte_string(wire, attachments_of(source))
        if data is None:
            raise wire_mismatch(self.label, wire)
        return data


class _Datetime(TypeCodec):
    @property
    def label(self) -> str:
        return "datetime"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if not isinstance(value, datetime):
            return self.other(value, to)
        try:
            return encode_date(value)
        except TypeError:
            raise Mismatch(
                "a datetime with a time zone, such as value.replace(tzinfo=timezone.utc)", "a naive datetime"
            ) from None

    def decode(self, wire: Wire, source: Evaluator) -> datetime:
        if type(wire) is list and len(wire) >= 2 and wire[0] == "date" and type(wire[1]) in (int, float):
            value = date_from_ms(wire[1])
            if isinstance(value, datetime):
                return value.astimezone(UTC)
            what = "an invalid date" if value.ms is None else f"{value!r}, which is out of range"
            raise Mismatch("a date from year 1 to 9999", what)
        raise wire_mismatch(self.label, wire)


class _Any(TypeCodec):
    @property
    def label(self) -> str:
        return "any serializable value"

    pure = False

    def encode(self, value: Any, to: Exporter) -> Wire:
        return devaluate(value, to, to.depth)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        return source.value(wire, source.depth)


NONE: Final = _None()
BOOL: Final = _Bool()
INT: Final = _Int()
FLOAT: Final = _Float()
STR: Final = _Str()
BYTES: Final = _Bytes()
DATETIME: Final = _Datetime()
ANY: Final = _Any()
