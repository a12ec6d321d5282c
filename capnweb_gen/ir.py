"""The intermediate representation (IR): what a schema declares, independent of the language it was written in.

Rule: plain frozen data, JSON in and JSON out. The IR is a published format, described in docs/ir.md: a front end in
another language can write it, and a back end in another language can read it. `format` changes when its meaning does.
Nothing is decided here. A type that cannot travel is kept as an `Unsupported` leaf, so that the rest of the schema is
still read, and all faults are reported together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

IR_FORMAT: Literal[1] = 1

ScalarName = Literal[
    "none",
    "bool",
    "int",
    "float",
    "str",
    "bytes",
    "bytearray",
    "datetime",
    "exact_datetime",
    "local_datetime",
    "date",
    "time",
    "timedelta",
    "decimal",
    "uuid",
    "blob",
    "url",
    "headers",
    "request",
    "response",
    "json",
    "any",
]
LiteralValue = bool | int | str
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Node(BaseModel):
    """Base of all nodes: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Position(Node):
    """A place in a source file. Lines and columns count from 1."""

    line: int
    column: int


class Reference(Node):
    """A model, an interface or an exception: the dotted name of the module that declares it, and its name there."""

    module: str
    name: str


class SpecialFloat(Node):
    """A float that JSON has no form for."""

    float: Literal["inf", "-inf", "nan"]


DefaultValue = bool | int | Finite | str | SpecialFloat | None


# ---- types


class Scalar(Node):
    """A value without parts; `any` is any value that can travel, `json` any value of JSON.

    A `datetime` is an instant to the millisecond. As text, an `exact_datetime` keeps its microseconds, and a
    `local_datetime` is what clocks show, without a time zone.
    """

    kind: Literal["scalar"] = "scalar"
    name: ScalarName


class LiteralShape(Node):
    """One of a few constants."""

    kind: Literal["literal"] = "literal"
    values: tuple[LiteralValue, ...]


class EnumMember(Node):
    """One of the values of an enum, and what it is called."""

    name: str
    value: LiteralValue


class EnumShape(Node):
    """A member of an enum; if it is a flag, any combination of members. It travels as its value.

    `partial` says that the enum has more members than those listed, which are the only ones allowed here.
    """

    kind: Literal["enum"] = "enum"
    enum: Reference
    members: tuple[EnumMember, ...]
    flag: bool = False
    partial: bool = False


class TextShape(Node):
    """A value of a class that travels as a string; the class reads and checks it. `format` says what the string is, by
    a name as in JSON Schema, such as "uri", "email", "ipv4" or "path".
    """

    kind: Literal["text"] = "text"
    type: Reference
    format: str


class SturdyRefShape(Node):
    """A sturdy reference: a string from which an object of an interface is restored, in later sessions too."""

    kind: Literal["sturdy_ref"] = "sturdy_ref"
    interface: Reference


class NewTypeShape(Node):
    """A `NewType`: a type under a name of its own, which only type checkers tell apart."""

    kind: Literal["new_type"] = "new_type"
    new_type: Reference
    item: TypeShape


class ConstrainedShape(Node):
    """A type with constraints. A key that is None does not constrain; lengths are inclusive.

    `when` is checked by the clock of the side that reads the value. `microseconds` says what happens to the part of a
    datetime below a millisecond when it is sent: it is rounded, or refused; None means that it is cut off.
    """

    kind: Literal["constrained"] = "constrained"
    item: TypeShape
    ge: int | Finite | None = None
    gt: int | Finite | None = None
    le: int | Finite | None = None
    lt: int | Finite | None = None
    multiple_of: int | Finite | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    when: Literal["past", "future"] | None = None
    microseconds: Literal["round", "refuse"] | None = None


class ListShape(Node):
    """A list whose elements all have one type."""

    kind: Literal["list"] = "list"
    item: TypeShape


class CollectionShape(Node):
    """A set, a frozenset or a tuple of any length, which travels as a list; all elements have one type."""

    kind: Literal["collection"] = "collection"
    container: Literal["set", "frozenset", "tuple"]
    item: TypeShape


class DictShape(Node):
    """An object whose keys all have one type, and whose values all have one type. The keys' type travels as a string,
    or as an integer, which is then written in digits.
    """

    kind: Literal["dict"] = "dict"
    key: TypeShape = Scalar(name="str")
    value: TypeShape


class TupleShape(Node):
    """A list of a fixed length, each element with a type of its own."""

    kind: Literal["tuple"] = "tuple"
    items: tuple[TypeShape, ...]


class UnionShape(Node):
    """One of several types that a reader tells apart by the form of the value."""

    kind: Literal["union"] = "union"
    members: tuple[TypeShape, ...]


class OptionalShape(Node):
    """A type, or null."""

    kind: Literal["optional"] = "optional"
    item: TypeShape


