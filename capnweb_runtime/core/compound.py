"""The codecs that are put together from others: containers, unions, models, capabilities. Rule: each step into a
value adds a step to the path of what is found wrong in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.devaluate import devaluate, encode_ref
from capnweb_runtime.core.evaluate import Evaluator, drop
from capnweb_runtime.core.hook import UNDEFINED_WIRE, Codec, Exporter, Hook, Host, PromiseRef, StubRef, Wire
from capnweb_runtime.core.mismatch import Mismatch, dropped_key, located, value_mismatch, wire_mismatch
from capnweb_runtime.core.refs import Exportable
from capnweb_runtime.core.tables import ImportHook, introduce, is_introduced
from capnweb_runtime.values import FORBIDDEN_KEYS


class OptionalCodec(TypeCodec):
    """A value or None; undefined reads as None."""

    def __init__(self, item: TypeCodec) -> None:
        self.item = item
        self.pure = item.pure
        self.promise = item.promise
        self._exact = item.exact

    @property
    def label(self) -> str:
        return f"{self.item.label} or None"

    def encode(self, value: Any, to: Exporter) -> Wire:
        return None if value is None else self.item.encode(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        if wire is None or type(wire) is self._exact:
            return wire
        if type(wire) is list and wire == UNDEFINED_WIRE:
            return None
        return self.item.decode(wire, source)


class ListCodec(TypeCodec):
    """A list of values of one type; tuples and other sequences are sent as lists."""

    def __init__(self, item: TypeCodec) -> None:
        self.item = item
        self.pure = item.pure
        self._exact, self._travel, self._decode_each = item.exact, item.travel, item.each
        instances: tuple[type | None, Callable[[Any, Exporter], Wire]] = item.instances or (None, item.encode)
        self._model, self._encode_model = instances

    @property
    def label(self) -> str:
        return f"a list of {self.item.label}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is list:
            exact = self._exact
            if exact is not None:
                for item in value:
                    if type(item) is not exact:
                        break
                else:
                    if exact is str or self._travel(value):
                        return [value.copy()]
        elif not _is_sequence(value):
            return self.other(value, to)
        encode, model, encode_model = self.item.encode, self._model, self._encode_model
        wire: list[Wire] = []
        item = None
        try:
            for item in value:
                wire.append(encode_model(item, to) if type(item) is model else encode(item, to))
        except Mismatch as mismatch:
            if type(item) is model and self.pure:
                mismatch = located(mismatch, encode_model, item, to)
            raise mismatch.inside(len(wire)) from None
        return [wire]

    def read(self, wire: Mapping[str, Wire], key: str, source: Any) -> Any:
        """See `TypeCodec.read`: in one call where the items are values as they are."""
        exact = self._exact
        try:
            [items] = wire[key]  # to ask first whether it is a list of one would take longer: 7 % of decoding models
        except (LookupError, TypeError, ValueError):
            return super().read(wire, key, source)
        if exact is not None and type(items) is list:
            for item in items:
                if type(item) is not exact:
                    break
            else:
                return items.copy()
        return super().read(wire, key, source)

    def decode(self, wire: Wire, source: Evaluator) -> list[Any]:
        if type(wire) is not list or len(wire) != 1 or type(wire[0]) is not list:
            raise wire_mismatch(self.label, wire)
        items: list[Wire] = wire[0]
        exact = self._exact
        if exact is not None:
            for item in items:
                if type(item) is not exact:
                    break
            else:
                return items.copy()
        if self._decode_each is not None and (decoded := self._decode_each(items, source)) is not None:
            return decoded
        decode = self.item.decode
        value: list[Any] = []
        try:
            for item in items:
                value.append(decode(item, source))
        except Mismatch as mismatch:
            raise mismatch.inside(len(value)) from None
        return value


class TupleCodec(TypeCodec):
    """A tuple with one codec for each of its items."""

    def __init__(self, items: tuple[TypeCodec, ...]) -> None:
        self.items = items
        self.pure = all(item.pure for item in items)

    @property
    def label(self) -> str:
        return f"a list of exactly {len(self.items)}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if not isinstance(value, (tuple, list)) or len(value) != len(self.items):
            return self.other(value, to)
        wire: list[Wire] = []
        try:
            for codec in self.items:
                wire.append(codec.encode(value[len(wire)], to))
        except Mismatch as mismatch:
            raise mismatch.inside(len(wire)) from None
        return [wire]

    def decode(self, wire: Wire, source: Evaluator) -> tuple[Any, ...]:
        if type(wire) is not list or len(wire) != 1 or type(wire[0]) is not list or len(wire[0]) != len(self.items):
            raise wire_mismatch(self.label, wire)
        value: list[Any] = []
        try:
            for codec in self.items:
                value.append(codec.decode(wire[0][len(value)], source))
        except Mismatch as mismatch:
            raise mismatch.inside(len(value)) from None
        return tuple(value)


class RecordCodec(TypeCodec):
    """A tuple, list or dict of which each item has a codec of its own: what a mapper function returned."""

    def __init__(self, container: type[Any], items: Mapping[Any, TypeCodec]) -> None:
        self.container = container
        self.items = items
        self.pure = all(item.pure for item in items.values())

    @property
    def label(self) -> str:
        return f"a {self.container.__name__} of {len(self.items)}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        wire = [_at(key, codec.encode, value[key], to) for key, codec in self.items.items()]
        return dict(zip(self.items, wire, strict=True)) if self.container is dict else [wire]

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        fields = wire[0] if type(wire) is list and len(wire) == 1 else wire
        if type(fields) is not (dict if self.container is dict else list) or len(fields) != len(self.items):
            raise wire_mismatch(self.label, wire)
        if type(fields) is dict and fields.keys() != self.items.keys():
            raise wire_mismatch(f"an object with the keys {', '.join(self.items)}", wire)
        values = [_at(key, codec.decode, fields[key], source) for key, codec in self.items.items()]
        return dict(zip(self.items, values, strict=True)) if self.container is dict else self.container(values)


class DictCodec(TypeCodec):
    """An object with keys of the application's choosing and values of one type."""

    def __init__(self, item: TypeCodec) -> None:
        self.item = item
        self.pure = item.pure

    @property
    def label(self) -> str:
        return f"an object of {self.item.label}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is not dict and not isinstance(value, Mapping):
            return self.other(value, to)
        for key in value:
            if not isinstance(key, str):
                raise value_mismatch("str as key", key)
        if not FORBIDDEN_KEYS.isdisjoint(value):
            raise dropped_key(value)
        encode = self.item.encode
        wire: dict[str, Wire] = {}
        key = ""
        try:
            for key, item in value.items():
                wire[key if type(key) is str else str.__str__(key)] = encode(item, to)
        except Mismatch as mismatch:
            raise mismatch.inside(key) from None
        return wire

    def decode(self, wire: Wire, source: Evaluator) -> dict[str, Any]:
        if type(wire) is not dict:
            raise wire_mismatch(self.label, wire)
        exact = self.item.exact
        if exact is not None and FORBIDDEN_KEYS.isdisjoint(wire):
            for item in wire.values():
                if type(item) is not exact:
                    break
            else:
                return wire.copy()
        decode = self.item.decode
        value: dict[str, Any] = {}
        key = ""
        try:
            for key, item in wire.items():
                if key in FORBIDDEN_KEYS:
                    drop(item, source)
                else:
                    value[key] = decode(item, source)
        except Mismatch as mismatch:
            raise mismatch.inside(key) from None
        return value


