"""The codec of any value of JSON: null, booleans, numbers, strings, arrays and objects of such. Rule: nothing else
gets through in either direction, so that what arrives can be written down as JSON as it is.

What JSON lacks and the wire has (dates, bytes, capabilities, undefined, NaN) is refused; an integer that no double
holds is a bigint on the wire, as everywhere.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

from capnweb_runtime.core.codecs import INT, TypeCodec
from capnweb_runtime.core.devaluate import MAX_DEPTH, encode_float
from capnweb_runtime.core.evaluate import Evaluator, drop
from capnweb_runtime.core.hook import Exporter, Wire
from capnweb_runtime.core.mismatch import Mismatch, dropped_key, value_mismatch, wire_mismatch
from capnweb_runtime.values import FORBIDDEN_KEYS

_AS_THEY_ARE: Final = (str, bool, type(None))


class JsonCodec(TypeCodec):
    """A value of JSON, to any depth that a message may have."""

    @property
    def label(self) -> str:
        return "a value of JSON"

    def encode(self, value: Any, to: Exporter) -> Wire:
        return self._encode(value, to, to.depth)

    def _encode(self, value: Any, to: Exporter, depth: int) -> Wire:
        kind = type(value)
        if kind in _AS_THEY_ARE:
            return value
        if kind is int:
            return INT.encode(value, to)
        if kind is float:
            if not isfinite(value):
                raise Mismatch(f"{self.label}, where {value} is none", f"float {value}")
            return encode_float(value)
        if depth >= MAX_DEPTH:
            raise ValueError("Serialization exceeded maximum allowed depth. (Does the message contain cycles?)")
        if kind is list:
            return self._encode_array(value, to, depth + 1)
        if kind is dict:
            return self._encode_object(value, to, depth + 1)
        return self.other(value, to)

    def _encode_array(self, value: list[Any], to: Exporter, depth: int) -> Wire:
        wire: list[Wire] = []
        try:
            for item in value:
                wire.append(self._encode(item, to, depth))
        except Mismatch as mismatch:
            raise mismatch.inside(len(wire)) from None
        return [wire]

    def _encode_object(self, value: dict[Any, Any], to: Exporter, depth: int) -> Wire:
        if not FORBIDDEN_KEYS.isdisjoint(value):
            raise dropped_key(value)
        wire: dict[str, Wire] = {}
        for key, item in value.items():
            if type(key) is not str:
                raise value_mismatch("str as key", key)
            try:
                wire[key] = self._encode(item, to, depth)
            except Mismatch as mismatch:
                raise mismatch.inside(key) from None
        return wire

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        return self._decode(wire, source, 0)

    def _decode(self, wire: Wire, source: Evaluator, depth: int) -> Any:
        kind = type(wire)
        if kind in _AS_THEY_ARE or kind is int or kind is float:
            return wire
        if depth >= MAX_DEPTH:
            raise Mismatch(f"{self.label} of at most {MAX_DEPTH} levels", "a deeper one")
        if kind is dict:
            return self._decode_object(wire, source, depth + 1)
        if kind is list and len(wire) == 1 and type(wire[0]) is list:
            return self._decode_array(wire[0], source, depth + 1)
        if kind is list and wire and wire[0] == "bigint":
            return INT.decode(wire, source)
        raise wire_mismatch(self.label, wire)

    def _decode_array(self, items: list[Wire], source: Evaluator, depth: int) -> list[Any]:
        value: list[Any] = []
        try:
            for item in items:
                value.append(self._decode(item, source, depth))
        except Mismatch as mismatch:
            raise mismatch.inside(len(value)) from None
        return value

    def _decode_object(self, wire: dict[str, Wire], source: Evaluator, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for key, item in wire.items():
            if key in FORBIDDEN_KEYS:
                drop(item, source)
                continue
            try:
                value[key] = self._decode(item, source, depth)
            except Mismatch as mismatch:
                raise mismatch.inside(key) from None
        return value


JSON: Final = JsonCodec()
