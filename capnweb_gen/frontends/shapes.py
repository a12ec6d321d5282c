"""From Python types, as they are at run time, to IR types.

Rule: total. Every type has an answer, and what cannot travel becomes an `Unsupported` that says why and what to write
instead. Models and interfaces are named, not read: whoever asked is told of each class through `Declarations`.
"""

from __future__ import annotations

import collections.abc
import enum
import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, ForwardRef, Literal, NewType, Protocol, TypeVar, get_args, get_origin
from uuid import UUID

import typing_extensions
from pydantic import BaseModel, RootModel

from capnweb_gen import ir
from capnweb_gen.ir import Position
from capnweb_runtime import schema

_SCALARS: dict[object, ir.ScalarName] = {
    None: "none",
    type(None): "none",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    datetime: "datetime",
    schema.Blob: "blob",
    schema.Url: "url",
    schema.Headers: "headers",
    schema.Request: "request",
    schema.Response: "response",
    Any: "any",
}

T = TypeVar("T")

# Looked up by name, because type checkers give these special forms no type.
_CALLABLE: object = vars(collections.abc)["Callable"]
_SELF: object = vars(typing)["Self"]

_LISTS: tuple[object, ...] = (list, collections.abc.Sequence)
_DICTS: tuple[object, ...] = (dict, collections.abc.Mapping)
_STREAMS: tuple[object, ...] = (collections.abc.AsyncIterator, collections.abc.AsyncIterable)

# What one can tell from another by looking at the value alone.
_IN_UNIONS: frozenset[ir.ScalarName] = frozenset({"bool", "int", "float", "str", "bytes", "datetime"})
_UNION_HINT = "unions are of bool, int, float, str, bytes, datetime and Literal: write one type, or that type | None"

_LIST_HINT = "write list[...]"
_STREAM_HINT = "write AsyncIterator[...] for items that come one after another, or list[...]"
_STREAM_OF_WHAT = "say what comes: AsyncIterator[bytes]"

# What people may well write, and what to write instead. Looked up by the type itself, then by its origin.
_INSTEAD: dict[object, str] = {
    object: "write Any if any value may travel, or name the type",
    tuple: "write list[...] if all elements have one type, or tuple[int, str] with the type of each",
    set: _LIST_HINT,
    frozenset: _LIST_HINT,
    collections.abc.Sequence: _LIST_HINT,
    collections.abc.MutableSequence: _LIST_HINT,
    collections.abc.Iterable: _LIST_HINT,
    collections.abc.Collection: _LIST_HINT,
    collections.abc.Set: _LIST_HINT,
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
    bytearray: "write bytes",
    memoryview: "write bytes",
    complex: "declare a model with two floats",
    date: "write datetime, or str in the form YYYY-MM-DD",
    time: "write str in the form HH:MM:SS",
    timedelta: "write float, in seconds",
    Decimal: "write str, which keeps every digit",
    UUID: "write str",
    type: "classes cannot travel",
    dict: "write dict[str, ...]",
    list: "say what is in it: list[...]",
    _CALLABLE: "say what it takes and gives: Callable[[int], str]",
    typing.NoReturn: "write None",
    typing.Never: "write None",
    _SELF: "name the interface",
    typing.Final: "leave Final out",
    typing.ClassVar: "leave ClassVar out",
}


class Declarations(Protocol):
    """Told of each model and interface that a type names. Gives why it cannot be used, with a hint, or None if it
    can.
    """

    def model(self, model: type[BaseModel]) -> tuple[str, str] | None: ...
    def interface(self, interface: type) -> tuple[str, str] | None: ...


