"""The codec of dictionaries whose keys are more than plain strings. Rule: a key has one spelling on the wire, where
keys are strings, so that no two entries can become one.

A key that travels as a string is that string: a NewType of one, an enum's value, a date. A number is written in decimal
digits: `{1: "a"}` is `{"1": "a"}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from capnweb_runtime.core.codecs import INT, TypeCodec
from capnweb_runtime.core.collisions import collide
from capnweb_runtime.core.evaluate import Evaluator, drop
from capnweb_runtime.core.hook import Exporter, PromiseRef, Wire
from capnweb_runtime.core.mismatch import Mismatch, dropped_key, value_mismatch, wire_mismatch
from capnweb_runtime.values import FORBIDDEN_KEYS

_LONGEST_NUMBER: Final = 1000  # digits: reading them takes their square, and a key is not charged as a bigint is
_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)


class KeyedCodec(TypeCodec):
    """An object of which a codec says what its keys are.

    Parameters:
        key: codec of a key.
        item: codec of a value.
        numbers: whether keys are integers.
        promise: gives the class that stands for an object that has not arrived.
    """

    def __init__(
        self, key: TypeCodec, item: TypeCodec, numbers: bool, promise: Callable[[], type[PromiseRef] | None]
    ) -> None:
        self.key = key
        self.item = item
        self.pure = item.pure
        self.promise = promise
        self._numbers = numbers

    @property
    def label(self) -> str:
        return f"an object of {self.item.label}, by {self.key.label}"

    def wire_key(self, key: Any, to: Any = None) -> str:
        """How a key is spelled on the wire. Raises Mismatch if it is none, or one that peers drop."""
        if isinstance(key, PromiseRef) or hasattr(type(key), "__await__"):
            raise value_mismatch(f"{self.key.label} as key", key)
        spelled = self.key.encode(key, to)
        if self._numbers:
            digits = str(spelled[1] if type(spelled) is list else spelled)
            if len(digits) > _LONGEST_NUMBER:
                raise Mismatch(f"{self.key.label} of at most {_LONGEST_NUMBER} digits as key", f"{len(digits)}")
            return digits
        if spelled in FORBIDDEN_KEYS:
            raise dropped_key((spelled,))
        return str(spelled)

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is not dict and not isinstance(value, Mapping):
            return self.other(value, to)
        wire: dict[str, Wire] = {}
        for key, item in value.items():
            spelled = self.wire_key(key, to)
            if spelled in wire:
                raise Mismatch("keys that differ on the wire", f"two that are {spelled!r} there")
            try:
                wire[spelled] = self.item.encode(item, to)
            except Mismatch as mismatch:
                raise mismatch.inside(spelled) from None
        return wire

    def decode(self, wire: Wire, source: Evaluator) -> dict[Any, Any]:
        if type(wire) is not dict:
            raise wire_mismatch(self.label, wire)
        keys = self._read_keys(wire, source)
        value: dict[Any, Any] = {}
        for spelled, item in wire.items():
            if spelled in FORBIDDEN_KEYS:
                drop(item, source)
                continue
            try:
                key = keys[spelled]
                if key in value:
                    raise Mismatch("keys that differ", "one that was there before")
                value[key] = self.item.decode(item, source)
            except Mismatch as mismatch:
                raise mismatch.inside(spelled) from None
        return value

    def _read_keys(self, wire: dict[str, Wire], source: Evaluator) -> dict[str, Any]:
        """Each key by its spelling, which nobody can choose the hash of."""
        keys: dict[str, Any] = {}
        for spelled in wire:
            if spelled not in FORBIDDEN_KEYS:
                try:
                    keys[spelled] = self._read_key(spelled, source)
                except Mismatch as mismatch:
                    raise mismatch.inside(spelled) from None
        if collide(keys.values()):
            raise Mismatch(self.label, "keys chosen to have the same hash")
        return keys

    def _read_key(self, spelled: str, source: Evaluator) -> Any:
        if not self._numbers:
            return self.key.decode(spelled, source)
        if not _NUMBER.fullmatch(spelled) or len(spelled) > _LONGEST_NUMBER:
            raise Mismatch(f"{self.key.label} in digits as key", f"{spelled[:40]!r}")
        return self.key.decode(INT.decode(["bigint", spelled], source), source)