class UnionCodec(TypeCodec):
    """A value of one of several types, tried in order."""

    def __init__(self, items: tuple[TypeCodec, ...]) -> None:
        self.items = items
        self.pure = all(item.pure for item in items)

    @property
    def label(self) -> str:
        return " or ".join(item.label for item in self.items)

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, PromiseRef):
            return encode_ref(value, to)
        nearest: Mismatch | None = None
        for item in self.items:
            try:
                return item.encode(value, to)
            except Mismatch as mismatch:
                if mismatch.nested:  # of the right form, so that no other type can be meant
                    nearest = mismatch
        raise nearest or value_mismatch(self.label, value)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        nearest: Mismatch | None = None
        for item in self.items:
            try:
                return item.decode(wire, source)
            except Mismatch as mismatch:
                if mismatch.nested:  # as above
                    nearest = mismatch
        raise nearest or wire_mismatch(self.label, wire)


class ValueCodec(TypeCodec):
    """A by-value class of the wire, such as Blob or Headers.

    Parameters:
        cls: the class; text is accepted for one that is text itself.
    """

    pure = False

    def __init__(self, cls: type[Any]) -> None:
        self.cls = cls

    @property
    def label(self) -> str:
        return self.cls.__name__

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, str) and issubclass(self.cls, str):
            value = self.cls(value)
        return devaluate(value, to, to.depth) if isinstance(value, self.cls) else self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        value = source.value(wire, source.depth)
        if not isinstance(value, self.cls):
            raise wire_mismatch(self.label, wire)
        return value


