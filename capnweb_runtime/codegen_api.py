"""The one module that generated code imports. Rule: what stands here is a contract; a change that breaks generated
code raises GENERATED_API.

A generated module calls `require` first, so that one made for another version of this contract fails at import with a
word on what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, SupportsIndex, TypeAlias, overload

from capnweb_runtime.core.codecs import BOOL, BYTES, DATETIME, FLOAT, INT, NONE, STR, TypeCodec
from capnweb_runtime.core.compound import (
    DictCodec,
    InterfaceCodec,
    ListCodec,
    LiteralCodec,
    ModelCodec,
    OptionalCodec,
    TaggedCodec,
    TupleCodec,
    TypedDictCodec,
    UnionCodec,
    ValueCodec,
)
from capnweb_runtime.core.evaluate import Evaluator
from capnweb_runtime.core.hook import Exporter as Exporter
from capnweb_runtime.core.hook import Hook, PromiseRef, StubRef, Wire
from capnweb_runtime.core.interface import Interface, Method, Parameter, method, omitted, param, prop
from capnweb_runtime.core.raises import DeclaredError, ErrorField
from capnweb_runtime.core.refs import Exportable
from capnweb_runtime.objects.any_stub import (
    ANY_CAPABILITY,
    ANY_VALUE,
    AnyPromise,
    AnyStub,
    CallbackPromise,
    StubPromise,
)
from capnweb_runtime.objects.callbacks import CallbackCodec, CallbackStub
from capnweb_runtime.objects.models import (
    Builder,
    RecordBuilder,
    TypedDictBuilder,
    compare_names,
    read_optional,
    read_root,
    unshown,
)
from capnweb_runtime.objects.streams import (
    ReadableStream,
    StreamCodec,
    StreamPromise,
    WritableCodec,
    WritableStream,
    WritableTarget,
)
from capnweb_runtime.objects.stub import Calls, DictPromise, ListPromise, MapPromise, RpcPromise, RpcStub
from capnweb_runtime.objects.target import RpcTarget
from capnweb_runtime.objects.variables import TypeVar
from capnweb_runtime.values import Blob, Headers, Request, Response, SturdyRef, Unknown, Url

if TYPE_CHECKING:
    from capnweb_runtime.blocking.stub import (
        BlockingAnyStub,
        BlockingCallback,
        BlockingReadable,
        BlockingStub,
        BlockingWritable,
    )
    from capnweb_runtime.core.formats import format_of
    from capnweb_runtime.core.json_value import JSON
    from capnweb_runtime.core.moments import EXACT_DATETIME, LOCAL_DATETIME, datetime_of
    from capnweb_runtime.core.opened import open_of
    from capnweb_runtime.core.standard import (
        BYTEARRAY,
        DATE,
        DECIMAL,
        TIME,
        TIMEDELTA,
        UUID,
        constrained,
        enum_of,
        frozenset_of,
        members_of,
        set_of,
        tuple_of_any,
    )
    from capnweb_runtime.core.sturdy_ref import STURDY_REF
    from capnweb_runtime.objects.keyed import KeyedPromise, dict_by, dict_by_number
else:
    _HOMES = {
        "EXACT_DATETIME": "core.moments",
        "JSON": "core.json_value",
        "KeyedPromise": "objects.keyed",
        "LOCAL_DATETIME": "core.moments",
        "STURDY_REF": "core.sturdy_ref",
        "datetime_of": "core.moments",
        "dict_by": "objects.keyed",
        "dict_by_number": "objects.keyed",
        "format_of": "core.formats",
        "open_of": "core.opened",
    }

    def __getattr__(name):
        # What few schemas use is imported for them alone; those names are part of __all__, and nothing else is.
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _HOMES.get(name, "blocking.stub" if name.startswith("Blocking") else "core.standard")
        return globals().setdefault(name, getattr(import_module(f"capnweb_runtime.{home}"), name))


GENERATED_API = 3
"""Number of this contract."""

ANY: Final[TypeCodec] = ANY_VALUE
STUB: Final[TypeCodec] = ANY_CAPABILITY
BLOB: Final[TypeCodec] = ValueCodec(Blob)
URL: Final[TypeCodec] = ValueCodec(Url)
HEADERS: Final[TypeCodec] = ValueCodec(Headers)
REQUEST: Final[TypeCodec] = ValueCodec(Request)
RESPONSE: Final[TypeCodec] = ValueCodec(Response)
Codec: TypeAlias = TypeCodec
Importer: TypeAlias = Evaluator
M = TypeVar("M")
Decoder: TypeAlias = Callable[[Wire, Evaluator], M]
"""What makes a model of its wire form: `Builder.decoder` of what reads its fields."""
T_co = TypeVar("T_co", covariant=True)


class ListArg(Protocol[T_co]):
    """What may be passed for a list: a list or tuple of values and promises, but no str or bytes, whose
    `__contains__` is narrower.
    """

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __reversed__(self) -> Iterator[T_co]: ...
    def __contains__(self, value: object, /) -> bool: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> T_co: ...
    @overload
    def __getitem__(self, index: slice[Any, Any, Any], /) -> ListArg[T_co]: ...


class CallbackLike(Protocol):
    """Base of what may be passed for a callback: functions, sync or async, and stubs and promises of functions."""

    if not TYPE_CHECKING:

        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            return {"type": "callable"}  # as a field of a generic model, where its parameters cannot be told


class _ListCodec(ListCodec):
    promise = staticmethod(lambda: ListPromise)


class _DictCodec(DictCodec):
    promise = staticmethod(lambda: DictPromise)


def require(api: int) -> None:
    """Checks that a generated module was made for this contract.

    Parameters:
        api: the GENERATED_API of the compiler that made it.

    Raises:
        ImportError: it was not; the message says which side to upgrade.
    """
    if api != GENERATED_API:
        mend = "upgrade capnweb-gen here" if api > GENERATED_API else "generate it again with capnweb-gen"
        raise ImportError(
            f"this module was generated for API {api}, the installed capnweb_runtime has API {GENERATED_API}: {mend}"
        )


def list_of(item: Codec) -> Codec:
    """Codec of a list."""
    return _ListCodec(item)


def dict_of(item: Codec) -> Codec:
    """Codec of an object with keys of the application's choosing."""
    return _DictCodec(item)