class UnsupportedTypeError(Exception):
    """A type inside the one being read cannot travel."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True)
class Shapes:
    """Reads the types of one place: a schema, or a model, whose names mean what `namespace` says.

    `constraints` tells whether Annotated may be used: a model checks what it adds, a parameter has nobody who would.
    """

    namespace: Mapping[str, Any]
    declarations: Declarations
    constraints: bool

    def from_text(self, text: str, position: Position) -> ir.TypeShape:
        """The type that an annotation means."""
        try:
            return self._shape(self._evaluate(text), 0)
        except UnsupportedTypeError as refused:
            return ir.Unsupported(reason=refused.reason, hint=refused.hint, position=position)

    def from_type(self, annotation: object, position: Position) -> ir.TypeShape:
        """The same for an annotation that is already a type."""
        try:
            return self._shape(annotation, 0)
        except UnsupportedTypeError as refused:
            return ir.Unsupported(reason=refused.reason, hint=refused.hint, position=position)

    def _evaluate(self, text: str) -> object:
        try:
            # The module was just executed; its annotations are as trusted as the rest of it.
            return eval(text, dict(self.namespace))
        except NameError as error:
            raise UnsupportedTypeError(
                f"the name {error.name!r} is not defined", "import it, or correct the spelling"
            ) from error
        except Exception as error:
            message = f"`{text}` cannot be evaluated: {type(error).__name__}: {error}"
            raise UnsupportedTypeError(message, "write it as a type, such as int, list[str] or a model") from error

    def _shape(self, annotation: object, depth: int) -> ir.TypeShape:
        if depth > 50:
            raise UnsupportedTypeError("this type contains itself", "declare a model: models may contain themselves")
        depth += 1
        if isinstance(annotation, str):
            return self._shape(self._evaluate(annotation), depth)
        if isinstance(annotation, ForwardRef):
            return self._shape(self._evaluate(annotation.__forward_arg__), depth)
        if isinstance(annotation, typing_extensions.TypeAliasType):
            return self._shape(annotation.__value__, depth)
        scalar = _lookup(_SCALARS, annotation)
        if scalar is not None:
            return ir.Scalar(name=scalar)
        origin = get_origin(annotation)
        if origin is not None:
            return self._composite(annotation, origin, depth)
        if annotation is schema.Stub:
            return ir.StubShape()
        if isinstance(annotation, type) and annotation is not schema.Writable:
            return self._class(typing.cast("type[object]", annotation))
        raise _refusal(annotation)

    def _composite(self, annotation: object, origin: object, depth: int) -> ir.TypeShape:
        arguments = get_args(annotation)
        generic_interface = is_interface(origin)
        if origin is typing.Annotated:
            if not self.constraints:
                hint = "write the type alone, or put the constraint on a field of a model, where it is checked"
                raise UnsupportedTypeError("Annotated says what nothing would check here", hint)
            return self._shape(arguments[0], depth)
        if origin is typing.Union or origin is types.UnionType:
            return self._union(arguments, depth)
        if origin is Literal:
            return _literal(arguments)
        if origin is _CALLABLE and arguments:
            return self._callable(annotation, arguments, depth)
        container = self._container(annotation, origin, arguments, depth)
        if container is not None:
            return container
        if isinstance(origin, typing_extensions.TypeAliasType):
            raise UnsupportedTypeError(f"{describe(annotation)} is a generic alias", "write the type out")
        if generic_interface:
            raise UnsupportedTypeError(
                f"{describe(annotation)} is generic", "declare an interface without type parameters"
            )
        raise _refusal(annotation)

    def _container(
        self, annotation: object, origin: object, arguments: tuple[object, ...], depth: int
    ) -> ir.TypeShape | None:
        """A type of which the arguments say what is in it."""
        if origin is tuple and arguments and Ellipsis not in arguments:
            return ir.TupleShape(items=tuple(self._shape(argument, depth) for argument in arguments))
        if origin in _DICTS and len(arguments) == 2:
            if arguments[0] is not str:
                reason = f"the keys of {describe(annotation)} are not strings"
                raise UnsupportedTypeError(reason, "write dict[str, ...]")
            return ir.DictShape(value=self._shape(arguments[1], depth))
        if len(arguments) != 1:
            return None
        if origin in _LISTS:
            return ir.ListShape(item=self._shape(arguments[0], depth))
        if origin in _STREAMS:
            return ir.StreamShape(item=self._shape(arguments[0], depth))
        if origin is schema.Writable:
            return ir.WritableShape(item=self._shape(arguments[0], depth))
        return None

    def _union(self, arguments: tuple[object, ...], depth: int) -> ir.TypeShape:
        others = [argument for argument in arguments if argument is not type(None)]
        inner = self._shape(others[0], depth) if len(others) == 1 else self._alternatives(others, depth)
        return inner if len(others) == len(arguments) or _includes_null(inner) else ir.OptionalShape(item=inner)

    def _alternatives(self, types: list[object], depth: int) -> ir.TypeShape:
        """A union of several types, each of which may be a union that has a name."""
        members: dict[str, ir.Scalar | ir.LiteralShape] = {}
        null = False
        for written in types:
            shape = self._shape(written, depth)
            if isinstance(shape, ir.OptionalShape):
                shape, null = shape.item, True
            for member in shape.members if isinstance(shape, ir.UnionShape) else (shape,):
                if isinstance(member, ir.LiteralShape) or (isinstance(member, ir.Scalar) and member.name in _IN_UNIONS):
                    members.setdefault(repr(member), member)
                elif member == ir.Scalar(name="none"):
                    null = True
                else:
                    names = " | ".join(describe(argument) for argument in types)
                    raise UnsupportedTypeError(f"{names} is a union with {describe(written)}", _UNION_HINT)
        union = ir.UnionShape(members=tuple(members.values()))
        return ir.OptionalShape(item=union) if null else union

    def _callable(self, annotation: object, arguments: tuple[object, ...], depth: int) -> ir.TypeShape:
        parameters, result = arguments[0], arguments[-1]
        if not isinstance(parameters, list):
            hint = "list the types that it takes: Callable[[int], str]"
            raise UnsupportedTypeError(f"{describe(annotation)} does not say what it takes", hint)
        taken = typing.cast("list[object]", parameters)
        shapes = tuple(self._shape(parameter, depth) for parameter in taken)
        return ir.CallableShape(parameters=shapes, result=self._shape(_awaited(result), depth))

    def _class(self, annotation: type[object]) -> ir.TypeShape:
        reference = ir.Reference(module=annotation.__module__, name=annotation.__qualname__)
        if is_model(annotation):
            fault = _nested(annotation) or _model_fault(annotation) or self.declarations.model(annotation)
            shape: ir.TypeShape = ir.ModelShape(model=reference)
        elif is_interface(annotation):
            fault = _nested(annotation) or interface_fault(annotation) or self.declarations.interface(annotation)
            shape = ir.InterfaceShape(interface=reference)
        else:
            raise _refusal(annotation)
        if fault is not None:
            raise UnsupportedTypeError(*fault)
        return shape


def is_interface(value: object) -> bool:
    """Whether a class is a Protocol, rather than something that fulfils one; or an interface written as a model."""
    return inspect.isclass(value) and (typing_extensions.is_protocol(value) or issubclass(value, schema.InterfaceModel))


def is_model(value: object) -> typing_extensions.TypeIs[type[BaseModel]]:
    """Whether a class is a pydantic model."""
    return inspect.isclass(value) and issubclass(value, BaseModel)


def is_root_model(model: type[BaseModel]) -> bool:
    """Whether a model is one value under another name."""
    return issubclass(model, RootModel)


def is_generic(value: type) -> bool:
    """Whether a class has type parameters that nobody has given."""
    return bool(getattr(value, "__parameters__", ()))


def describe(annotation: object) -> str:
    """A type as people write it."""
    if annotation is type(None) or annotation is None:
        return "None"
    if inspect.isclass(annotation) and get_origin(annotation) is None:
        return annotation.__qualname__
    if isinstance(annotation, TypeVar | typing_extensions.TypeVar):
        return annotation.__name__
    text = str(annotation)
    for prefix in ("typing.", "typing_extensions.", "collections.abc.", "datetime.", f"{_module_of(annotation)}."):
        text = text.replace(prefix, "")
    return text


def _module_of(annotation: object) -> str:
    parts = (get_origin(annotation), *get_args(annotation))
    modules = [part.__module__ for part in parts if isinstance(part, type)]
    return next((module for module in modules if module != "builtins"), "builtins")


def _awaited(result: object) -> object:
    """A callback may be declared as giving R or Awaitable[R]: on the other side it is a call either way."""
    if get_origin(result) in (collections.abc.Awaitable, collections.abc.Coroutine):
        return get_args(result)[-1]
    return result


def _lookup(table: Mapping[object, T], key: object) -> T | None:
    try:
        return table.get(key)
    except TypeError:  # not everything that stands in an annotation can be hashed
        return None


def _includes_null(shape: ir.TypeShape) -> bool:
    return isinstance(shape, ir.OptionalShape) or (isinstance(shape, ir.Scalar) and shape.name in {"none", "any"})


def _literal(values: tuple[object, ...]) -> ir.TypeShape:
    constants: list[ir.LiteralValue] = []
    for value in values:
        if isinstance(value, bool | int | str) and not isinstance(value, enum.Enum):
            constants.append(value)
        elif value is not None:
            raise UnsupportedTypeError(
                f"the literal {value!r} cannot travel", "use strings, integers, True, False and None"
            )
    if not constants:
        return ir.Scalar(name="none")
    literal = ir.LiteralShape(values=tuple(constants))
    return ir.OptionalShape(item=literal) if None in values else literal


def _nested(declared: type) -> tuple[str, str] | None:
    name = declared.__qualname__
    if "." in name:
        return f"{name} is not declared at the top level of its module", "move it to the top level"
    if name.startswith("_"):
        return f"{name} is private to its module", "name it without the underscore"
    return None


def _model_fault(model: type[BaseModel]) -> tuple[str, str] | None:
    if is_root_model(model):
        return f"{describe(model)} is a root model", "use the type it holds"
    if model.__pydantic_generic_metadata__["origin"] is not None or is_generic(model):
        return f"{describe(model)} is a generic model", "declare a model without type parameters"
    return None


def interface_fault(interface: type) -> tuple[str, str] | None:
    """Why a Protocol is not an interface that can be compiled, with a hint."""
    library = interface.__module__ in {"typing", "typing_extensions", "collections.abc"}
    if library or interface is schema.InterfaceModel:
        return f"{describe(interface)} is not an interface of a schema", "declare an interface of your own"
    if is_generic(interface):
        return f"the interface {describe(interface)} is generic", "declare an interface without type parameters"
    if "__call__" in vars(interface):
        return f"{describe(interface)} is a callback protocol", "write Callable[[...], ...]"
    return None


def _refusal(annotation: object) -> UnsupportedTypeError:
    what = describe(annotation)
    for key in (annotation, get_origin(annotation)):
        hint = _lookup(_INSTEAD, key)
        if key is not None and hint is not None:
            return UnsupportedTypeError(f"{what} cannot travel", hint)
    if isinstance(annotation, NewType):
        return UnsupportedTypeError(
            f"{annotation.__name__} is a NewType", f"write {describe(annotation.__supertype__)}"
        )
    if isinstance(annotation, TypeVar | typing_extensions.TypeVar):
        return UnsupportedTypeError(f"{what} is a type variable", "write a type: generic interfaces cannot be compiled")
    if not inspect.isclass(annotation):
        return UnsupportedTypeError(
            f"{what} is not a type that can travel", "write a type such as int, list[str] or a model"
        )
    if issubclass(annotation, enum.Enum):
        return UnsupportedTypeError(f"{what} is an enum", "write Literal[...] with the values")
    if is_dataclass(annotation) or typing_extensions.is_typeddict(annotation) or hasattr(annotation, "_fields"):
        return UnsupportedTypeError(f"{what} is not a pydantic model", f"write class {what}(BaseModel)")
    if issubclass(annotation, PurePath):
        return UnsupportedTypeError(f"{what} cannot travel", "write str")
    if any(is_interface(base) for base in annotation.__mro__[1:] if base.__module__ == annotation.__module__):
        return UnsupportedTypeError(f"{what} is a class, not an interface", "list Protocol among its bases")
    hint = "declare a model (BaseModel) to send it by value, or an interface (Protocol) to send it by reference"
    return UnsupportedTypeError(f"{what} cannot travel", hint)
