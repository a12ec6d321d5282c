"""How models are read from the wire. Rule: fields are decoded by their codecs, then the class judges the whole:
pydantic strictly, a plain record by what making one raises.

Nothing here imports pydantic: a model brings what is needed with it.
"""

from __future__ import annotations

from typing import Any, Final, Generic, TypeVar

from capnweb_runtime.core.codecs import ANY, TypeCodec
from capnweb_runtime.core.evaluate import FORBIDDEN_KEYS, Evaluator, drop
from capnweb_runtime.core.hook import Wire
from capnweb_runtime.core.mismatch import Mismatch, wire_mismatch

M = TypeVar("M")
_UNDEFINED_WIRE: Final = ["undefined"]


class Reader(Generic[M]):
    """Reads one model from its wire form, field by field.

    Parameters:
        model: the pydantic class.
        wire: an object's wire form.
        source: gives capabilities in it their stubs.
    """

    __slots__ = ("_fields", "_model", "_read", "_source", "_wire")

    def __init__(self, model: type[M], wire: Wire, source: Evaluator) -> None:
        if type(wire) is not dict:
            raise wire_mismatch(model.__name__, wire)
        self._model: Any = model
        self._wire: dict[str, Wire] = wire
        self._source = source
        self._fields: dict[str, Any] = {}
        self._read: set[str] = set()

    def required(self, wire_name: str, name: str, codec: TypeCodec) -> None:
        """Reads a field that has no default.

        Parameters:
            wire_name: its key in the wire form.
            name: what pydantic calls it when it validates: the alias if it has one.
            codec: how it travels.
        """
        if wire_name not in self._wire:
            raise Mismatch(codec.label, "nothing: the field is missing").inside(wire_name)
        self._take(wire_name, name, codec)

    def optional(self, wire_name: str, name: str, codec: TypeCodec) -> None:
        """Reads a field that has a default; an absent or undefined one is left to it. Parameters as for `required`."""
        if wire_name in self._wire:
            if self._wire[wire_name] == _UNDEFINED_WIRE:
                self._read.add(wire_name)
            else:
                self._take(wire_name, name, codec)

    def computed(self, wire_name: str) -> None:
        """Passes over a field that the class makes itself from the others."""
        if wire_name in self._wire:
            self._read.add(wire_name)
            drop(self._wire[wire_name], self._source)

    def _take(self, wire_name: str, name: str, codec: TypeCodec) -> None:
        self._read.add(wire_name)
        try:
            self._fields[name] = codec.decode(self._wire[wire_name], self._source)
        except Mismatch as mismatch:
            raise mismatch.inside(wire_name) from None

    def build(self) -> M:
        """The model. Raises Mismatch naming the field if pydantic refuses it."""
        if len(self._read) < len(self._wire):
            self._take_extra()
        try:
            built: M = self._model.model_validate(self._fields, strict=True)
        except ValueError as error:
            raise _as_mismatch(error) from None
        return built

    def _extra(self) -> str:
        policy: str = self._model.model_config.get("extra") or "ignore"
        return policy

    def _take_extra(self) -> None:
        """Unknown fields follow the model's `extra`: kept where it allows them, refused where it forbids them,
        otherwise dropped.
        """
        extra = self._extra()
        for key, item in self._wire.items():
            if key in self._read:
                continue
            if key in FORBIDDEN_KEYS or extra == "ignore":
                drop(item, self._source)
                continue
            if extra == "forbid":
                raise Mismatch("no such field", "one that the model does not have").inside(key)
            self._take(key, key, ANY)


class RecordReader(Reader[M]):
    """Reads a dataclass, NamedTuple or TypedDict: it is called with the fields by name. Unknown fields are dropped."""

    __slots__ = ()

    def build(self) -> M:
        """The record. Raises Mismatch if making it raises a ValueError or TypeError."""
        if len(self._read) < len(self._wire):
            self._take_extra()
        try:
            built: M = self._model(**self._fields)
        except (TypeError, ValueError) as error:
            raise _as_mismatch(error) from None
        return built

    def _extra(self) -> str:
        return "ignore"


def read_root(model: type[M], value: Any) -> M:
    """A root model of a value. Raises Mismatch if pydantic refuses it."""
    cls: Any = model
    try:
        built: M = cls.model_validate(value, strict=True)
    except ValueError as error:
        raise _as_mismatch(error) from None
    return built


def _as_mismatch(error: Exception) -> Mismatch:
    """The first fault that pydantic found, or what else was wrong."""
    faults: list[Any] = getattr(error, "errors", list)()
    if not faults:
        return Mismatch(f"a valid value ({error})", "an object")
    first = faults[0]
    mismatch = Mismatch(f"a valid value ({first['msg']})", repr(first.get("input"))[:80])
    for key in reversed(first["loc"]):
        mismatch.inside(key)
    return mismatch
