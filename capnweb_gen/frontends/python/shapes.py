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
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ForwardRef, Literal, NewType, Protocol, TypeVar, get_args, get_origin
from uuid import UUID

import typing_extensions
from pydantic import BaseModel, RootModel

from capnweb_gen import ir
from capnweb_gen.errors import UnsupportedTypeError
from capnweb_gen.frontends import keys, unions
from capnweb_gen.frontends.python import callbacks, constraints, generics, named, values
from capnweb_gen.frontends.python.aliases import without_quotes
from capnweb_gen.frontends.python.annotations import evaluate
from capnweb_gen.frontends.python.failures import told
from capnweb_gen.frontends.python.generics import (
    ALIASES,
    Bindings,
    generic_arguments,
    generic_origin,
    instance_name,
    without_aliases,
)
from capnweb_gen.frontends.python.generics import is_generic as is_generic
from capnweb_gen.frontends.python.markers import refuse_marks
from capnweb_gen.frontends.python.records import record_form
from capnweb_gen.frontends.python.refusals import CALLABLE, INSTEAD, UNPACKED, lookup, pydantic_cannot_check
from capnweb_gen.frontends.python.type_names import describe as describe
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
    bytearray: "bytearray",
    datetime: "datetime",
    date: "date",
    time: "time",
    timedelta: "timedelta",
    Decimal: "decimal",
    UUID: "uuid",
    schema.Blob: "blob",
    schema.Url: "url",
    schema.Headers: "headers",
    schema.Request: "request",
    schema.Response: "response",
    Any: "any",
}


_LISTS: tuple[object, ...] = (list, collections.abc.Sequence)
_COLLECTIONS: dict[object, Literal["set", "frozenset", "tuple"]] = {set: "set", frozenset: "frozenset", tuple: "tuple"}
_DICTS: tuple[object, ...] = (dict, collections.abc.Mapping)
_UNHASHABLE = (
    ir.ListShape,
    ir.DictShape,
    ir.ModelShape,
    ir.InterfaceShape,
    ir.StubShape,
    ir.CallableShape,
    ir.CallbackShape,
    ir.StreamShape,
    ir.WritableShape,
)
_STREAMS: tuple[object, ...] = (collections.abc.AsyncIterator, collections.abc.AsyncIterable)


class Declarations(Protocol):
    """Told of each model and interface that a type names, and of each exception that is declared. Gives why it cannot
    be used, with a hint, or None if it can. `home` is the module of the schema in which types are named; `namespace` is
    what names mean in another. Callbacks with a signature of their own are told as interfaces are.
    """

    @property
    def home(self) -> str: ...
    def namespace(self, module: str) -> Mapping[str, Any]: ...
    def model(self, model: object) -> tuple[str, str] | None: ...
    def interface(self, interface: type) -> tuple[str, str] | None: ...
    def instance(self, origin: type, arguments: tuple[object, ...]) -> ir.Reference: ...
    def error(self, error: type[BaseException]) -> tuple[str, str] | None: ...


@dataclass
class Notes:
    """What a type says beside how it travels.

    Attributes:
        secret: whether it, or a type in it, is one of `Secret[...]`.
    """

    secret: bool = False


