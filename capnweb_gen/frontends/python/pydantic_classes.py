"""What pydantic models and pydantic dataclasses have in common: fields, computed fields, a config, and a schema.

Rule: whatever is read of such a class is asked for here, so that whoever reads it need not know which of the two it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.dataclasses import is_pydantic_dataclass, rebuild_dataclass
from pydantic.fields import ComputedFieldInfo, FieldInfo

from capnweb_gen.frontends.python.pydantic_schemas import Settings, generated_aliases


def validating_class(declared: type[object]) -> type[object] | None:
    """The class whose pydantic validation makes the instances of one: itself, or for a class that derives from a
    pydantic dataclass the nearest base with an `__init__`. None if it is not pydantic that makes them.
    """
    if issubclass(declared, BaseModel):
        return declared
    maker = next(base for base in declared.__mro__ if "__init__" in vars(base))
    return maker if is_pydantic_dataclass(maker) else None


def complete(declared: type[object]) -> None:
    """Resolve what its fields name.

    Raises:
        Exception: whatever pydantic raises if that cannot be done.
    """
    if issubclass(declared, BaseModel):
        declared.model_rebuild()
    elif is_pydantic_dataclass(declared):
        rebuild_dataclass(declared)


def settings_of(declared: type[object]) -> Settings:
    """What its config says, with what it inherits."""
    found: Any = getattr(declared, "model_config" if issubclass(declared, BaseModel) else "__pydantic_config__", None)
    return found or {}


def fields_of(declared: type[object]) -> Mapping[str, FieldInfo]:
    """Its fields by name."""
    if issubclass(declared, BaseModel):
        return declared.model_fields
    found: Mapping[str, FieldInfo] = getattr(declared, "__pydantic_fields__", {})
    if not settings_of(declared).get("alias_generator"):
        return found
    # Until 2.11 pydantic keeps what a generator makes for a dataclass to itself.
    aliases = generated_aliases(declared)
    return {name: _with_aliases(info, *aliases.get(name, (None, None))) for name, info in found.items()}


def _with_aliases(info: FieldInfo, taken_by: Any, sent_by: str | None) -> FieldInfo:
    found = copy(info)
    if not isinstance(taken_by, str | None):
        paths: list[list[Any]] = [taken_by] if isinstance(taken_by[0], str) else taken_by
        taken_by = AliasChoices(*(AliasPath(*path) if path[1:] else path[0] for path in paths))
    found.validation_alias, found.serialization_alias = taken_by, sent_by
    return found


def computed_of(declared: type[object]) -> Mapping[str, ComputedFieldInfo]:
    """Its computed fields by name."""
    decorators: Any = getattr(declared, "__pydantic_decorators__", None)
    return {name: one.info for name, one in decorators.computed_fields.items()} if decorators else {}


# ---- names


def accepted_name(declared: type[object], name: str) -> str | None:
    """The key under which validation finds a field; None if there is none, because its alias is a path."""
    if _by_name(declared):
        return name
    info = fields_of(declared)[name]
    return next(iter(_aliases(info)), None) if info.validation_alias is not None else name


def other_taker(declared: type[object], name: str) -> str | None:
    """Another field that would take what is meant for one, if it is not there itself."""
    key = accepted_name(declared, name)
    return next((other for other in fields_of(declared) if other != name and key in _keys(declared, other)), None)


def _keys(declared: type[object], name: str) -> set[str]:
    """All keys under which validation looks for a field, or for what a path leads through."""
    info = fields_of(declared)[name]
    looks_for_alias = info.validation_alias is not None and settings_of(declared).get("validate_by_alias") is not False
    named = {name} if _by_name(declared) or not looks_for_alias else set[str]()
    paths = (choice.path[0] for choice in _choices(info) if isinstance(choice, AliasPath))
    return {*named, *_aliases(info), *(key for key in paths if isinstance(key, str))} if looks_for_alias else named


def _by_name(declared: type[object]) -> bool:
    settings = settings_of(declared)
    return bool(settings.get("populate_by_name") or settings.get("validate_by_name"))


def _aliases(info: FieldInfo) -> list[str]:
    """The plain keys under which validation looks for a field."""
    return [choice for choice in _choices(info) if isinstance(choice, str)]


def _choices(info: FieldInfo) -> Sequence[str | AliasPath | None]:
    alias = info.validation_alias
    return alias.choices if isinstance(alias, AliasChoices) else [alias]
