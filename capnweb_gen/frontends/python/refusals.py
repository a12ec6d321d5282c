"""How types are refused: what to write instead of them.

Rule: everything that people may well write and that cannot travel has a hint of its own.
"""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel

from capnweb_runtime import schema

T = TypeVar("T")

# Looked up by name, because type checkers give these special forms no type.
CALLABLE: object = vars(collections.abc)["Callable"]
_SELF: object = vars(typing)["Self"]
_UNPACK: object = vars(typing)["Unpack"]

_LIST_HINT = "write list[...]"
_STREAM_HINT = "write AsyncIterator[...] for items that come one after another, or list[...]"
UNPACKED = "write the type of each; for *args, name the parameters"
_STREAM_OF_WHAT = "name the type of its items: AsyncIterator[bytes]"

# What people may well write, and what to write instead. Looked up by the type itself, then by its origin.
INSTEAD: dict[object, str] = {
    BaseModel: "name the model: of an instance, what travels are the fields that the declared class has",
    object: "write Any if any value may travel, or name the type",
    tuple: "write tuple[int, ...] if all elements have one type, or tuple[int, str] with the type of each",
    set: "name the type of its items: set[...]",
    frozenset: "name the type of its items: frozenset[...]",
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
    schema.SturdyRef: "write the interface of what is restored: SturdyRef[RoomApi]",
    collections.abc.Awaitable: "write `async def` and the type that is awaited",
    collections.abc.Coroutine: "write `async def` and the type that is awaited",
    memoryview: "write bytes",
    complex: "declare a model with two floats",
    type: "classes cannot travel",
    dict: "write dict[str, ...]",
    list: "name the type of its items: list[...]",
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
