"""The codec of types to which later versions of a schema may add. Rule: what such a version may have added is kept as
it came; what is wrong in any version is refused as ever.
"""

from __future__ import annotations

from typing import Any

from capnweb_runtime.core.codecs import ANY, TypeCodec
from capnweb_runtime.core.compound import LiteralCodec, TaggedCodec, UnionCodec
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter, Wire
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.standard import EnumCodec
from capnweb_runtime.values import Unknown

_CONSTANTS = (str, int, bool)


class OpenCodec(TypeCodec):
    """A value of a type, or one that a later version of the type may have.

    Parameters:
        item: how the type travels; the codec of an enum, a literal or a union.
    """

    def __init__(self, item: TypeCodec) -> None:
        self._known = item
        self.promise = item.promise
        self._kinds = item.kinds if isinstance(item, EnumCodec | LiteralCodec) else None
        self.pure = self._kinds is not None  # a member that is not known may hold anything

    @property
    def label(self) -> str:
        return self._known.label

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is not Unknown:
            return self._known.encode(value, to)
        if self._kinds is None or type(value.value) in self._kinds:
            return ANY.encode(value.value, to)
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        try:
            return self._known.decode(wire, source)
        except Mismatch as mismatch:
            if self._kinds is not None:
                value = int(wire) if type(wire) is float and wire.is_integer() else wire
                if type(value) not in self._kinds:
                    raise
                return Unknown(value)
            if mismatch.nested and not _has_new_tag(self._known, wire):
                raise
        return Unknown(ANY.decode(wire, source))


def _has_new_tag(codec: TypeCodec, wire: Wire) -> bool:
    """Whether an object says by its tag that it is of a class that a union does not know."""
    if isinstance(codec, UnionCodec):
        return any(_has_new_tag(item, wire) for item in codec.items)
    if not isinstance(codec, TaggedCodec) or type(wire) is not dict:
        return False
    tag = wire.get(codec.tag)
    return type(tag) in _CONSTANTS and (type(tag), tag) not in codec.by_tag and type(tag) in codec.kinds


def open_of(item: TypeCodec) -> TypeCodec:
    """Codec of an enum, a literal or a union to which later versions may add; see `OpenCodec`."""
    return OpenCodec(item)