@dataclass(frozen=True)
class Shapes:
    """Reads the types of one place: a schema, or a model, whose names mean what `namespace` says.

    `constraints` tells that a pydantic model checks what Annotated adds; elsewhere it becomes part of the type. Such a
    model has to be told which types it cannot check: they stand in `Capability[...]`. `bindings` says what stands for a
    type parameter, in a generic interface that was given type arguments.
    """

    namespace: Mapping[str, Any]
    declarations: Declarations
    constraints: bool
    bindings: Bindings = field(default_factory=dict[Any, object])
    notes: Notes = field(default_factory=Notes)

    def noting(self, notes: Notes) -> Shapes:
        """The same, which takes notes of the types that it reads."""
        return replace(self, notes=notes)

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

    def awaited_from_text(self, text: str, position: Position) -> ir.TypeShape:
        """The type of what a callback gives, which may be declared as R or as Awaitable[R]."""
        try:
            return self._awaited(text, 0)
        except UnsupportedTypeError as refused:
            return ir.Unsupported(reason=refused.reason, hint=refused.hint, position=position)

    @property
    def _module(self) -> str | None:
        return self.namespace.get("__name__")

    def _in(self, module: str | None) -> Shapes:
        """The same where names mean what they mean in another module."""
        if module is None or module == self._module:
            return self
        return replace(self, namespace=self.declarations.namespace(module))

    def _evaluate(self, text: str) -> object:
        try:
            return evaluate(text, self.namespace)
        except NameError as error:
            raise UnsupportedTypeError(
                f"the name {error.name!r} is not defined", "import it, or correct the spelling"
            ) from error
        except Exception as error:
            message = f"`{text}` cannot be evaluated: {told(error)}"
            raise UnsupportedTypeError(message, "write it as a type, such as int, list[str] or a model") from error

    def _shape(self, annotation: object, depth: int) -> ir.TypeShape:
        _refuse_endless(depth)
        depth += 1
        annotation = generics.substituted(annotation, self.bindings)
        if isinstance(annotation, str):
            return self._shape(self._evaluate(annotation), depth)
        if isinstance(annotation, ForwardRef):
            return self._in(annotation.__forward_module__)._shape(annotation.__forward_arg__, depth)
        value = values.value_shape(annotation, self.constraints)
        if value is not None:
            return value
        if isinstance(annotation, ALIASES):
            return self._alias(annotation, (), depth)
        if isinstance(annotation, NewType):
            return named.new_type(annotation, self._in(annotation.__module__)._shape(annotation.__supertype__, depth))
        scalar = lookup(_SCALARS, annotation)
        if scalar is not None:
            return ir.Scalar(name=scalar)
        origin = get_origin(annotation)
        if origin is not None:
            return self._composite(annotation, origin, depth)
        if annotation is schema.Stub:
            return ir.StubShape()
        if annotation is schema.Unknown:
            raise UnsupportedTypeError("Unknown is what arrives where Open[...] is declared", "write Open[...] instead")
        if isinstance(annotation, type) and annotation not in (schema.Writable, BaseModel):
            return self._class(typing.cast("type[object]", annotation), depth)
        raise _refusal(annotation)

    def _composite(self, annotation: object, origin: object, depth: int) -> ir.TypeShape:
        arguments = get_args(annotation)
        if getattr(annotation, "__unpacked__", False):  # *tuple[...], as an argument of another tuple
            raise UnsupportedTypeError(f"{describe(annotation)} cannot travel", UNPACKED)
        if origin is typing.Annotated:
            refuse_marks(arguments[1:])
            if schema.SECRET in arguments[1:]:
                self.notes.secret = True
            if schema.OPEN in arguments[1:]:
                return unions.opened(self._known(arguments[0], depth))
            reader = replace(self, constraints=False) if schema.BY_REFERENCE in arguments[1:] else self
            item = values.with_microseconds(reader._shape(arguments[0], depth), arguments[1:])
            return item if self.constraints else constraints.constrained(item, arguments[1:])
        if origin is typing.Union or origin is types.UnionType:
            return self._union(arguments, depth)
        if origin is Literal:
            return named.literal(arguments)
        if origin is CALLABLE and arguments:
            return self._callable(annotation, arguments, depth)
        container = self._container(annotation, origin, arguments, depth)
        if container is not None:
            return container
        if isinstance(origin, ALIASES):
            return self._alias(origin, arguments, depth)
        if record_form(origin) is not None:
            return self._instance(annotation, depth)
        if isinstance(origin, type) and is_interface(origin) and callbacks.is_callback(origin):
            return self._callback(origin, arguments, depth)
        if isinstance(origin, type) and is_interface(origin):
            return self._interface_instance(origin, arguments, depth)
        raise _refusal(annotation)

    def _container(
        self, annotation: object, origin: object, arguments: tuple[object, ...], depth: int
    ) -> ir.TypeShape | None:
        """A type of which the arguments say what is in it."""
        if origin in _COLLECTIONS and arguments and (origin is not tuple or arguments[1:] == (...,)):
            return _collection(_COLLECTIONS[origin], self._shape(arguments[0], depth))
        if origin is tuple and arguments and Ellipsis not in arguments:
            return ir.TupleShape(items=tuple(self._shape(argument, depth) for argument in arguments))
        if origin in _DICTS and len(arguments) == 2:
            key = self._shape(arguments[0], depth)
            if not keys.can_be_key(key):
                reason = f"the keys of {describe(annotation)} cannot be keys on the wire"
                raise UnsupportedTypeError(reason, keys.hint(key))
            return ir.DictShape(key=key, value=self._shape(arguments[1], depth))
        if len(arguments) != 1:
            return None
        if origin in _LISTS:
            return ir.ListShape(item=self._shape(arguments[0], depth))
        if origin in _STREAMS:
            self._refuse_in_pydantic(annotation)
            return ir.StreamShape(item=self._shape(arguments[0], depth))
        if origin is schema.Writable:
            return ir.WritableShape(item=self._shape(arguments[0], depth))
        if origin is schema.SturdyRef:
            return self._sturdy_ref(annotation, arguments[0], depth)
        return None

    def _sturdy_ref(self, annotation: object, of: object, depth: int) -> ir.TypeShape:
        """A reference to what is made again. Generated code names the interface as the schema does."""
        restored = self._complete(of)
        if get_origin(restored) is not None and is_interface(get_origin(restored)):
            hint = f"declare an interface without them: class Name({describe(restored)}, Protocol)"
            raise UnsupportedTypeError(f"{describe(annotation)} names an interface with type arguments", hint)
        shape = replace(self, constraints=False)._shape(restored, depth)
        if not isinstance(shape, ir.InterfaceShape):
            raise UnsupportedTypeError(f"{describe(annotation)} names no interface", INSTEAD[schema.SturdyRef])
        return ir.SturdyRefShape(interface=shape.interface)

    def _union(self, arguments: tuple[object, ...], depth: int) -> ir.TypeShape:
        others = [argument for argument in arguments if argument is not type(None)]
        inner = self._shape(others[0], depth) if len(others) == 1 else self._alternatives(others, depth)
        return inner if len(others) == len(arguments) or _includes_null(inner) else ir.OptionalShape(item=inner)

    def _known(self, union: object, depth: int) -> ir.TypeShape:
        """What is in `Open[...]`, beside what stands for all that it does not know."""
        known = tuple(part for part in get_args(union) if part is not schema.Unknown)
        return self._union(known, depth) if known else self._shape(union, depth)

    def _alternatives(self, types: list[object], depth: int) -> ir.TypeShape:
        shapes = [self._shape(written, depth) for written in types]
        return unions.union([describe(written) for written in types], shapes)

    def _callable(self, annotation: object, arguments: tuple[object, ...], depth: int) -> ir.TypeShape:
        parameters, result = arguments[0], arguments[-1]
        if not isinstance(parameters, list):
            hint = "list the types that it takes: Callable[[int], str]"
            raise UnsupportedTypeError(f"{describe(annotation)} does not say what it takes", hint)
        taken = typing.cast("list[object]", parameters)
        # Of a function, pydantic sees only that it is one.
        return replace(self, constraints=False)._plain_callable(taken, result, depth)

    def _plain_callable(self, taken: list[object], result: object, depth: int) -> ir.TypeShape:
        inside = self.noting(Notes())
        shapes = tuple(inside._shape(parameter, depth) for parameter in taken)
        shape = ir.CallableShape(parameters=shapes, result=inside._awaited(result, depth))
        if inside.notes.secret:
            hint = "declare a Protocol whose __call__ names its parameters"
            raise UnsupportedTypeError("a function without names for its parameters cannot say what is secret", hint)
        return shape

    def _awaited(self, result: object, depth: int) -> ir.TypeShape:
        """What a call of a function gives: on the other side it is awaited in any case."""
        _refuse_endless(depth)
        if isinstance(result, str):
            return self._awaited(self._evaluate(result), depth + 1)
        if isinstance(result, ForwardRef):
            return self._in(result.__forward_module__)._awaited(result.__forward_arg__, depth + 1)
        if get_origin(result) in (collections.abc.Awaitable, collections.abc.Coroutine):
            result = get_args(result)[-1]
        return self._shape(result, depth)

    def _alias(self, alias: Any, arguments: tuple[object, ...], depth: int) -> ir.TypeShape:
        """What a `type` statement stands for, with type arguments if it is generic."""
        given = tuple(self._unquoted(argument, depth) for argument in arguments)
        bindings = {**self.bindings, **generics.bound(alias, given)}
        return replace(self._in(alias.__module__), bindings=bindings)._shape(alias.__value__, depth)

    def _instance(self, model: object, depth: int) -> ir.TypeShape:
        """A generic model with its type arguments: a model of its own in the schema that names it."""
        model = generics.with_defaults(model, self._complete)
        constraints = is_model(generic_origin(model))
        for argument in generic_arguments(model):
            replace(self, constraints=constraints)._shape(argument, depth)
        model = without_aliases(model, self._value_of)
        origin, name = generic_origin(model), instance_name(model)
        if is_model(model) and is_root_model(model):
            raise UnsupportedTypeError(f"{describe(model)} is a root model without a name", "write the type it holds")
        if is_generic(model) or origin is None:
            raise UnsupportedTypeError(*_without_arguments(model))
        if name is None:
            hint = f"derive a model from it: class My{origin.__name__}({describe(model)})"
            raise UnsupportedTypeError(f"{describe(model)} has no name of its own", hint)
        fault = named.class_fault(origin) or self.declarations.model(model)
        if fault is not None:
            raise UnsupportedTypeError(*fault)
        return ir.ModelShape(model=ir.Reference(module=self.declarations.home, name=name))

    def _interface_instance(self, origin: type, arguments: tuple[object, ...], depth: int) -> ir.TypeShape:
        """A generic interface with its type arguments, or with the defaults of its type parameters."""
        self._refuse_in_pydantic(origin)
        refused = interface_fault(origin)
        if refused is not None:
            raise UnsupportedTypeError(*refused)
        given = tuple(self._bound(origin, arguments).values())
        for argument in given:
            self._shape(argument, depth)
        fault = named.class_fault(origin) or self.declarations.interface(origin)
        if fault is not None:
            raise UnsupportedTypeError(*fault)
        return ir.InterfaceShape(interface=self.declarations.instance(origin, given))

    def _bound(self, generic: type, arguments: tuple[object, ...]) -> dict[Any, object]:
        """What stands for each type parameter of an interface or a callback, as it would be anywhere else."""
        found = generics.bound(generic, tuple(map(self._argument, arguments)))
        return {parameter: self._argument(argument) for parameter, argument in found.items()}  # defaults, too

    def _argument(self, argument: object) -> object:
        return without_aliases(self._complete(argument), self._value_of)

    def _value_of(self, alias: Any) -> object:
        return replace(self._in(alias.__module__), bindings={})._unquoted(alias.__value__, 0)

    def _complete(self, argument: object) -> object:
        """A type argument as it would be anywhere else: no name in quotes, and all its own arguments given."""
        argument = self._unquoted(argument, 0)
        if get_origin(argument) is typing.Annotated and schema.BY_REFERENCE in get_args(argument)[1:]:
            return self._complete(get_args(argument)[0])  # Page[Capability[User]] is Page[User]
        origin = get_origin(argument) or argument
        if isinstance(origin, type) and is_interface(origin) and is_generic(origin):
            arguments = tuple(map(self._complete, get_args(argument)))
            generic: Any = origin
            return generic[tuple(map(self._complete, generics.bound(origin, arguments).values()))]
        return argument

    def _unquoted(self, argument: object, depth: int) -> object:
        """A type argument that means the same in another module: no name in quotes, and no type parameter of here."""
        _refuse_endless(depth)
        argument = without_quotes(argument, lambda name: self._named(name, depth + 1))
        return generics.substituted(argument, self.bindings)

    def _named(self, name: str | ForwardRef, depth: int) -> object:
        if isinstance(name, ForwardRef):
            return self._in(name.__forward_module__)._named(name.__forward_arg__, depth)
        return self._unquoted(self._evaluate(name), depth)

    def _class(self, annotation: type[object], depth: int) -> ir.TypeShape:
        reference = ir.Reference(module=annotation.__module__, name=annotation.__qualname__)
        if is_model(annotation) and generic_origin(annotation) is not None:
            return self._instance(annotation, depth)
        if is_model(annotation) or record_form(annotation) is not None:
            if is_generic(annotation):
                return self._instance(annotation, depth)
            fault = named.class_fault(annotation) or self.declarations.model(annotation)
            shape: ir.TypeShape = ir.ModelShape(model=reference)
        elif is_interface(annotation) and callbacks.is_callback(annotation):
            return self._callback(annotation, (), depth)
        elif is_interface(annotation) and is_generic(annotation):
            return self._interface_instance(annotation, (), depth)
        elif is_interface(annotation):
            self._refuse_in_pydantic(annotation)
            fault = (
                named.class_fault(annotation) or interface_fault(annotation) or self.declarations.interface(annotation)
            )
            shape = ir.InterfaceShape(interface=reference)
        else:
            if issubclass(annotation, enum.Enum):
                return named.enum_shape(annotation)
            raise _refusal(annotation)
        if fault is not None:
            raise UnsupportedTypeError(*fault)
        return shape

    def _callback(self, protocol: type[object], arguments: tuple[object, ...], depth: int) -> ir.TypeShape:
        """A function that is declared as a Protocol, in the words of the module where that is."""
        self._refuse_in_pydantic(protocol)
        fault = interface_fault(protocol) or callbacks.fault(protocol)
        if fault is not None:
            raise UnsupportedTypeError(*fault)
        bindings = self._bound(protocol, arguments)
        if not callbacks.is_plain(protocol):
            fault = named.class_fault(protocol) or self.declarations.interface(protocol)
            if fault is None:
                return ir.CallbackShape(callback=self._reference(protocol, tuple(bindings.values()), depth))
            if not callbacks.is_plain(protocol, but_for_names=True):
                raise UnsupportedTypeError(*fault)
        namespace = callbacks.namespace(protocol, self._in(protocol.__module__).namespace)
        inside = replace(self, namespace=namespace, constraints=False, bindings=bindings)
        return inside._plain_callable(*callbacks.signature(protocol), depth)

    def _reference(self, callback: type, given: tuple[object, ...], depth: int) -> ir.Reference:
        for argument in given:
            self._shape(argument, depth)
        if given:
            return self.declarations.instance(callback, given)
        return ir.Reference(module=callback.__module__, name=callback.__name__)

    def _refuse_in_pydantic(self, annotation: object) -> None:
        """Refuses a type that pydantic is to check and cannot."""
        if self.constraints and not hasattr(annotation, "__get_pydantic_core_schema__"):
            raise UnsupportedTypeError(*pydantic_cannot_check(describe(annotation)))