class LiteralCodec(TypeCodec):
    """One of a few values, each a str, int, bool or None."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values

    @property
    def kinds(self) -> frozenset[type[Any]]:
        """The types of the values."""
        return frozenset(map(type, self.values))

    @property
    def label(self) -> str:
        return "one of " + ", ".join(map(repr, self.values))

    def encode(self, value: Any, to: Exporter) -> Wire:
        return self._one_of(value) if not isinstance(value, PromiseRef) else encode_ref(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        return self._one_of(wire)

    def _one_of(self, value: Any) -> Any:
        for allowed in self.values:
            if type(allowed) is type(value) and allowed == value:
                return allowed
        raise value_mismatch(self.label, value) if type(value) is not list else wire_mismatch(self.label, value)


class ModelCodec(TypeCodec):
    """A by-value class, encoded and decoded by the two functions that were generated for it.

    Attributes:
        secret: keys of its wire form whose values no log may show, also of what is in it.
    """

    def __init__(
        self,
        model: type[Any],
        encode: Callable[[Any, Exporter], Wire],
        decode: Callable[[Wire, Any], Any],
        promise: Callable[[], type[PromiseRef] | None],
        pure: bool = True,
        secret: tuple[str, ...] = (),
    ) -> None:
        self.model = model
        self.pure = pure
        self.secret = frozenset(secret)
        self.promise = promise
        self.instances = model, encode
        self._encode = encode
        # Box(item=1) is a Box[int] to type checkers, though pydantic makes a plain Box; its fields are checked anyway.
        self._plain: type[Any] | None = getattr(model, "__pydantic_generic_metadata__", {}).get("origin")
        self.each = getattr(decode, "each", None)
        vars(self)["decode"] = decode  # in place of a method that would only call it

    @property
    def label(self) -> str:
        return self.model.__name__

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is self.model or isinstance(value, self.model) or type(value) is self._plain:
            try:
                return self._encode(value, to)
            except Mismatch as mismatch:
                raise (located(mismatch, self._encode, value, to) if self.pure else mismatch) from None
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        """The generated function: see above."""
        raise NotImplementedError


class TypedDictCodec(ModelCodec):
    """A dict with known keys: its class is there for type checkers alone, so that what is sent is known by its keys."""

    def encode(self, value: Any, to: Exporter) -> Wire:
        if type(value) is not dict and not isinstance(value, Mapping):
            return self.other(value, to)
        try:
            return self._encode(value, to)
        except KeyError as error:
            raise Mismatch(self.label, f"a dict without the key {error}") from None
        except Mismatch as mismatch:
            raise (located(mismatch, self._encode, value, to) if self.pure else mismatch) from None


class TaggedCodec(TypeCodec):
    """One of several by-value classes, which a reader tells apart by a constant in one of their fields.

    Parameters:
        tag: the wire name of the field.
        items: the constants, each with the codec of a class.
    """

    def __init__(self, tag: str, items: tuple[tuple[str | int | bool, ModelCodec], ...]) -> None:
        self.tag = tag
        self.pure = all(codec.pure for _, codec in items)
        self.by_tag: dict[tuple[type[Any], Any], ModelCodec] = {(type(value), value): codec for value, codec in items}
        self._codecs = list(dict.fromkeys(codec for _, codec in items))

    @property
    def kinds(self) -> frozenset[type[Any]]:
        """The types of the constants."""
        return frozenset(kind for kind, _ in self.by_tag)

    @property
    def label(self) -> str:
        return " or ".join(codec.label for codec in self._codecs)

    def encode(self, value: Any, to: Exporter) -> Wire:
        for codec in self._codecs:
            if type(value) is codec.model:
                return codec.encode(value, to)
        if isinstance(value, PromiseRef) or hasattr(type(value), "__await__"):
            return self.other(value, to)
        for codec in self._codecs:  # an instance of a subclass, or a dict
            mark = to.mark()
            try:
                return codec.encode(value, to)
            except Mismatch:
                to.take_back(mark)  # what the fields before the wrong one held
        raise value_mismatch(self.label, value)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        if type(wire) is not dict:
            raise wire_mismatch(self.label, wire)
        value = wire.get(self.tag)
        codec = self.by_tag.get((type(value), value)) if type(value) in (str, int, bool) else None
        if codec is None:
            constants = ", ".join(repr(constant) for _, constant in self.by_tag)
            raise wire_mismatch(f"one of {constants}", value).inside(self.tag)
        return codec.decode(wire, source)


class InterfaceCodec(TypeCodec):
    """A capability: a target is sent as a new export, a stub or promise as what it refers to; a stub is what
    arrives.
    """

    pure = False

    def __init__(
        self,
        stub: Callable[[], type[StubRef]],
        promise: Callable[[], type[PromiseRef] | None],
        target: Callable[[], type[Exportable]],
    ) -> None:
        self.promise = promise
        self._stub = stub
        self._target = target

    @property
    def label(self) -> str:
        """The interface's name, as its target class has it."""
        return f"{self._target().__name__} or {self._stub().__name__}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, self._target()):
            wire: Wire = ["export", to.export_stub(value._export(to.host))]
            return wire if to.introductions is None else wire + to.introductions.of(value)
        if isinstance(value, self._stub()):
            return encode_ref(value, to)
        return self.other(value, to)

    def capture(self, value: Any, host: Host) -> Hook | None:
        return value._export(host) if isinstance(value, self._target()) else None

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        stub = stub_of(wire, source, self._stub, self)
        hook = stub._hook
        if type(hook) is ImportHook:
            interface = getattr(hook.entry, "interface", None)
            mistake = None if interface is None else interface.mistake(self._target())
            if mistake is not None:
                raise Mismatch(self.label, mistake)
            return stub
        target = getattr(hook, "target", None)
        if target is not None and not isinstance(target, self._target()):  # of ours, so that it is known what it is
            raise Mismatch(self.label, _kind_of(target))
        return stub


