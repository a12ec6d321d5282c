"""The codec of sturdy references. Rule: a string on the wire, which no message of an error ever shows."""

from __future__ import annotations

from typing import Any, Final

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter, Wire
from capnweb_runtime.core.mismatch import Mismatch, wire_mismatch
from capnweb_runtime.values import MAX_TOKEN, SturdyRef


class _SturdyRef(TypeCodec):
    @property
    def label(self) -> str:
        return f"a SturdyRef, a string of 1 to {MAX_TOKEN} characters"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is SturdyRef:
            return value.token
        if isinstance(value, str):  # which may well be a token
            raise Mismatch("a SturdyRef, made of its token: SturdyRef(token)", "a str")
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> SturdyRef[Any]:
        if type(wire) is not str:
            raise wire_mismatch(self.label, wire)
        if not 0 < len(wire) <= MAX_TOKEN:
            raise Mismatch(self.label, f"one of {len(wire)}")
        return SturdyRef(wire)


STURDY_REF: Final = _SturdyRef()
