"""What the config of a class says of it as a whole, and what its decorators do: whether that holds on the way.

Rule: a setting that pydantic follows when it makes an instance holds, because that is how instances arrive. One that
pydantic follows only when it writes is refused here, or with the field that it is about, see `pydantic_schemas`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from capnweb_gen.frontends.python.pydantic_classes import fields_of, settings_of
from capnweb_gen.frontends.python.pydantic_schemas import extra_schema
from capnweb_gen.frontends.python.type_names import constant

Fault = tuple[str, str, str]  # the member that it is about, the message, a hint

# What pydantic makes of a class and of its schema, and nothing of an instance.
_DESCRIBING = frozenset(
    {"title", "model_title_generator", "field_title_generator", "json_schema_extra", "json_schema_mode_override"}
    | {"json_schema_serialization_defaults_required", "use_attribute_docstrings", "defer_build", "plugin_settings"}
    | {"experimental_defer_build_mode", "protected_namespaces", "arbitrary_types_allowed"}
)
# What says nothing of parameters, which are passed one by one and checked strictly anyway.
_OF_WHOLE_INSTANCES = frozenset(
    {"alias_generator", "populate_by_name", "validate_by_name", "validate_by_alias", "serialize_by_alias", "extra"}
    | {"frozen", "strict", "from_attributes", "validate_assignment", "revalidate_instances", "validate_return"}
    | {"loc_by_alias", "validation_error_cause", "cache_strings", "ignored_types", "val_json_bytes"}
)
# What can be told apart in what a peer is sent without knowing types.
_PLAIN = frozenset({"any", "none", "bool", "int", "float", "str", "bytes", "nullable", "list", "dict"})


def class_faults(declared: type[object]) -> Iterator[Fault]:
    """What of a complete pydantic class as a whole would not hold."""
    yield from _serializers(declared)
    yield from _writing(declared)
    yield from _extra(declared)


def plain_record_faults(record: type[object]) -> Iterator[Fault]:
    """What the config of a class says that is no pydantic class, so that nothing here follows it."""
    name, settings = record.__name__, settings_of(record)
    for setting in sorted(settings.keys() - _DESCRIBING):
        hint = f"make {name} a pydantic model, or leave {setting} out"
        message = f"{name} says {setting}={constant(settings[setting])}, which only pydantic follows"
        yield "__pydantic_config__", message, hint
    fields: Mapping[str, Any] = getattr(record, "__dataclass_fields__", {})
    defaults = {field: declared.default for field, declared in fields.items()} | getattr(record, "_field_defaults", {})
    for field, default in defaults.items():
        if isinstance(default, FieldInfo):
            hint = f"use dataclass from pydantic.dataclasses, or make {name} a pydantic model"
            yield field, f"{name}.{field} has Field(...) as its default, which only pydantic reads", hint


def parameters_faults(model: type[BaseModel]) -> Iterator[Fault]:
    """What a model says that lists the parameters of a method: it is never made, so that only its fields count."""
    yield from _serializers(model)
    name, settings = model.__name__, settings_of(model)
    for setting in sorted(settings.keys() - _DESCRIBING - _OF_WHOLE_INSTANCES):
        hint = "say it with the field, or in a model that a parameter takes"
        yield "model_config", f"{name} says {setting}={constant(settings[setting])}, but no {name} is ever made", hint
    for computed in model.__pydantic_decorators__.computed_fields:
        yield computed, f"{name}.{computed} is computed, but no {name} is ever made", "leave it out"
    for field, info in model.model_fields.items():
        if info.exclude or getattr(info, "exclude_if", None):
            yield field, f"{name}.{field} is excluded from serialization", "leave it out"
        if info.validation_alias != info.serialization_alias:
            hint = "use `alias`, which is its name in both directions"
            yield field, f"{name}.{field} has another alias when it is sent than when it is taken", hint


def _serializers(declared: Any) -> Iterator[Fault]:
    decorators: Any = getattr(declared, "__pydantic_decorators__", None)
    if decorators is None:
        return
    name = declared.__name__
    for member in decorators.field_serializers:
        hint = "give the field the type that travels"
        yield member, f"{name}.{member} is a field serializer, which sending a model does not call", hint
    for member in decorators.model_serializers:
        hint = "declare the fields as they travel"
        yield member, f"{name}.{member} is a model serializer, which sending a model does not call", hint


def _writing(declared: type[object]) -> Iterator[Fault]:
    name, settings = declared.__name__, settings_of(declared)
    if settings.get("polymorphic_serialization"):
        message = f"{name} is serialized with what a subclass adds, but a value travels as the type that is declared"
        yield "model_config", message, "write a union of the models, or leave polymorphic_serialization out"
    aliased = [field for field, info in fields_of(declared).items() if info.serialization_alias not in (None, field)]
    if settings.get("serialize_by_alias") is False and aliased:
        message = f"{name} says serialize_by_alias=False, but {aliased[0]} is sent by its alias"
        yield "model_config", message, "leave the aliases out, or serialize_by_alias"


def _extra(declared: type[object]) -> Iterator[Fault]:
    name, settings = declared.__name__, settings_of(declared)
    if not issubclass(declared, BaseModel):
        if settings.get("extra") == "allow":
            message = f"{name} keeps fields that it does not declare, which are not sent"
            yield "", message, "make it a BaseModel, or leave extra='allow' out"
        return
    extra = extra_schema(declared) if settings.get("extra") == "allow" else None
    if extra is not None and any(node["type"] not in _PLAIN for node in extra.walk()):
        message = f"the extra fields of {name} have a type, but travel as any value"
        yield "__pydantic_extra__", message, "write dict[str, Any], or a field that is a dict of the type"
