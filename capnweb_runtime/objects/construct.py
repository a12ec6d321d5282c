"""Instances of pydantic models whose validation could find nothing. Rule: only where validation would return each value
as it is; whatever is not known to do so is validated.

A field's codec has checked its value by then. So where a model's own schema says no more than the codec (no validator,
constraint, private attribute or `__init__` of its own), validating would build the same instance a second time as slow.
Pydantic's schema of the class is what decides, read once, when the first instance arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Wire
from capnweb_runtime.core.mismatch import Mismatch

_VALUES: Final = {"int", "str", "float", "bool", "bytes", "none", "any", "datetime", "enum", "literal"}
"""The schemas of values that are returned as they are, if nothing but the keys below stands in them."""
_OF_ALL: Final = {"type", "ref", "schema", "metadata", "serialization", "title"}
_OF_VALUES: Final = {"cls", "members", "expected", "microseconds_precision", "items_schema"}
_OF_DEFAULTS: Final = {"default", "default_factory", "default_factory_takes_data"}
_OF_FIELDS: Final = {"validation_alias", "serialization_alias", "serialization_exclude", "frozen"}
_OF_MODELS: Final = {"fields", "model_name", "computed_fields", "custom_init", "root_model", "generic_origin", "config"}
_OF_CONFIGS: Final = {"extra_fields_behavior", "validate_by_name", "validate_by_alias", "from_attributes"}
_KEYS: Final = _OF_ALL | _OF_VALUES | _OF_DEFAULTS | _OF_FIELDS | _OF_MODELS | _OF_CONFIGS | {"extra_behavior"}
_SLOTS: Final = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")

Build: TypeAlias = Callable[[dict[str, Any], dict[str, Wire], Evaluator], Any]
"""Makes a model from the values of its fields, the wire form they were read from, and its evaluator."""
Read: TypeAlias = Callable[[Wire, Evaluator], dict[str, Any]]
"""Reads the fields of a model from its wire form: a generated function."""
BuildEach: TypeAlias = Callable[[Read, list[Wire], Evaluator], list[Any]]
"""Makes the models of a list, given what reads one, their wire forms, and their evaluator. Raises Mismatch naming the
index.
"""


class Constructor(NamedTuple):
    """What makes the instances of a model: one; or, a call less for each, all those of a list."""

    build: Build
    build_each: BuildEach


def constructor(model: Any, otherwise: Build) -> Constructor | None:
    """What makes instances of a model from the values of all its fields, by name and in order.

    Parameters:
        model: a pydantic class.
        otherwise: what makes one where a field is absent, or there is another one.

    Returns:
        Functions that own the dicts they are given; None if instances have to be validated.
    """
    schema = getattr(model, "__pydantic_core_schema__", None)
    if not isinstance(schema, dict) or not _is_plain_model(schema, model) or _is_watched(model):
        return None
    new = object.__new__
    count, names = len(model.model_fields), set(model.model_fields).copy
    set_dict, set_names, set_extra, set_private = (_setter(model, slot) for slot in _SLOTS)
    complete, at_once = frozenset((count,)).issuperset, _at_once(model)

    def build(fields: dict[str, Any], wire: dict[str, Wire], source: Evaluator) -> Any:
        if not len(fields) == count == len(wire):
            return otherwise(fields, wire, source)
        instance = new(model)
        set_dict(instance, fields)
        set_names(instance, names())
        set_extra(instance, None)
        set_private(instance, None)
        return instance

    def build_one_by_one(rows: list[dict[str, Any]], wires: list[Wire], source: Evaluator) -> list[Any]:
        instances: list[Any] = []
        try:
            for fields in rows:
                instances.append(build(fields, wires[len(instances)], source))
        except Mismatch as mismatch:
            raise mismatch.inside(len(instances)) from None
        return instances

    def build_each(read: Read, wires: list[Wire], source: Evaluator) -> list[Any]:
        rows: list[dict[str, Any]] = []
        try:
            for wire in wires:
                rows.append(read(wire, source))
        except Mismatch as mismatch:
            build_one_by_one(rows, wires, source)  # one of those before may be refused, and is named then
            raise mismatch.inside(len(rows)) from None
        if at_once is not None and complete(map(len, rows)) and complete(map(len, wires)):
            return at_once([(row, None, names()) for row in rows])
        return build_one_by_one(rows, wires, source)

    return Constructor(build, build_each)


def _at_once(model: Any) -> Callable[[list[Any]], list[Any]] | None:
    """What makes the instances of a list: pydantic's own code for the purpose, given what validation would have left of
    each, its `__dict__`, extra and set of fields. With slots set from here, decoding 100 models of five fields took 95
    µs instead of 80.

    It is asked for in a form that pydantic does not promise, so that it is tried first. None if it does anything else.
    """
    if hasattr(model, "__del__"):  # which would see what is made for the trial
        return None
    schema = {"type": "list", "items_schema": {"type": "model", "cls": model, "schema": {"type": "any"}}}
    fields: dict[str, Any] = dict.fromkeys(model.model_fields)
    names = set(fields)
    try:
        make = _own_validator(type(model.__pydantic_validator__), schema).validate_python
        [made] = make([(fields, None, names)])
        slots = made.__dict__, made.__pydantic_fields_set__, made.__pydantic_extra__, made.__pydantic_private__
    except Exception:  # whatever another version of pydantic makes of it
        return None
    as_given = type(made) is model and slots[0] is fields and slots[1] is names and slots[2] is slots[3] is None
    return make if as_given else None


def _own_validator(cls: Any, schema: dict[str, Any]) -> Any:
    """A validator that does what the schema says, and not what the model in it has prebuilt."""
    try:
        return cls(schema, _use_prebuilt=False)
    except TypeError:  # a version that has nothing prebuilt
        return cls(schema)


def _setter(model: Any, slot: str) -> Callable[[Any, Any], None]:
    """Sets a slot of instances, past the model's own `__setattr__`."""
    descriptor = next(vars(cls)[slot] for cls in model.__mro__ if slot in vars(cls))
    setter: Callable[[Any, Any], None] = descriptor.__set__
    return setter