def tuple_of(*items: Codec) -> Codec:
    """Codec of a tuple of fixed length."""
    return TupleCodec(items)


def union_of(*items: Codec) -> Codec:
    """Codec of a value of one of several types, tried in order."""
    return UnionCodec(items)


def tagged_union(tag: str, *items: tuple[str | int | bool, Codec]) -> Codec:
    """Codec of a value of one of several by-value classes, told apart by a constant in the field `tag`."""
    models = tuple((value, codec) for value, codec in items if isinstance(codec, ModelCodec))
    return TaggedCodec(tag, models)


def stream_of(item: Codec) -> Codec:
    """Codec of an async iterable."""
    return StreamCodec(item)


def writable_of(item: Codec) -> Codec:
    """Codec of an object to write to."""
    return WritableCodec(item)


def optional(item: Codec) -> Codec:
    """Codec of a value or None."""
    return OptionalCodec(item)


def literal_of(*values: str | int | bool | None) -> Codec:
    """Codec of one of a few constants."""
    return LiteralCodec(values)


def model(
    cls: type[Any],
    encode: Callable[[Any, Exporter], Wire],
    decode: Callable[[Wire, Importer], Any],
    promise: Callable[[], type[PromiseRef]],
    pure: bool = True,
    secret: tuple[str, ...] = (),
) -> Codec:
    """Codec of a by-value class: its two generated functions, the class of its promises, and whether it is only data:
    no field can hold a capability, nor any value; the keys that are secret in it, at whatever depth. Raises ImportError
    if the class has other fields than the functions were made for.
    """
    compare_names(cls, encode.__code__)
    return ModelCodec(cls, unshown(cls, encode), unshown(cls, decode), promise, pure, secret)


def typed_dict(
    cls: type[Any],
    encode: Callable[[Any, Exporter], Wire],
    decode: Callable[[Wire, Importer], Any],
    promise: Callable[[], type[PromiseRef]],
    pure: bool = True,
    secret: tuple[str, ...] = (),
) -> Codec:
    """Codec of a TypedDict; as for `model`."""
    return TypedDictCodec(cls, encode, decode, promise, pure, secret)


def interface(
    stub: Callable[[], type[StubRef]], promise: Callable[[], type[PromiseRef]], target: Callable[[], type[Exportable]]
) -> Codec:
    """Codec of a capability: its stub, promise and target classes, which may be defined later."""
    return InterfaceCodec(stub, promise, target)