class OpenShape(Node):
    """An enum, a literal or a union to which a later version may have added. A value that is not known is kept as it
    came, and sent again unchanged. A reader that treats this as the type inside only refuses values it does not know.
    """

    kind: Literal["open"] = "open"
    item: TypeShape


class ModelShape(Node):
    """A model: it travels by value."""

    kind: Literal["model"] = "model"
    model: Reference


class InterfaceShape(Node):
    """A capability: it travels by reference."""

    kind: Literal["interface"] = "interface"
    interface: Reference


class CallableShape(Node):
    """A plain function: a capability that can be called and nothing else, by position and with every argument."""

    kind: Literal["callable"] = "callable"
    parameters: tuple[TypeShape, ...]
    result: TypeShape


class CallbackShape(Node):
    """A function declared by a Protocol, with names and defaults of its parameters, or with exceptions."""

    kind: Literal["callback"] = "callback"
    callback: Reference


class StubShape(Node):
    """A capability of any kind: an object of some interface, or a function. The schema does not say which."""

    kind: Literal["stub"] = "stub"


class StreamShape(Node):
    """Items that arrive one after another, for one reader."""

    kind: Literal["stream"] = "stream"
    item: TypeShape


class WritableShape(Node):
    """Something to which items can be written one after another."""

    kind: Literal["writable"] = "writable"
    item: TypeShape


class Unsupported(Node):
    """A type that cannot travel: why, what to write instead, and where it stands."""

    kind: Literal["unsupported"] = "unsupported"
    reason: str
    hint: str
    position: Position


TypeShape = Annotated[
    Scalar
    | LiteralShape
    | EnumShape
    | TextShape
    | SturdyRefShape
    | NewTypeShape
    | ConstrainedShape
    | ListShape
    | CollectionShape
    | DictShape
    | TupleShape
    | UnionShape
    | OptionalShape
    | OpenShape
    | ModelShape
    | InterfaceShape
    | CallableShape
    | CallbackShape
    | StubShape
    | StreamShape
    | WritableShape
    | Unsupported,
    Field(discriminator="kind"),
]


# ---- declarations


class Default(Node):
    """The default of a parameter. Only its reader sees it: an omitted argument does not travel."""

    value: DefaultValue


