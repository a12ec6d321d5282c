"""Plain classes that travel by value: dataclasses, NamedTuples and TypedDicts, from the class to the IR.

Rule: Python says what the fields are; the source says where they stand. Nothing but the class itself checks what
arrives, after the types of its fields.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Iterator, Mapping
from dataclasses import InitVar, is_dataclass
from typing import Any, Literal, get_args, get_origin

import typing_extensions

from capnweb_gen import naming

RecordForm = Literal["dataclass", "named_tuple", "typed_dict"]

_NO_TYPE = inspect.Parameter.empty


def _forms(name: str) -> tuple[object, ...]:
    """A special form by its name. Type checkers give these no type, and typing may lack what typing_extensions has."""
    return tuple(vars(module)[name] for module in (typing, typing_extensions) if name in vars(module))


_REQUIRED, _NOT_REQUIRED, _READ_ONLY = _forms("Required"), _forms("NotRequired"), _forms("ReadOnly")


@dataclasses.dataclass(frozen=True)
class RecordField:
    """A field; a computed one is sent, and ignored on arrival.

    `key` is that of a TypedDict, where it is no name that an attribute can have; `name` resembles it then.
    """

    name: str
    annotation: object
    required: bool
    computed: bool = False
    key: str | None = None


def record_form(value: object) -> RecordForm | None:
    """What kind of record a class is, or None if it is none."""
    if not inspect.isclass(value) or issubclass(value, BaseException):
        return None
    if typing_extensions.is_typeddict(value):
        return "typed_dict"
    declared: object = value
    if issubclass(value, tuple):
        return "named_tuple" if hasattr(declared, "_field_defaults") else None
    return "dataclass" if is_dataclass(value) else None


def record_fields(record: type[object], arguments: tuple[object, ...] = ()) -> tuple[RecordField, ...]:
    """The fields of a record.

    Args:
        record: the class.
        arguments: what its type parameters stand for.

    Raises:
        Exception: whatever evaluating its annotations raises.
    """
    written = _hints(record)
    parameters: tuple[object, ...] = getattr(record, "__parameters__", ())
    given = dict(zip(parameters, arguments, strict=False))
    hints = {name: _with_arguments(hint, given) for name, hint in written.items()}
    match record_form(record):
        case "dataclass":
            return tuple(_dataclass_fields(record, hints))
        case "named_tuple":
            defaults: Mapping[str, object] = getattr(record, "_field_defaults", {})
            names: tuple[str, ...] = getattr(record, "_fields", ())
            return tuple(
                RecordField(name, hints.get(name, inspect.Parameter.empty), name not in defaults) for name in names
            )
        case _:
            return tuple(_typed_dict_fields(record, hints))


def _hints(record: type[object]) -> dict[str, Any]:
    own = {parameter.__name__: parameter for parameter in getattr(record, "__type_params__", ())}
    names = {**vars(record), **own} if own else None  # Python 3.12 would not find the type parameters
    return typing_extensions.get_type_hints(record, localns=names, include_extras=True)


def _with_arguments(annotation: Any, given: Mapping[object, object]) -> object:
    """A type with its type parameters replaced by what they stand for."""
    if annotation in given:
        return given[annotation]
    generic: Any = None if inspect.isclass(annotation) else annotation
    inside: tuple[object, ...] = getattr(generic, "__parameters__", ())
    return generic[tuple(given.get(parameter, parameter) for parameter in inside)] if inside else annotation


def record_faults(record: type[object]) -> Iterator[tuple[str, str, str]]:
    """What of a record cannot be made from its fields: the name of each such thing, why, and a hint."""
    name = record.__name__
    for field in record_fields(record):
        if field.annotation is _NO_TYPE:
            yield field.name, f"{name}.{field.name} has no type", f"write class {name}(NamedTuple)"
        elif field.name.startswith("_"):
            yield field.name, f"{name}.{field.name} is private", "name it without the underscore"
    if record_form(record) == "dataclass":
        hints = _hints(record)
        declared: Mapping[str, object] = getattr(record, "__dataclass_fields__", {})  # fields() leaves these out
        for field_name in declared:
            if isinstance(hints.get(field_name), InitVar):
                yield field_name, f"{name}.{field_name} is an InitVar, which is not kept", "make it a field"


def _dataclass_fields(record: Any, hints: Mapping[str, object]) -> Iterator[RecordField]:
    for field in dataclasses.fields(record):
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        yield RecordField(field.name, hints[field.name], missing, computed=not field.init)


def _typed_dict_fields(record: Any, hints: Mapping[str, object]) -> Iterator[RecordField]:
    taken = {key for key in hints if _is_attribute(key)}
    for key, annotation in hints.items():
        required = key in record.__required_keys__
        while (origin := get_origin(annotation)) in (*_REQUIRED, *_NOT_REQUIRED, *_READ_ONLY):
            # With postponed annotations, __required_keys__ does not know of these.
            required = origin in _REQUIRED or (required and origin in _READ_ONLY)
            annotation = get_args(annotation)[0]
        if _is_attribute(key):
            yield RecordField(key, annotation, required)
            continue
        name = naming.as_name(key)
        while name in taken:
            name = f"{name}_"
        taken.add(name)
        yield RecordField(name, annotation, required, key=key)


def _is_attribute(key: str) -> bool:
    return naming.is_name(key) and not key.startswith("_")
