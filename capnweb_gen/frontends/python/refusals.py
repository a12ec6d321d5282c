"""How types are refused: what they are called, and what to write instead of them.

Rule: everything that people may well write and that cannot travel has a hint of its own.
"""

from __future__ import annotations

import collections.abc
import inspect
import typing
from collections.abc import Mapping
from typing import NewType, TypeVar, get_args, get_origin

import typing_extensions

from capnweb_runtime import schema

T = TypeVar("T")

# Looked up by name, because type checkers give these special forms no type.
CALLABLE: object = vars(collections.abc)["Callable"]
_SELF: object = vars(typing)["Self"]
_UNPACK: object = vars(typing)["Unpack"]

_LIST_HINT = "write list[...]"
_STREAM_HINT = "write AsyncIterator[...] for items that come one after another, or list[...]"
UNPACKED = "write the type of each; for *args, name the parameters"
_STREAM_OF_WHAT = "say what comes: AsyncIterator[bytes]"

# What people may well write, and what to write instead. Looked up by the type itself, then by its origin.
INSTEAD: dict[object, str] = {
    object: "write Any if any value may travel, or name the type",
    tuple: "write tuple[int, ...] if all elements have one type, or tuple[int, str] with the type of each",
    set: "say what is in it: set[...]",
    frozenset: "say what is in it: frozenset[...]",
    collections.abc.Sequence: _LIST_HINT,
    collections.abc.MutableSequence: _LIST_HINT,
    collections.abc.Iterable: _LIST_HINT,
    collections.abc.Collection: _LIST_HINT,
    collections.abc.Set: "write set[...]",
    collections.abc.MutableSet: "write set[...]",
    collections.abc.Mapping: "write dict[str, ...]",
    collections.abc.MutableMapping: "write dict[str, ...]",
    collections.abc.Iterator: _STREAM_HINT,
    collections.abc.Generator: _STREAM_HINT,
    collections.abc.AsyncIterator: _STREAM_OF_WHAT,
    collections.abc.AsyncIterable: _STREAM_OF_WHAT,
    collections.abc.AsyncGenerator: "write AsyncIterator[...]",
    schema.Writable: "say what is written: Writable[bytes]",
    collections.abc.Awaitable: "write `async def` and the type that is awaited",
    collections.abc.Coroutine: "write `async def` and the type that is awaited",
    memoryview: "write bytes",
    complex: "declare a model with two floats",
    type: "classes cannot travel",
    dict: "write dict[str, ...]",
    list: "say what is in it: list[...]",
    CALLABLE: "say what it takes and gives: Callable[[int], str]",
    typing.NoReturn: "write None",
    typing.Never: "write None",
    _SELF: "name the interface",
    _UNPACK: UNPACKED,
    typing.Final: "leave Final out",
    typing.ClassVar: "leave ClassVar out",
}


def pydantic_cannot_check(what: str) -> tuple[str, str]:
    """Why a type cannot stand in a pydantic model as it is, with a hint."""
    marked = f"Capability[{what}]"
    return f"pydantic has no way to check {what}", f"write {marked}, with Capability from capnweb_runtime.schema"


def lookup(table: Mapping[object, T], key: object) -> T | None:
    """What a table has for a type, if anything."""
    try:
        return table.get(key)
    except TypeError:  # not everything that stands in an annotation can be hashed
        return None


def describe(annotation: object) -> str:
    """A type as people write it."""
    if annotation is type(None) or annotation is None:
        return "None"
    if inspect.isclass(annotation) and get_origin(annotation) is None:
        return annotation.__qualname__
    if isinstance(annotation, TypeVar | typing_extensions.TypeVar | NewType):
        return annotation.__name__
    origin = get_origin(annotation)
    if inspect.isclass(origin) and typing_extensions.is_protocol(origin):
        return f"{origin.__name__}[{', '.join(map(describe, get_args(annotation)))}]"
    text = str(annotation)
    for prefix in ("typing.", "typing_extensions.", "collections.abc.", "datetime.", f"{_module_of(annotation)}."):
        text = text.replace(prefix, "")
    return text


def _module_of(annotation: object) -> str:
    parts = (get_origin(annotation), *get_args(annotation))
    modules = [part.__module__ for part in parts if isinstance(part, type | NewType)]
    return next((module for module in modules if module != "builtins"), "builtins")