def callback(result: Codec, *params: Codec) -> Codec:
    """Codec of a function: its result, and its positional parameters."""
    call = method("", result, *(param(f"argument {index + 1}", codec) for index, codec in enumerate(params)))

    def stub(hook: Hook) -> StubRef:
        made: CallbackStub[..., Any] = CallbackStub(hook, call)
        return made

    return CallbackCodec(lambda: call, lambda: stub, lambda: CallbackPromise)


def declared_callback(
    stub: Callable[[], type[StubRef]], promise: Callable[[], type[PromiseRef]], call: Callable[[], Method]
) -> Codec:
    """Codec of a function with a signature of its own: its stub and promise classes, and its entry in the table, all of
    which may be defined later.
    """
    return CallbackCodec(call, stub, promise)


def error(cls: type[Exception], wire: str, *fields: ErrorField) -> DeclaredError:
    """An exception that methods declare: its class, its type name on the wire, its attributes that travel."""
    return DeclaredError(cls, wire, fields)


def error_field(name: str, codec: Codec, *, wire: str | None = None, required: bool = True) -> ErrorField:
    """An attribute of a declared exception; see `ErrorField`."""
    return ErrorField(name, codec, wire, required)


def builder(cls: type[M], *keys: str, computed: tuple[str, ...] = ()) -> Builder[M]:
    """Makes instances of a pydantic model from the fields that were read; see `Builder`."""
    return Builder(cls, keys, computed)


def record_builder(cls: type[M], *keys: str, computed: tuple[str, ...] = ()) -> Builder[M]:
    """Makes instances of a dataclass or NamedTuple; see `RecordBuilder`."""
    return RecordBuilder(cls, keys, computed)


def typed_dict_builder(cls: type[M], *keys: str) -> Builder[M]:
    """Makes TypedDicts; see `TypedDictBuilder`."""
    return TypedDictBuilder(cls, keys)


def root(cls: type[M], value: Any) -> M:
    """A root model of what was read for it."""
    return read_root(cls, value)


__all__ = [
    "ANY",
    "BLOB",
    "BOOL",
    "BYTEARRAY",
    "BYTES",
    "DATE",
    "DATETIME",
    "DECIMAL",
    "EXACT_DATETIME",
    "FLOAT",
    "GENERATED_API",
    "HEADERS",
    "INT",
    "JSON",
    "LOCAL_DATETIME",
    "NONE",
    "REQUEST",
    "RESPONSE",
    "STR",
    "STUB",
    "STURDY_REF",
    "TIME",
    "TIMEDELTA",
    "URL",
    "UUID",
    "AnyPromise",
    "AnyStub",
    "Blob",
    "BlockingAnyStub",
    "BlockingCallback",
    "BlockingReadable",
    "BlockingStub",
    "BlockingWritable",
    "CallbackLike",
    "CallbackPromise",
    "CallbackStub",
    "Calls",
    "Codec",
    "Decoder",
    "DictPromise",
    "Exporter",
    "Headers",
    "Importer",
    "Interface",
    "KeyedPromise",
    "ListArg",
    "ListPromise",
    "MapPromise",
    "Method",
    "Parameter",
    "ReadableStream",
    "Request",
    "Response",
    "RpcPromise",
    "RpcStub",
    "RpcTarget",
    "StreamPromise",
    "StubPromise",
    "SturdyRef",
    "TypeVar",
    "Unknown",
    "Url",
    "Wire",
    "WritableStream",
    "WritableTarget",
    "builder",
    "callback",
    "constrained",
    "datetime_of",
    "declared_callback",
    "dict_by",
    "dict_by_number",
    "dict_of",
    "enum_of",
    "error",
    "error_field",
    "format_of",
    "frozenset_of",
    "interface",
    "list_of",
    "literal_of",
    "members_of",
    "method",
    "model",
    "omitted",
    "open_of",
    "optional",
    "param",
    "prop",
    "read_optional",
    "record_builder",
    "require",
    "root",
    "set_of",
    "stream_of",
    "tagged_union",
    "tuple_of",
    "tuple_of_any",
    "typed_dict",
    "typed_dict_builder",
    "union_of",
    "writable_of",
]
