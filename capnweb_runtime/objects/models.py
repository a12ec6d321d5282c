"""How models are read from the wire. Rule: fields are decoded by their codecs, then the class judges the whole:
pydantic strictly, a plain record by what making one raises.

The generated function of a model reads its fields in order, by itself where a value is of the type as it is and else by
their codecs and `read_optional`; of what it has read the model's builder makes the model. Nothing here imports
pydantic: a model brings what is needed with it.

Generated code that was made for other fields than the class has is found out when it is imported; see `stale`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields as dataclass_fields
from types import CodeType
from typing import Any, Final, Generic, TypeVar

from capnweb_runtime.core.codecs import ABSENT, ANY, TypeCodec
from capnweb_runtime.core.evaluate import Evaluator, drop
from capnweb_runtime.core.hook import UNDEFINED_WIRE, Wire
from capnweb_runtime.core.mismatch import Mismatch, wire_mismatch
from capnweb_runtime.objects.construct import BuildEach, Read, constructor
from capnweb_runtime.values import FORBIDDEN_KEYS

M = TypeVar("M")
E = TypeVar("E")
R = TypeVar("R")

_REFUSALS: Final = (ValueError, TypeError, AssertionError)
"""What a validator raises to say what is wrong with a value. A subclass was raised by something that failed in it, such
as a UnicodeDecodeError or a JSONDecodeError, whose text may hold what that was about: its name is all that is told.
"""


def read_optional(
    fields: dict[str, Any], name: str, wire: Mapping[str, Wire], key: str, codec: TypeCodec, source: Evaluator
) -> None:
    """Adds the value of a field that has a default; an absent or undefined one is left to it.

    Parameters:
        fields: the values read so far.
        name: what the class calls it: for pydantic the alias, if it has one.
        wire: the wire form of the model.
        key: of the field in it.
        codec: how the field travels.
        source: gives capabilities in it their stubs.
    """
    item = wire.get(key, ABSENT)
    if item is ABSENT or (type(item) is list and item == UNDEFINED_WIRE):
        return
    try:
        fields[name] = codec.decode(item, source)
    except Mismatch as mismatch:
        raise mismatch.inside(key) from None


def unshown(cls: type[Any], convert: Callable[[Any, E], R]) -> Callable[[Any, E], R]:
    """A function that encodes or decodes a class, given the one that was generated: where the class has the setting
    `hide_input_in_errors`, what does not fit is not shown in the error.

    Parameters:
        cls: the class.
        convert: its function.
    """
    if not _settings(cls).get("hide_input_in_errors"):
        return convert

    def convert_unshown(value: Any, other: E) -> R:
        try:
            return convert(value, other)
        except Mismatch as mismatch:
            raise mismatch.unshown() from None

    return convert_unshown


def _settings(cls: Any) -> Mapping[str, Any]:
    """The config of a pydantic class; of another one, nothing."""
    name = "model_config" if hasattr(cls, "model_fields") else "__pydantic_config__"
    settings: Mapping[str, Any] = getattr(cls, name, None) or {}
    return settings


class Builder(Generic[M]):
    """Makes a pydantic model from the values of its fields.

    Parameters:
        model: the class.
        keys: the fields of its wire form.
        computed: further ones, which the class makes itself.

    Attributes:
        build: makes a model; takes the values by what the class calls them, the wire form they were read from, and its
            evaluator. Raises Mismatch naming the field if pydantic refuses it.

    Raises:
        ImportError: a key is that of no field of the class.
    """

    __slots__ = ("_build_each", "_computed", "_keys", "_model", "_taken", "build")

    def __init__(self, model: type[M], keys: tuple[str, ...], computed: tuple[str, ...] = ()) -> None:
        self._model: Any = model
        self._keys = keys
        self._computed = computed
        self._taken: frozenset[str] | None = None  # the keys that mean a field to the class, once they are asked for
        compare_keys(model, (*keys, *computed))
        self.build: Callable[[dict[str, Any], dict[str, Wire], Evaluator], M] = self._build_first
        self._build_each: BuildEach | None = None  # once it is known that there is a faster way than one by one

    def decoder(self, read: Read) -> Callable[[Wire, Evaluator], M]:
        """What decodes a model, and in its attribute `each` all those of a list: see `TypeCodec.each`.

        Parameters:
            read: reads the fields of one, in the order of the class.
        """

        def decode(wire: Wire, source: Evaluator) -> M:
            return self.build(read(wire, source), wire, source)

        def decode_each(wires: list[Wire], source: Evaluator) -> list[M] | None:
            return None if self._build_each is None else self._build_each(read, wires, source)

        vars(decode)["each"] = decode_each
        return decode

    def not_an_object(self, wire: Wire) -> Mismatch:
        """The mismatch for a wire form that is no object."""
        return wire_mismatch(self._model.__name__, wire)

    def _build_first(self, fields: dict[str, Any], wire: dict[str, Wire], source: Evaluator) -> M:
        """Finds out, when the first model with all fields arrives, how they are built from then on."""
        model = self._validated(fields, wire, source)
        if len(wire) == len(fields) == len(self._keys):
            by_name = list(fields) == list(vars(model))  # and not by alias
            made_by = constructor(self._model, self._validated) if by_name else None
            self.build, self._build_each = made_by or (self._validated, None)
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
        policy: str = _settings(self._model).get("extra") or "ignore"
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
            elif self._means_a_field(key):  # by a name that it does not have on the wire: nothing has checked the value
                drop(item, source)
            else:
                fields[key] = ANY.read(wire, key, source)

    def _means_a_field(self, key: str) -> bool:
        if self._taken is None:
            self._taken = frozenset(_taken(self._model))
        return key in self._taken


def _taken(model: Any) -> Iterator[str]:
    """The keys under which validation looks for fields, and for what a path leads through."""
    settings = _settings(model)
    by_name = settings.get("populate_by_name") or settings.get("validate_by_name")
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        if alias is None or by_name:
            yield name
        first = (getattr(choice, "path", [choice])[0] for choice in getattr(alias, "choices", [alias]))
        yield from (key for key in first if isinstance(key, str))


class RecordBuilder(Builder[M]):
    """Makes a dataclass or NamedTuple: it is called with the fields by what the class calls them. Unknown fields are
    dropped, unless it is a pydantic dataclass that forbids them.
    """

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


class TypedDictBuilder(RecordBuilder[M]):
    """Makes a TypedDict: it is the fields. Unknown ones are dropped."""

    __slots__ = ()

    def _build_first(self, fields: dict[str, Any], wire: dict[str, Wire], source: Evaluator) -> M:
        if len(fields) != len(wire):
            self._take_others(fields, wire, source)
        built: Any = fields
        return built  # type: ignore[no-any-return]  # a dict at run time, whatever it is to type checkers


def compare_keys(model: Any, keys: tuple[str, ...]) -> None:
    """Compares the keys for which code was generated with the fields that a class has now.

    Warns with StaleCodeWarning of a field without a key. Raises ImportError for a key without a field, by which
    sending a value would fail, and making one.
    """
    fields = _fields(model)
    if fields is None:
        return
    wanted, known = {_plain(key): name for name, key in fields.items()}, {_plain(key): key for key in keys}
    if wanted.keys() != known.keys():
        gone = [key for plain, key in known.items() if plain not in wanted]
        new = [name for plain, name in wanted.items() if plain not in known]
        _tell(model.__name__, gone, new, fatal=bool(gone))


def compare_names(model: Any, code: CodeType) -> None:
    """Compares what an encode function reads with the fields that a class has now: one may have been renamed, and have
    kept its alias. Raises ImportError, as for `compare_keys`.
    """
    aliased = [(name, key) for name, key in (_fields(model) or {}).items() if name != key]
    renamed = [(name, key) for name, key in aliased if name not in code.co_names and name not in code.co_consts]
    if renamed:
        constants = {item for one in code.co_consts for item in (one if type(one) is tuple else (one,))}
        new = [name for name, key in renamed if key in constants]  # a new one has no key there, and was told
        if new:
            _tell(model.__name__, (), new, fatal=True)


def _fields(model: Any) -> dict[str, str] | None:
    """What a class calls the fields that travel, and what the wire calls each, up to the case that a schema chooses.
    None where that cannot be told yet.
    """
    if hasattr(model, "model_fields"):
        if not model.__pydantic_complete__ and model.model_config.get("alias_generator"):
            return None  # it has not been asked for all names yet
        sent = {name: info for name, info in model.model_fields.items() if not info.exclude}
        fields = {name: info.serialization_alias or name for name, info in sent.items()}
        return fields | {name: info.alias or name for name, info in model.model_computed_fields.items()}
    if hasattr(model, "__dataclass_fields__"):
        return _dataclass_fields(model)
    if hasattr(model, "_fields"):
        return {name: name for name in model._fields}
    return {name: name for name in (*model.__required_keys__, *model.__optional_keys__)}


def _dataclass_fields(model: Any) -> dict[str, str] | None:
    fields = {field.name: field.name for field in dataclass_fields(model)}
    maker = next(base for base in model.__mro__ if "__init__" in vars(base))
    if "__is_pydantic_dataclass__" not in vars(maker):
        return fields
    infos = maker.__pydantic_fields__
    aliases = {name: info.serialization_alias for name, info in infos.items() if info.serialization_alias}
    if _settings(maker).get("alias_generator") and not aliases:
        return None  # until 2.11 pydantic keeps them to itself, and later until the class is complete
    computed = {name: one.info.alias or name for name, one in maker.__pydantic_decorators__.computed_fields.items()}
    return fields | aliases | computed


def _plain(name: str) -> str:
    """The same for a name in any case, and for one with an underscore after it that Python needs."""
    return name.replace("_", "").lower()


def _tell(name: str, gone: Iterable[str], new: Iterable[str], *, fatal: bool) -> None:
    from capnweb_runtime.objects.stale import tell  # noqa: PLC0415  # code that is up to date never needs it

    tell(name, gone, new, fatal=fatal)


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
        return Mismatch(f"a valid value ({error if type(error) in _REFUSALS else _raised(error)})", "an object")
    first = faults[0]
    raised = first.get("ctx", {}).get("error")
    said = first["msg"] if raised is None or type(raised) in _REFUSALS else _raised(raised)
    mismatch = Mismatch(f"a valid value ({said})", repr(first.get("input"))[:80])
    for key in reversed(first["loc"]):
        mismatch.inside(key)
    return mismatch


def _raised(error: Exception) -> str:
    return f"its validator raised {type(error).__name__}"