def _is_watched(model: Any) -> bool:
    """Whether a plugin of pydantic's wants to hear of each validation: the validator is then not pydantic's own."""
    return type(model.__pydantic_validator__).__name__ != "SchemaValidator"


def _is_plain_model(schema: Mapping[str, Any], model: Any) -> bool:
    """Whether validating the values of all fields gives an instance with just these."""
    known = {}
    if schema["type"] == "definitions":
        known = {definition.get("ref"): definition for definition in schema["definitions"]}
        schema = schema["schema"]
    schema = _resolved(schema, known)
    if schema.get("cls") is not model or not _is_model(schema) or model.__new__ is not object.__new__:
        return False
    fields = schema["schema"]
    if schema.get("config", {}).get("extra_fields_behavior") == "allow" or not _only_known(fields):
        return False
    return fields["type"] == "model-fields" and all(
        _only_known(field) and _returns_as_is(field["schema"], known) for field in fields["fields"].values()
    )


def _is_model(schema: Mapping[str, Any]) -> bool:
    """Whether it is that of a model which does nothing of its own with an instance."""
    return (
        schema["type"] == "model"
        and _only_known(schema)
        and _only_known(schema.get("config", {}))
        and not schema.get("custom_init")
        and not schema.get("root_model")
    )


def _returns_as_is(schema: Mapping[str, Any], known: Mapping[Any, Any]) -> bool:
    """Whether a value of exactly the type is returned as it is, or as an equal one."""
    schema = _resolved(schema, known)
    kind = schema["type"]
    if kind == "model":
        return _is_model(schema)
    if not _only_known(schema):
        return False
    if kind in ("nullable", "default"):
        return _returns_as_is(schema["schema"], known)
    if kind == "list":
        return "items_schema" not in schema or _returns_as_is(schema["items_schema"], known)
    return kind in _VALUES


def _resolved(schema: Mapping[str, Any], known: Mapping[Any, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = known.get(schema.get("schema_ref"), schema)
    return found


def _only_known(schema: Mapping[str, Any]) -> bool:
    """Whether it says nothing that may change or refuse a value."""
    return schema.keys() <= _KEYS
