"""Callback protocols: functions declared as a Protocol that has `__call__` and nothing else.

Rule: one means what `Callable[[...], ...]` means. The names of its parameters are for readers; on the wire, functions
take their arguments by position.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends.python.aliases import source_of
from capnweb_gen.frontends.python.source import FunctionSource
from capnweb_gen.frontends.python.type_names import describe

_EMPTY: object = inspect.Parameter.empty
_LIBRARY = frozenset({"builtins", "typing", "typing_extensions", "abc"})
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def is_callback(interface: type) -> bool:
    """Whether a Protocol declares a function rather than an object."""
    return "__call__" in vars(interface)


def signature(protocol: type) -> tuple[list[object], object]:
    """What a callback protocol takes, by position, and what it gives; types as they are written.

    Raises:
        UnsupportedTypeError: it is more than a function that is called by position.
    """
    what = describe(protocol)
    others = [describe(base) for base in protocol.__mro__[1:] if base.__module__ not in _LIBRARY]
    others += sorted(name for name in (*vars(protocol), *_annotated(protocol)) if not name.startswith("_"))
    if others:
        hint = "give the function a name of its own, or leave the others out"
        raise UnsupportedTypeError(f"{what} has __call__ and {others[0]}", hint)
    function: Callable[..., object] = vars(protocol)["__call__"]
    declared = inspect.signature(function)
    parameters = list(declared.parameters.values())[1:]
    for parameter in parameters:
        if parameter.kind not in _POSITIONAL or parameter.default is not _EMPTY:
            reason = f"{what} takes {parameter.name} by keyword, or not always"
            raise UnsupportedTypeError(reason, "functions are called by position, with every argument")
        if parameter.annotation is _EMPTY:
            raise UnsupportedTypeError(f"{what}, parameter {parameter.name}, has no type", "write one behind its name")
    if declared.return_annotation is _EMPTY:
        raise UnsupportedTypeError(f"{what} does not say what it gives", "write -> and the type, or -> None")
    written = _written(protocol)
    if written is not None and written.returns is not None:
        annotations = [one.annotation.text if one.annotation else None for one in written.parameters[1:]]
        return list(annotations), written.returns.text
    return [parameter.annotation for parameter in parameters], declared.return_annotation


def _written(protocol: type) -> FunctionSource | None:
    """The function as it is written: the types of its parameters may be names of another module."""
    source = source_of(protocol.__module__)
    declared = source.classes.get(protocol.__name__) if source else None
    for entry in declared.body if declared else ():
        if isinstance(entry, FunctionSource) and entry.name == "__call__":
            return entry
    return None


def _annotated(protocol: type) -> list[str]:
    return list(vars(protocol).get("__annotations__", {}))