class Sparse(Node):
    """A node with keys that are rarely needed. They are left out of the JSON if they have their default, for readers
    that do not know them.
    """

    _SELDOM: ClassVar[frozenset[str]] = frozenset({"secret"})

    @model_serializer(mode="wrap")
    def _write(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        fields = type(self).model_fields
        return {key: value for key, value in written.items() if key not in self._SELDOM or value != fields[key].default}


class Parameter(Sparse):
    """A parameter of a method. `wire` is its name on the wire, which only keyword parameters use. `secret` says that
    logs must not show its argument.

    A variadic parameter takes all remaining arguments; `type` is the type of each.
    """

    name: str
    wire: str
    passing: Literal["positional_only", "positional", "variadic", "keyword"] = "positional"
    type: TypeShape
    default: Default | None = None
    secret: bool = False
    position: Position


class Deprecation(Node):
    """A deprecation: its message, and the category of the warning at run time, or None for no warning."""

    message: str
    category: Reference | None = Reference(module="builtins", name="DeprecationWarning")
    stacklevel: int = 1


MOST_COST: Final = 1_000_000
"""The most that a call may cost, and the most items that may be assumed."""
Cost = Annotated[int, Field(strict=True, ge=1, le=MOST_COST)]


class Method(Sparse):
    """A method.

    `idempotent` says that calling it twice has the same effect as calling it once, `secret` that logs must not show its
    result, `cost` how much a call counts where costs are bounded, and `items` how many items to assume for a returned
    list before it is known.
    """

    _SELDOM = frozenset({"cost", "idempotent", "items", "secret"})

    kind: Literal["method"] = "method"
    name: str
    wire: str
    doc: str | None = None
    deprecated: Deprecation | None = None
    parameters: tuple[Parameter, ...] = ()
    result: TypeShape
    raises: tuple[Reference, ...] = ()
    idempotent: bool = False
    cancellable: bool = False
    cost: Cost = 1
    items: Cost | None = None
    secret: bool = False
    position: Position


class Property(Sparse):
    """A property. `secret` says that logs must not show its value; `cost` and `items` mean the same as for a method."""

    _SELDOM = frozenset({"cost", "items", "secret"})

    kind: Literal["property"] = "property"
    name: str
    wire: str
    doc: str | None = None
    deprecated: Deprecation | None = None
    type: TypeShape
    raises: tuple[Reference, ...] = ()
    cost: Cost = 1
    items: Cost | None = None
    secret: bool = False
    position: Position


Member = Annotated[Method | Property, Field(discriminator="kind")]


class Generic(Node):
    """A generic type with its type arguments. `by_default` says that these are the defaults of its parameters."""

    origin: Reference
    arguments: tuple[TypeShape, ...]
    by_default: bool = False


class Interface(Node):
    """An interface: methods and properties, in the order of the schema.

    If it was made from a generic interface, `generic` says which, with which type arguments; its name is then made up,
    and `path` is the file that declares the generic interface, to which positions refer.
    """

    name: str
    doc: str | None = None
    deprecated: Deprecation | None = None
    bases: tuple[Reference, ...] = ()
    members: tuple[Member, ...] = ()
    generic: Generic | None = None
    path: str | None = None
    position: Position


class Callback(Node):
    """A function declared by a Protocol with `__call__`.

    `call` has its parameters, its result and its exceptions, as for a method; the name of that method means nothing.
    `generic` and `path` mean the same as for an interface.
    """

    name: str
    doc: str | None = None
    deprecated: Deprecation | None = None
    call: Method
    generic: Generic | None = None
    path: str | None = None
    position: Position


class ModelField(Sparse):
    """A field of a model. `accepts` is the name under which the model's own validation takes it. For a TypedDict it is
    the key; `name` is then an attribute name made from the key, and differs if the key is no valid name.

    A computed field is sent, and ignored on arrival. `secret` says that logs must not show its value.
    """

    name: str
    wire: str
    accepts: str
    doc: str | None = None
    deprecated: Deprecation | None = None
    type: TypeShape
    required: bool
    computed: bool = False
    secret: bool = False
    position: Position


class Error(Node):
    """An exception that methods declare. `wire` is its name on the wire. The field that is called "message" on the wire
    is the text of the error.
    """

    name: str
    module: str
    path: str
    doc: str | None = None
    wire: str
    fields: tuple[ModelField, ...] = ()
    position: Position


class Model(Node):
    """A type that travels by value. `module` and `path` say where it is declared, which may be outside the schema.

    `form` says how Python declares it. On the wire all models are objects, except that a root model is the value of its
    only field. If it was made from a generic model, `generic` says which; its name is then made up.
    """

    name: str
    module: str
    path: str
    doc: str | None = None
    fields: tuple[ModelField, ...] = ()
    extra: Literal["ignore", "allow", "forbid"] = "ignore"
    form: Literal["pydantic", "dataclass", "named_tuple", "typed_dict", "root"] = "pydantic"
    generic: Generic | None = None
    position: Position


class Schema(Node):
    """One schema file: its models, interfaces and callbacks, in source order, and the exceptions that their methods
    declare.

    `module` is the dotted name under which it is imported, `path` its file as a reader knows it, and `output` the file
    to be made from it, relative to the output folder. All paths are written with slashes.
    """

    format: Literal[1] = IR_FORMAT
    module: str
    path: str
    output: str
    doc: str | None = None
    models: tuple[Model, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    errors: tuple[Error, ...] = ()
    callbacks: tuple[Callback, ...] = ()

    @model_serializer(mode="wrap")
    def _write(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out the callbacks where there are none, for readers that do not know the key."""
        written: dict[str, Any] = write(self)
        if not self.callbacks:
            written.pop("callbacks", None)
        return written


def walk(shape: TypeShape) -> Iterator[TypeShape]:
    """The type and every type inside it, outermost first. Models, interfaces and callbacks are leaves."""
    yield shape
    match shape:
        case ListShape(item=inner) | OptionalShape(item=inner) | OpenShape(item=inner):
            yield from walk(inner)
        case DictShape(key=key, value=inner):
            yield from walk(key)
            yield from walk(inner)
        case CollectionShape(item=inner) | NewTypeShape(item=inner) | ConstrainedShape(item=inner):
            yield from walk(inner)
        case StreamShape(item=inner) | WritableShape(item=inner):
            yield from walk(inner)
        case TupleShape(items=parts) | UnionShape(members=parts):
            for part in parts:
                yield from walk(part)
        case CallableShape(parameters=parameters, result=result):
            for part in (*parameters, result):
                yield from walk(part)
        case _:
            pass


def by_reference(shape: TypeShape) -> bool:
    """Whether values of a type are capabilities themselves, or streams."""
    return isinstance(shape, InterfaceShape | CallableShape | CallbackShape | StubShape | StreamShape | WritableShape)


def member_types(member: Method | Property) -> Iterator[TypeShape]:
    """The types that a member is declared with: those of its parameters, then that of its result."""
    if isinstance(member, Method):
        yield from (parameter.type for parameter in member.parameters)
        yield member.result
    else:
        yield member.type


def schema_types(schema: Schema) -> Iterator[TypeShape]:
    """Every type written in a schema, without what is inside it."""
    for model in schema.models:
        yield from (field.type for field in model.fields)
        yield from model.generic.arguments if model.generic else ()
    for error in schema.errors:
        yield from (field.type for field in error.fields)
    for interface in schema.interfaces:
        for member in interface.members:
            yield from member_types(member)
    for callback in schema.callbacks:
        yield from member_types(callback.call)
        yield from callback.generic.arguments if callback.generic else ()