def is_interface(value: object) -> bool:
    """Whether a class is a Protocol, rather than something that fulfils one; or an interface written as a model."""
    return inspect.isclass(value) and (typing_extensions.is_protocol(value) or issubclass(value, schema.InterfaceModel))


def is_model(value: object) -> typing_extensions.TypeIs[type[BaseModel]]:
    """Whether a class is a pydantic model."""
    return inspect.isclass(value) and issubclass(value, BaseModel)


def is_root_model(model: type[BaseModel]) -> bool:
    """Whether a model is one value under another name."""
    return issubclass(model, RootModel)


def _refuse_endless(depth: int) -> None:
    if depth > generics.DEEPEST:
        raise UnsupportedTypeError(*generics.ENDLESS)


def _collection(container: Literal["set", "frozenset", "tuple"], item: ir.TypeShape) -> ir.CollectionShape:
    unhashable = next((part for part in ir.walk(item) if isinstance(part, _UNHASHABLE)), None)
    if container != "tuple" and unhashable is not None:
        reason = f"a {container} cannot hold a {unhashable.kind}"
        raise UnsupportedTypeError(reason, "write list[...]")
    return ir.CollectionShape(container=container, item=item)


def _includes_null(shape: ir.TypeShape) -> bool:
    return isinstance(shape, ir.OptionalShape) or (isinstance(shape, ir.Scalar) and shape.name in {"none", "any"})


