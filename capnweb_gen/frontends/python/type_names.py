"""What types are called in messages: as a person writes them.

Rule: in our own words. What typing and pydantic print of a type changes from version to version, and what an object
prints of itself may hold an address; what is said here depends on nothing but the type.
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Iterable
from dataclasses import InitVar
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    ParamSpecArgs,
    ParamSpecKwargs,
    TypeVarTuple,
    get_args,
    get_origin,
)

import typing_extensions
from pydantic.fields import FieldInfo

from capnweb_runtime.schema import BY_REFERENCE, OPEN, Unknown

# typing_extensions has its own of these where typing lacks what it adds to them.
_UNPACK = tuple(vars(module)["Unpack"] for module in (typing, typing_extensions))
_MANY = (TypeVarTuple, typing_extensions.TypeVarTuple)
_OF_PARAMETERS = (
    (ParamSpecArgs, "args"),
    (typing_extensions.ParamSpecArgs, "args"),
    (ParamSpecKwargs, "kwargs"),
    (typing_extensions.ParamSpecKwargs, "kwargs"),
)
_INIT_VAR: type[Any] = InitVar
_PLAIN = (bool, int, float, complex, str, bytes)


def describe(annotation: object) -> str:
    """A type as people write it. What is no type, but stands where one should, is told from its looks."""
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is ...:
        return "..."
    if isinstance(annotation, str | ForwardRef):
        return annotation if isinstance(annotation, str) else annotation.__forward_arg__
    if isinstance(annotation, list | tuple):
        return f"[{_several(typing.cast('Iterable[object]', annotation))}]"
    arguments = _arguments(annotation)
    return _named(annotation) if arguments is None else _subscripted(annotation, arguments)


def constant(value: object) -> str:
    """A value as people write it: plain ones and members of enums in full, of others what makes them."""
    if isinstance(value, enum.Enum):
        return f"{type(value).__qualname__}.{value.name}"
    if isinstance(value, FieldInfo):
        return "Field(...)"
    if type(value) is tuple:
        items = [constant(item) for item in typing.cast("tuple[object, ...]", value)]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    return repr(value) if isinstance(value, _PLAIN) else describe(value)


def _several(annotations: Iterable[object]) -> str:
    return ", ".join(map(describe, annotations))


def _arguments(annotation: Any) -> tuple[object, ...] | None:
    """The arguments in brackets; None if there are no brackets."""
    if isinstance(annotation, _INIT_VAR):
        return (annotation.type,)
    if inspect.isclass(annotation):
        metadata = _pydantic(annotation)
        return tuple(metadata["args"]) if metadata.get("origin") else None
    arguments = get_args(annotation)
    return arguments if arguments or hasattr(annotation, "__args__") else None


def _pydantic(model: type) -> dict[str, Any]:
    """What pydantic notes of a generic model, for which type arguments make a class of its own."""
    return getattr(model, "__pydantic_generic_metadata__", {})


def _subscripted(annotation: object, arguments: tuple[object, ...]) -> str:
    origin = get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(describe, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(constant, arguments))}]"
    if origin is Annotated:
        first, *others = arguments
        if any(other is BY_REFERENCE for other in others):
            return f"Capability[{describe(first)}]"
        if any(other is OPEN for other in others):
            known = [part for part in get_args(first) if part is not Unknown]
            return f"Open[{' | '.join(map(describe, known))}]"
        return f"Annotated[{', '.join([describe(first), *map(constant, others)])}]"
    if origin in _UNPACK and (isinstance(arguments[0], _MANY) or get_origin(arguments[0]) is tuple):
        return f"*{describe(arguments[0])}"
    star = "*" if getattr(annotation, "__unpacked__", False) else ""
    return f"{star}{_generic(annotation, origin)}[{_several(arguments) or '()'}]"


def _generic(annotation: object, origin: object) -> str:
    """The name before the brackets: that of a class, or one of typing's own, such as List or Final."""
    if isinstance(annotation, _INIT_VAR):
        return "InitVar"
    if inspect.isclass(annotation):
        return _named(_pydantic(annotation)["origin"])
    written = getattr(annotation, "__name__", None)
    if not isinstance(written, str) or written == getattr(origin, "__name__", written):
        return _named(origin)
    return written


def _named(annotation: object) -> str:
    for kind, attribute in _OF_PARAMETERS:
        if isinstance(annotation, kind):
            return f"{_named(get_origin(annotation))}.{attribute}"
    if isinstance(annotation, (*_PLAIN, enum.Enum)):
        return constant(annotation)
    if isinstance(annotation, types.ModuleType):
        return f"the module {annotation.__name__}"
    for attribute in ("__qualname__", "__name__"):
        name = getattr(annotation, attribute, None)
        if isinstance(name, str):
            return name
    return f"{type(annotation).__qualname__}(...)"
