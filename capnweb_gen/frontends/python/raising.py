"""Exceptions that an interface declares: from a class to the IR.

Rule: annotations say what travels with an exception, as with a dataclass. An instance is made again from that alone and
from its message, so that a class which needs more to come into being is refused.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
import typing
from collections.abc import Iterator, Mapping
from dataclasses import InitVar
from typing import Any, ClassVar, get_origin

import typing_extensions
from pydantic import PydanticSchemaGenerationError

from capnweb_gen import ir, naming
from capnweb_gen.errors import Diagnostic
from capnweb_gen.frontends.python import named
from capnweb_gen.frontends.python.annotations import misread
from capnweb_gen.frontends.python.failures import said
from capnweb_gen.frontends.python.places import positions
from capnweb_gen.frontends.python.pydantic_classes import validating_class
from capnweb_gen.frontends.python.shapes import Declarations, Notes, Shapes, is_generic
from capnweb_gen.frontends.python.source import ClassSource
from capnweb_gen.frontends.python.type_names import constant, describe
from capnweb_gen.ir import Position
from capnweb_gen.naming import Case
from capnweb_runtime import schema

RAISES_ATTRIBUTE = "__capnweb_raises__"  # where the decorator leaves the classes
WIRE_NAME_ATTRIBUTE = "__capnweb_wire_name__"

_OWN_HINT = "declare one of your own: class NotFound(Exception)"
_BUILT_IN = frozenset(error for error in schema.ERROR_TYPES.values() if error.__module__ == "builtins")
# What errors of the wire have themselves, and what no object of JavaScript may be asked for.
_TAKEN = frozenset(
    {"cause", "constructor", "errorName", "errors", "hasOwnProperty", "isPrototypeOf", "name", "propertyIsEnumerable"}
    | {"stack", "toJSON", "toLocaleString", "toString", "valueOf"}
)


def error_fault(error: object) -> tuple[str, str] | None:
    """Why something cannot be declared as an exception, with a hint."""
    if not inspect.isclass(error) or not issubclass(error, BaseException):
        return f"{describe(error)} is no exception class", _OWN_HINT
    if error in _BUILT_IN:
        return None
    name = error.__qualname__
    if not issubclass(error, Exception):
        return f"{name} is not for a peer to cause", "derive it from Exception"
    if error.__module__ == "builtins":
        return f"{name} does not say what went wrong", _OWN_HINT
    if any(base.__module__ == "capnweb_runtime.errors" for base in error.__mro__):
        return f"{name} is an error of capnweb_runtime itself", _OWN_HINT
    base = _built_in(error)
    if base is not Exception and base not in _BUILT_IN:
        return f"{name} is a {base.__name__}, which cannot be made from a message", "derive it from Exception"
    if validating_class(error) is not None:
        return f"{name} is a pydantic dataclass, but one that arrives is not validated", "use dataclass of dataclasses"
    if is_generic(error):
        return f"{name} is generic", "declare it without type parameters"
    return named.class_fault(error)


class ErrorReader:
    """Reads the exceptions that one file declares or names. Faults are added to `faults`."""

    def __init__(
        self, path: str, classes: Mapping[str, ClassSource], declarations: Declarations, faults: list[Diagnostic]
    ) -> None:
        self._path = path
        self._classes = classes
        self._declarations = declarations
        self._faults = faults

    def read(self, error: type[BaseException]) -> ir.Error:
        """Describe one exception in which `error_fault` finds nothing wrong."""
        own = error.__module__ != "builtins"
        source = self._classes.get(error.__name__) if own else None
        position = source.position if source else Position(line=1, column=1)
        return ir.Error(
            name=error.__name__,
            module=error.__module__,
            path=self._path,
            doc=source.doc if source else None,
            wire=self._wire_name(error, position),
            fields=tuple(self._fields(error, source, position)) if own else (),
            position=position,
        )

    def _wire_name(self, error: type[BaseException], position: Position) -> str:
        declared = vars(error).get(WIRE_NAME_ATTRIBUTE, error.__name__)
        if not isinstance(declared, str) or not declared:
            self._fault(
                position, f"the wire name of {error.__name__} is {constant(declared)}", "a wire name is a string"
            )
            return error.__name__
        return declared

    def _fields(
        self, error: type[BaseException], source: ClassSource | None, position: Position
    ) -> Iterator[ir.ModelField]:
        home = vars(sys.modules[error.__module__])
        case: Case = naming.as_case(home.get("WIRE_CASE")) or "as-written"
        try:
            hints = typing_extensions.get_type_hints(error, include_extras=True)
        except PydanticSchemaGenerationError:
            message = f"an attribute of {error.__name__} is a model of what pydantic cannot check, such as a capability"
            hint = "leave it out: an exception holds data alone; whoever catches it can ask for the rest"
            self._fault(position, message, hint)
            return
        except Exception as failure:
            message = f"{error.__name__} is incomplete: {said(failure)}"
            self._fault(position, message, "everything that its attributes name must be imported at run time")
            return
        for fault in misread(source, home):
            self._fault(*fault)
        shapes = Shapes(home, self._declarations, constraints=False)
        for name, annotation in hints.items():
            if name.startswith("_") or _is_no_attribute(annotation):
                continue
            place, type_place = positions(name, source)
            wire = naming.wire_name(name, case)
            self._refuse_taken(error, name, wire, annotation, place)
            notes = Notes()
            yield ir.ModelField(
                name=name,
                wire=wire,
                accepts=name,
                type=shapes.noting(notes).from_type(annotation, type_place),
                required=_is_required(error, name),
                secret=notes.secret,
                position=place,
            )

    def _refuse_taken(
        self, error: type[BaseException], name: str, wire: str, annotation: object, place: Position
    ) -> None:
        where = f"{error.__name__}.{name}"
        base = _built_in(error)
        if name == "props" or hasattr(base, name):
            owner = "exceptions that arrive have" if name == "props" else f"every {base.__name__} has"
            self._fault(place, f"{where} has a name that {owner} already", f"rename it, for example to {name}_")
        elif wire in _TAKEN:
            hint = f"rename it, for example to {naming.snake(error.__name__)}_{name}"
            self._fault(place, f"{where} is called {wire!r} on the wire, which every error has already", hint)
        elif wire == "message" and annotation is not str:
            hint = f"write {name}: str, or rename it"
            self._fault(place, f"{where} is the text of the error, but its type is {describe(annotation)}", hint)

    def _fault(self, position: Position, message: str, hint: str) -> None:
        self._faults.append(Diagnostic(self._path, position.line, position.column, message, hint))


def _built_in(error: type[BaseException]) -> type[BaseException]:
    """The nearest built-in base of an exception, whose `__new__` makes it."""
    return next(base for base in error.__mro__ if base.__module__ == "builtins" and issubclass(base, BaseException))


def _is_no_attribute(annotation: Any) -> bool:
    forms = (ClassVar, vars(typing)["ClassVar"])
    return annotation in forms or get_origin(annotation) in forms or isinstance(annotation, InitVar)


def _is_required(error: type[BaseException], name: str) -> bool:
    declared: Mapping[str, Any] = getattr(error, "__dataclass_fields__", {})
    if name in declared:
        field = declared[name]
        return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return not hasattr(error, name) or inspect.ismemberdescriptor(getattr(error, name))
