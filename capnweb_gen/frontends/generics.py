"""Generic models with their type arguments: what each is called in generated code.

Rule: the name is made of the names of the model and of its arguments, so that it is the same wherever the type is
written: `Page[Item]` is PageItem, `Page[list[int]]` is PageListInt.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Annotated, NewType, get_args, get_origin

from pydantic import BaseModel

from capnweb_gen.frontends.records import record_form

_CONTAINERS: dict[object, str] = {
    list: "List",
    dict: "Dict",
    set: "Set",
    frozenset: "Frozenset",
    tuple: "Tuple",
    typing.Union: "Union",
    types.UnionType: "Union",
}


def generic_origin(model: object) -> type[object] | None:
    """The model that one is made of by giving type arguments, or None for any other.

    Args:
        model: a pydantic model, which is a class also with type arguments; or a plain record, which is none then.
    """
    if isinstance(model, type) and issubclass(model, BaseModel):
        return model.__pydantic_generic_metadata__["origin"]
    origin = get_origin(model)
    return origin if record_form(origin) is not None else None


def generic_arguments(model: object) -> tuple[object, ...]:
    """The type arguments that were given to make a model."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return tuple(model.__pydantic_generic_metadata__["args"])
    return get_args(model)


def instance_name(model: object) -> str | None:
    """The name of a model made by giving type arguments; None if an argument has none."""
    parts = list(_parts(model))
    return None if None in parts else "".join(part for part in parts if part)


def _parts(argument: object) -> Iterator[str | None]:
    origin = get_origin(argument)
    if origin is Annotated:
        yield from _parts(get_args(argument)[0])
    elif generic := generic_origin(argument):
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