def _without_arguments(model: object) -> tuple[str, str]:
    return f"{describe(model)} is a generic model", generics.demanded(generic_origin(model) or model)


def interface_fault(interface: type) -> tuple[str, str] | None:
    """Why a Protocol is not an interface that can be compiled, with a hint."""
    library = interface.__module__ in {"typing", "typing_extensions", "collections.abc"}
    if library or interface is schema.InterfaceModel:
        return f"{describe(interface)} is not an interface of a schema", "declare an interface of your own"
    return None


def _refusal(annotation: object) -> UnsupportedTypeError:
    known = values.refused_value(annotation)
    if known is not None:
        return known
    what = describe(annotation)
    for key in (annotation, get_origin(annotation)):
        hint = lookup(INSTEAD, key)
        if key is not None and hint is not None:
            return UnsupportedTypeError(f"{what} cannot travel", hint)
    if isinstance(annotation, TypeVar | typing_extensions.TypeVar):
        return UnsupportedTypeError(
            f"{what} is a type variable",
            "write a type, or make it a type parameter of the interface: class Name(Protocol[T])",
        )
    if type(annotation).__name__ == "PydanticRecursiveRef":  # what pydantic leaves there; its class is private
        return UnsupportedTypeError(
            "a generic pydantic model cannot contain itself",
            "make it a generic dataclass, or leave out the type parameter",
        )
    if not inspect.isclass(annotation):
        return UnsupportedTypeError(
            f"{what} is not a type that can travel", "write a type such as int, list[str] or a model"
        )
    if any(is_interface(base) for base in annotation.__mro__[1:] if base.__module__ == annotation.__module__):
        return UnsupportedTypeError(f"{what} is a class, not an interface", "list Protocol among its bases")
    hint = "declare a model (BaseModel) to send it by value, or an interface (Protocol) to send it by reference"
    return UnsupportedTypeError(f"{what} cannot travel", hint)