def _kind_of(target: object) -> str:
    interface: str | None = getattr(target, "_rpc_interface", None)
    if interface is not None:
        return f"{interface}Target"
    return "a function" if callable(target) else f"an instance of {type(target).__name__}"


def stub_of(wire: Wire, source: Evaluator, stub: Callable[[], Callable[[Any], Any]], codec: Codec) -> Any:
    """The stub for a wire form that is a capability by itself: ["export", id] or ["import", id]."""
    if type(wire) is list and (len(wire) == 2 or is_introduced(wire, source.importer)) and type(wire[1]) is int:
        if wire[0] == "export":
            hook = source.importer.import_stub(wire[1])
            if len(wire) > 2:
                introduce(hook, wire, source.importer)
            source.hooks.append(hook)
            return stub()(hook)
        if wire[0] == "import":
            hook = source.importer.own_export(wire[1]).dup()
            source.hooks.append(hook)
            return stub()(hook)
    raise wire_mismatch(codec.label, wire)


def _is_sequence(value: Any) -> bool:
    """Whether a value that is no list may be sent as one."""
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes, bytearray, Mapping, PromiseRef))


def _at(key: str | int, convert: Callable[[Any, Any], Any], value: Any, context: Any) -> Any:
    """Converts an item; a Mismatch in it gets the item's key as a step of its path."""
    try:
        return convert(value, context)
    except Mismatch as mismatch:
        raise mismatch.inside(key) from None
