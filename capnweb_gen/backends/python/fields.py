"""How the fields of a model are sent and read: the lines of its encode and decode functions.

Rule: one line per field. What nearly every value is, a number or text of exactly its type, is told in the line itself;
all else is left to the field's codec, and so is a field whose line would be too long.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from capnweb_gen import ir
from capnweb_gen.backends.python import layout

_BODY = layout.STEP * 2
_SENT_AS_IT_IS = {
    "int": "int and -(2**53) < x < 2**53",
    "float": "float and x and x - x == 0.0",  # neither a zero nor inf or nan, where the difference is nan
    "str": "str",
}
_READ_AS_IT_IS = {"int": "int", "float": "float", "str": "str", "bool": "bool"}


class Fields:
    """The lines for the fields of one model, in its order."""

    def __init__(self, model: ir.Model, codec: Callable[[ir.TypeShape], str]) -> None:
        """`codec` names the codec of a type."""
        self._codec = codec
        self._typed_dict = model.form == "typed_dict"
        self._always = [field for field in model.fields if field.required or not self._typed_dict]
        self._sometimes = [field for field in model.fields if field not in self._always]
        self._read = [field for field in model.fields if not field.computed]
        self._computed = [field for field in model.fields if field.computed]
        self._first = list(takewhile(lambda field: field.required, self._read))

    @property
    def sent(self) -> tuple[str, ...]:
        """Entries of the wire form: the fields that every value has."""
        return tuple(_fitting(f"{layout.string(field.wire)}: ", *self._ways_to_send(field)) for field in self._always)

    @property
    def sent_if_there(self) -> tuple[tuple[str, str], ...]:
        """The others: a condition, and the statement that adds the field."""
        return tuple(self._if_there(field) for field in self._sometimes)

    @property
    def read(self) -> tuple[str, ...]:
        """Entries of what has been read: the fields before the first that has a default."""
        return tuple(_fitting(f"{layout.string(field.accepts)}: ", *self._ways_to_read(field)) for field in self._first)

    @property
    def read_then(self) -> tuple[str, ...]:
        """Statements that add the others."""
        return tuple(self._statement(field) for field in self._read[len(self._first) :])

    @property
    def keys(self) -> list[str]:
        """The arguments by which a builder knows the keys of the wire form."""
        keys = [layout.string(field.wire) for field in self._read]
        if self._computed:
            keys.append(f"computed={layout.strings([field.wire for field in self._computed])}")
        return keys

    def _ways_to_send(self, field: ir.ModelField) -> tuple[str, str]:
        """In the line itself, or else by the codec."""
        value = f"value[{layout.string(field.accepts)}]" if self._typed_dict else f"value.{field.name}"
        if field.deprecated is not None and not field.computed:
            value = f"value.__dict__[{layout.string(field.name)}]"  # sending it is no use of it to be warned of
        codec = self._codec(field.type)
        test = _SENT_AS_IT_IS.get(_scalar(field.type))
        by_codec = f"{codec}.encode({value}, to)"
        return f"x if type(x := {value}) is {test} else {codec}.encode(x, to)" if test else by_codec, by_codec

    def _if_there(self, field: ir.ModelField) -> tuple[str, str]:
        key = layout.string(field.accepts)
        head = f"wire[{layout.string(field.wire)}] = {self._codec(field.type)}.encode"
        return f"if {key} in value:", layout.call(head, [f"value[{key}]", "to"], indent=_BODY)

    def _ways_to_read(self, field: ir.ModelField) -> tuple[str, str]:
        """As for sending."""
        key = layout.string(field.wire)
        test = _READ_AS_IT_IS.get(_scalar(field.type))
        by_codec = f"{self._codec(field.type)}.read(wire, {key}, source)"
        return f"x if type(x := wire.get({key})) is {test} else {by_codec}" if test else by_codec, by_codec

    def _statement(self, field: ir.ModelField) -> str:
        name, key, codec = layout.string(field.accepts), layout.string(field.wire), self._codec(field.type)
        if field.required:
            return layout.call(f"fields[{name}] = {codec}.read", ["wire", key, "source"], indent=layout.STEP)
        arguments = ["fields", name, "wire", key, codec, "source"]
        return layout.call("rpc.read_optional", arguments, indent=layout.STEP)


def _fitting(key: str, best: str, otherwise: str) -> str:
    """An entry of a dict; the first way of writing it needs one line."""
    if len(f"{_BODY}{key}{best},") <= layout.WIDTH:
        return f"{key}{best},"
    return layout.entry(key + otherwise, indent=_BODY)


def _scalar(shape: ir.TypeShape) -> str:
    """The name of a scalar, or of what a NewType makes of one."""
    while isinstance(shape, ir.NewTypeShape):
        shape = shape.item
    return shape.name if isinstance(shape, ir.Scalar) else ""
