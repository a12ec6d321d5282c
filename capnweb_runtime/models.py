"""How models are read from the wire. Rule: fields are decoded by their codecs, then the class judges the whole:
pydantic strictly, a plain record by what making one raises.

The generated function of a model reads its fields in order, by itself where a value is of the type as it is and else by
`read_field` and `read_optional`; what it has read it gives to the model's builder. Nothing here imports pydantic: a
model brings what is needed with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from capnweb_runtime.construct import constructor
from capnweb_runtime.core.codecs import ANY, TypeCodec
from capnweb_runtime.core.evaluate import FORBIDDEN_KEYS, Evaluator, drop
from capnweb_runtime.core.hook import UNDEFINED_WIRE, Wire
from capnweb_runtime.core.mismatch import Mismatch, wire_mismatch

M = TypeVar("M")
_ABSENT: Final = object()


def read_field(wire: Mapping[str, Wire], key: str, codec: TypeCodec, source: Evaluator) -> Any:
    """The value of a field that has no default.

    Parameters:
        wire: the wire form of the model.
        key: of the field in it.
        codec: how the field travels.
        source: gives capabilities in it their stubs.

    Raises:
        Mismatch: it is missing, or not of its type.
    """
    item = wire.get(key, _ABSENT)
    if item is _ABSENT:
        raise Mismatch(codec.label, "nothing: the field is missing").inside(key)
    try:
        return codec.decode(item, source)
    except Mismatch as mismatch:
        raise mismatch.inside(key) from None


def read_optional(
    fields: dict[str, Any], name: str, wire: Mapping[str, Wire], key: str, codec: TypeCodec, source: Evaluator
) -> None:
    """Adds the value of a field that has a default; an absent or undefined one is left to it.

    Parameters:
        fields: the values read so far.
        name: what the class calls it: for pydantic the alias, if it has one.
        wire, key, codec, source: as for `read_field`.
    """
    item = wire.get(key, _ABSENT)
    if item is _ABSENT or (type(item) is list and item == UNDEFINED_WIRE):
        return
    try:
        fields[name] = codec.decode(item, source)
    except Mismatch as mismatch:
        raise mismatch.inside(key) from None


class Builder(Generic[M]):
    """Makes a pydantic model from the values of its fields.

    Parameters:
        model: the class.
        keys: the fields of its wire form.
        computed: further ones, which the class makes itself.

    Attributes:
        build: makes a model; takes the values by what the class calls them, the wire form they were read from, and its
            evaluator. Raises Mismatch naming the field if pydantic refuses it.
    """

    __slots__ = ("_computed", "_keys", "_model", "build")

    def __init__(self, model: type[M], keys: tuple[str, ...], computed: tuple[str, ...] = ()) -> None:
        self._model: Any = model
        self._keys = keys
        self._computed = computed
        self.build: Callable[[dict[str, Any], dict[str, Wire], Evaluator], M] = self._build_first

    def not_an_object(self, wire: Wire) -> Mismatch:
        """The mismatch for a wire form that is no object."""
        return wire_mismatch(self._model.__name__, wire)

    def _build_first(self, fields: dict[str, Any], wire: dict[str, Wire], source: Evaluator) -> M:
        """Finds out, when the first model with all fields arrives, how they are built from then on."""
        model = self._validated(fields, wire, source)
        if len(wire) == len(fields) == len(self._keys):
            by_name = list(fields) == list(vars(model))  # and not by alias
            self.build = (constructor(self._model, self._validated) if by_name else None) or self._validated
        return model

    def _validated(self, fields: dict[str, Any], wire: dict[str, Wire], source: Evaluator) -> M:
        if len(fields) != len(wire):
            self._take_others(fields, wire, source)
        try:
            built: M = self._model.model_validate(fields, strict=True)
        except ValueError as error:
            raise _as_mismatch(error) from None
        return built

    def _extra(self) -> str:
        policy: str = self._model.model_config.get("extra") or "ignore"
        return policy

    def _take_others(self, fields: dict[str, Any], wire: dict[str, Wire], source: Evaluator) -> None:
        """Computed fields are passed over. Unknown ones follow the model's `extra`: kept where it allows them, refused
        where it forbids them, otherwise dropped.
        """
        extra = self._extra()
        for key, item in wire.items():
            if key in self._keys:
                continue
            if key in FORBIDDEN_KEYS or key in self._computed or extra == "ignore":
                drop(item, source)
            elif extra == "forbid":
                raise Mismatch("no such field", "one that the model does not have").inside(key)
            else:
                fields[key] = read_field(wire, key, ANY, source)


class RecordBuilder(Builder[M]):
    """Makes a dataclass or NamedTuple: it is called with the fields by name. Unknown fields are dropped."""

    __slots__ = ()

    def _build_first(self, fields: dict[str, Any], wire: dict[str, Wire], source: Evaluator) -> M:
        """The record. Raises Mismatch if making it raises a ValueError or TypeError."""
        if len(fields) != len(wire):
            self._take_others(fields, wire, source)
        try:
            built: M = self._model(**fields)
        except (TypeError, ValueError) as error:
            raise _as_mismatch(error) from None
        return built

    def _extra(self) -> str:
        return "ignore"


class TypedDictBuilder(RecordBuilder[M]):
    """Makes a TypedDict: it is the fields. Unknown ones are dropped."""

    __slots__ = ()

    def _build_first(self, fields: dict[str, Any], wire: dict[str, Wire], source: Evaluator) -> M:
        if len(fields) != len(wire):
            self._take_others(fields, wire, source)
        built: Any = fields
        return built  # type: ignore[no-any-return]  # a dict at run time, whatever it is to type checkers


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
