"""Callback protocols: functions declared as a Protocol that has `__call__` and nothing else.

Rule: one that takes every argument by position, by names that are nobody's business, means what `Callable[[...], ...]`
means, which is called plain here. Of any other the parameters are part of the schema, as those of a method are.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from capnweb_gen import signatures
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.aliases import source_of
from capnweb_gen.frontends.python.source import FunctionSource
from capnweb_gen.frontends.python.type_names import describe

_EMPTY: object = inspect.Parameter.empty
_LIBRARY = frozenset({"builtins", "typing", "typing_extensions", "abc"})
_SAYING_NOTHING = frozenset({"__isabstractmethod__", "__override__"})


def is_callback(interface: type) -> bool:
    """Whether a Protocol declares a function rather than an object."""
    return "__call__" in vars(interface)


def fault(protocol: type) -> tuple[str, str] | None:
    """Why a callback protocol is more than a function, with a hint."""
    others = [describe(base) for base in protocol.__mro__[1:] if base.__module__ not in _LIBRARY]
    others += sorted(name for name in (*vars(protocol), *signatures.annotated(protocol)) if not name.startswith("_"))
    if others:
        hint = "give the function a name of its own, or leave the others out"
        return f"{describe(protocol)} has __call__ and {others[0]}, so it is no plain function", hint
    return None


def is_plain(protocol: type, *, but_for_names: bool = False) -> bool:
    """Whether a callback protocol says nothing that Callable could not say.

    Args:
        protocol: the protocol.
        but_for_names: whether parameters may have names by which they could be passed.
    """
    function = _function(protocol)
    if not isinstance(function, FunctionType) or vars(function).keys() - _SAYING_NOTHING:
        return False
    parameters = list(signatures.signature(function).parameters.values())
    named = inspect.Parameter.POSITIONAL_OR_KEYWORD if but_for_names else inspect.Parameter.POSITIONAL_ONLY
    kinds = {inspect.Parameter.POSITIONAL_ONLY, named}
    return bool(parameters) and all(one.kind in kinds and one.default is _EMPTY for one in parameters[1:])


def signature(protocol: type) -> tuple[list[object], object]:
    """What a plain callback protocol takes, by position, and what it gives; types as they are written.

    Raises:
        UnsupportedTypeError: a type is missing.
    """
    what, declared = describe(protocol), signatures.signature(_function(protocol))
    parameters = list(declared.parameters.values())[1:]
    for parameter in parameters:
        if parameter.annotation is _EMPTY:
            raise UnsupportedTypeError(f"{what}, parameter {parameter.name}, has no type", "write one behind its name")
    if declared.return_annotation is _EMPTY:
        raise UnsupportedTypeError(f"{what} does not say what it gives", "write -> and the type, or -> None")
    written = _written(protocol)
    if written is not None and written.returns is not None:
        annotations = [one.annotation.text if one.annotation else None for one in written.parameters[1:]]
        return list(annotations), written.returns.text
    return [parameter.annotation for parameter in parameters], declared.return_annotation


def namespace(protocol: type, outside: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the names in a callback protocol mean: its type parameters, and what they mean in its module."""
    parameters: tuple[Any, ...] = getattr(protocol, "__type_params__", ())
    return {**outside, **{one.__name__: one for one in parameters}} if parameters else outside


def _function(protocol: type) -> Callable[..., object]:
    function: Callable[..., object] = vars(protocol)["__call__"]
    return function


def _written(protocol: type) -> FunctionSource | None:
    """The function as it is written: the types of its parameters may be names of another module."""
    source = source_of(protocol.__module__)
    declared = source.classes.get(protocol.__name__) if source else None
    for entry in reversed(declared.body) if declared else ():
        if isinstance(entry, FunctionSource) and entry.name == "__call__":
            return entry
    return None
