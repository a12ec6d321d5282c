"""Generic models with their type arguments: what each is called in generated code.

Rule: the name is made of the names of the model and of its arguments, so that it is the same wherever the type is
written: `Page[Item]` is PageItem, `Page[list[int]]` is PageListInt.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any, NewType, get_args, get_origin

import typing_extensions
from pydantic import BaseModel

# `type X = ...` makes the one of typing, which older Pythons do not have.
ALIASES: tuple[type[typing_extensions.TypeAliasType], ...] = (
    typing_extensions.TypeAliasType,
    vars(typing).get("TypeAliasType", typing_extensions.TypeAliasType),
)

_CONTAINERS: dict[object, str] = {
    list: "List",
    dict: "Dict",
    set: "Set",
    frozenset: "Frozenset",
    tuple: "Tuple",
    typing.Union: "Union",
    types.UnionType: "Union",
}


def generic_origin(model: type[BaseModel]) -> type[BaseModel] | None:
    """The model that one is made of by giving type arguments, or None for any other."""
    return model.__pydantic_generic_metadata__["origin"]


def generic_arguments(model: type[BaseModel]) -> tuple[object, ...]:
    """The type arguments that were given to make a model."""
    return tuple(model.__pydantic_generic_metadata__["args"])


def without_aliases(argument: Any) -> Any:
    """A type argument with what aliases stand for, so that `Page[Names]` and `Page[list[str]]` are one model.

    Only for a type of which it is known that no alias contains itself.
    """
    if isinstance(argument, ALIASES):
        return without_aliases(argument.__value__)
    origin: Any = get_origin(argument)
    given: tuple[Any, ...] = get_args(argument)
    model: Any = argument
    if isinstance(model, type) and issubclass(model, BaseModel):
        origin, given = generic_origin(model), generic_arguments(model)
    elif origin not in _CONTAINERS:
        origin = None
    if origin is None:
        return argument
    arguments = [without_aliases(inner) for inner in given]
    if _CONTAINERS.get(origin) != "Union":
        return origin[tuple(arguments)]
    whole: Any = arguments[0]
    for other in arguments[1:]:
        whole = whole | other
    return whole


def instance_name(model: type[BaseModel]) -> str | None:
    """The name of a model made by giving type arguments; None if an argument has none."""
    parts = list(_parts(model))
    return None if None in parts else "".join(part for part in parts if part)


def _parts(argument: object) -> Iterator[str | None]:
    origin = get_origin(argument)
    if isinstance(argument, type) and issubclass(argument, BaseModel) and (generic := generic_origin(argument)):
        yield generic.__name__
        for inner in generic_arguments(argument):
            yield from _parts(inner)
    elif origin in _CONTAINERS:
        arguments = [inner for inner in get_args(argument) if inner is not ...]
        others = [inner for inner in arguments if inner is not type(None)]
        union = _CONTAINERS[origin] == "Union"
        yield "Optional" if union and len(others) == 1 else _CONTAINERS[origin]
        for inner in others if union else arguments:
            yield from _parts(inner)
    elif argument is None or argument is type(None):
        yield "None"
    elif isinstance(argument, type | NewType):
        name = argument.__name__
        yield name[:1].upper() + name[1:]
    else:
        yield None
