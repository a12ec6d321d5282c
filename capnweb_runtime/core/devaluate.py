"""Values → wire expressions, without knowledge of types. Rule: the exact known types and nothing else; what has no
wire form is a TypeError.

Generated codecs fall back on `devaluate` for what they do not know (Any, promises among arguments), so there is one
place where an expression is written. Source: protocol, "Expressions".
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from capnweb_runtime.core.attachments import base64_text
from capnweb_runtime.core.broken import DisposedHook
from capnweb_runtime.core.hook import Codec, Exporter, OutgoingStream, PromiseRef, StubRef, Wire
from capnweb_runtime.core.mismatch import Mismatch, dropped_key
from capnweb_runtime.core.pipe import Pipe, Readable
from capnweb_runtime.core.refs import Exportable, Local, PassedOn, ReadableRef, WritableRef
from capnweb_runtime.errors import wire_message, wire_type
from capnweb_runtime.limits import DEFAULT_LIMITS
from capnweb_runtime.values import (
    FORBIDDEN_KEYS,
    MAX_SAFE_INTEGER,
    BigInt,
    Blob,
    Headers,
    Request,
    Response,
    SturdyRef,
    Uint8ClampedArray,
    Undefined,
    Url,
    WireDate,
    date_to_ms,
)

MAX_DEPTH: Final = 256
_AS_THEY_ARE: Final = frozenset((str, bool, type(None)))
DECLARATION: Final = "__capnweb_declaration__"
"""Attribute of an exception that travels as an interface declares it; see `core.raises`."""
_INLINE_BODY: Final = (str, bytes, type(None))
_BLOB_PIECE: Final = 64 * 1024
_INF: Final = float("inf")
_DIGITS_AT_ONCE: Final = 3900
_BITS_AT_ONCE: Final = 12_950  # 3,899 digits

ARRAY_TYPES: Final = {
    "Int8Array": "b",
    "Int16Array": "h",
    "Uint16Array": "H",
    "Int32Array": "i",
    "Uint32Array": "I",
    "BigInt64Array": "q",
    "BigUint64Array": "Q",
    "Float32Array": "f",
    "Float64Array": "d",
}
"""Byte container of the wire → typecode of `array.array`."""
_ARRAY_MARKERS: Final = {code: name for name, code in ARRAY_TYPES.items()}


def devaluate(value: Any, to: Exporter, depth: int = 0) -> Wire:
    """The expression for a value.

    Parameters:
        value: any serializable value; capabilities in it stay owned by the caller.
        to: gives capabilities their ids.
        depth: how deep in the message the expression will stand.

    Raises:
        TypeError: something in the value has no wire form.
        Mismatch: an object in it has a key that peers drop.
        ValueError: the value is nested deeper than 256 levels, or contains itself.
    """
    if depth >= MAX_DEPTH:
        raise ValueError("Serialization exceeded maximum allowed depth. (Does the message contain cycles?)")
    encoder = _ENCODERS.get(type(value)) or _encoder_of(type(value))  # type: ignore[arg-type]  # a class is hashable
    return encoder(value, to, depth)


def encode_int(value: int) -> Wire:
    """A plain number where a double holds it exactly, otherwise a bigint.

    Raises:
        ValueError: it has more digits than a peer reads.
    """
    if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return value
    return encode_bigint(value)


def encode_bigint(value: int) -> Wire:
    """A bigint. Raises ValueError if it has more digits than a peer reads."""
    return ["bigint", int.__repr__(value) if value.bit_length() <= _BITS_AT_ONCE else _long_decimal(value)]


def _long_decimal(value: int) -> str:
    """`str` in pieces: CPython refuses more than 4,300 digits at once, the protocol allows 16,384."""
    pieces: list[str] = []
    rest = abs(value) if value.bit_length() <= 4 * DEFAULT_LIMITS.bigint_digits else 0
    while rest:
        rest, piece = divmod(rest, 10**_DIGITS_AT_ONCE)
        pieces.append(f"{piece:0{_DIGITS_AT_ONCE}d}")
    text = ("-" if value < 0 else "") + "".join(reversed(pieces)).lstrip("0")
    if not pieces or len(text) > DEFAULT_LIMITS.bigint_digits:
        raise ValueError(
            f"Cannot serialize value: an int of {value.bit_length()} bits; peers read up to "
            f"{DEFAULT_LIMITS.bigint_digits} digits, so send it as text or bytes"
        )
    return text


def encode_float(value: float) -> Wire:
    """A plain number, or the expression for nan, inf and -inf; -0.0 is sent as 0, as JSON text of the reference has
    it.
    """
    if value != value:
        return ["nan"]
    if value == _INF:
        return ["inf"]
    if value == -_INF:
        return ["-inf"]
    return value or 0


def encode_bytes(value: bytes | bytearray | memoryview, to: Exporter) -> Wire:
    """Unpadded standard base64, or the bytes as they are where the transport carries them, without a marker."""
    if to.raw_bytes:
        return ["bytes", bytes(value)]
    return ["bytes", base64_text(value)]


def encode_date(value: datetime) -> Wire:
    """Milliseconds since 1970-01-01 UTC."""
    return ["date", date_to_ms(value)]


def encode_ref(value: StubRef | PromiseRef, to: Exporter) -> Wire:
    """The expression for a stub or promise: by the receiver's own id if it is the receiver's, else as a new export.
    Raises DisposedError if it has been disposed.
    """
    hook = value._hook
    if type(hook) is DisposedHook:
        raise hook.error_of(f"{type(value).__name__} was passed", "it")
    known = to.import_id(hook)
    if isinstance(value, PromiseRef):
        if known is None:
            return ["promise", to.export_promise(hook.get(value._path))]
        return ["pipeline", known, list(value._path)] if value._path else ["pipeline", known]
    if isinstance(value, WritableRef):
        return ["writable", to.export_stub(hook.dup())]
    if known is not None:
        return ["import", known]
    wire: list[Wire] = ["export", to.export_stub(hook.dup())]
    return wire if to.introductions is None else wire + to.introductions.of(getattr(hook, "target", None))


def encode_error(error: BaseException, to: Exporter, depth: int = 0) -> Wire:
    """What is sent in place of an error: see `encode_sent`."""
    return encode_sent(to.error_to_send(error), to, depth)


def encode_sent(error: BaseException, to: Exporter, depth: int = 0) -> Wire:
    """Type and message, and what travels with it; never a stack. A property that has no wire form is left out."""
    declaration = vars(error).get(DECLARATION)
    props: dict[str, Wire]
    if declaration is None:
        name, message, props = wire_type(error), wire_message(error), {}
    else:
        name, message, props = declaration.encode(error, to)
    wire: list[Wire] = ["error", name, message]
    for key, value in _error_props(error, to):
        mark = to.mark()
        try:
            props[key] = devaluate(value, to, depth + 1)
        except Exception:  # no wire form, a stub that was disposed, a limit: the error itself must make it through
            to.take_back(mark)
    return [*wire, None, props] if props else wire


def _error_props(error: BaseException, to: Exporter) -> Iterator[tuple[str, Any]]:
    """What travels with an error beside type and message: what an RpcError was given, or what came with it from a peer,
    the cause that `raise ... from` has named, if it may leave, and the number of an error of the operating system.
    Attributes of other exceptions, contexts and notes stay here.
    """
    props = getattr(error, "props", None)
    if isinstance(props, dict):  # an application's exception may call anything props
        yield from props.items()
    cause = error.__cause__
    if cause is not None and to.discloses(cause):
        yield "cause", cause
    if isinstance(error, BaseExceptionGroup):
        yield "errors", list(error.exceptions)
    if isinstance(error, OSError) and type(error.errno) is int:
        yield "errno", error.errno


def encode_stream(chunks: Any, codec: Codec, to: Exporter) -> Wire:
    """The expression for an async iterable of the application's; it is written into a pipe once the message is sent.

    Parameters:
        chunks: what to write.
        codec: how a chunk travels.
        to: opens the pipe.
    """
    return _readable(_outgoing(chunks, codec, to), to, 0)


def _outgoing(chunks: Any, codec: Codec, to: Exporter) -> Readable:
    if isinstance(chunks, ReadableRef):
        return PassedOn(chunks, codec)
    return OutgoingStream(chunks, codec, to.host if to.local else None)


def _readable(value: Readable, to: Exporter, depth: int) -> Wire:
    return Local(value) if to.local else ["readable", to.create_pipe(value)]


def _blob(value: Blob, to: Exporter, depth: int) -> Wire:
    if to.local:
        return Local(value)
    return ["blob", value.type, ["readable", to.create_pipe(OutgoingStream(_pieces(value.data), LEAF))]]


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _BLOB_PIECE):
        yield data[start : start + _BLOB_PIECE]


def _crossing(value: Request | Response, to: Exporter) -> Local:
    """A request or response with a stream in it, as it crosses a loopback."""
    body: Any = value.body
    if not isinstance(body, Readable):
        body = _outgoing(body, LEAF, to)
    return Local(replace(value, body=body))


def _request(value: Request, to: Exporter, depth: int) -> Wire:
    if to.local and not isinstance(value.body, _INLINE_BODY):
        return _crossing(value, to)
    init: dict[str, Wire] = {}
    if value.method != "GET":
        init["method"] = value.method
    if value.headers:
        init["headers"] = [list(pair) for pair in value.headers.pairs]
    if value.body is not None:
        init["body"] = devaluate(value.body, to, depth + 1)
        init["duplex"] = "half"
    return ["request", str.__str__(value.url), {**init, **_json(value.extra)}]


def _response(value: Response, to: Exporter, depth: int) -> Wire:
    if to.local and not isinstance(value.body, _INLINE_BODY):
        return _crossing(value, to)
    init: dict[str, Wire] = {}
    if value.status != 200:
        init["status"] = value.status
    if value.status_text:
        init["statusText"] = value.status_text
    if value.headers:
        init["headers"] = [list(pair) for pair in value.headers.pairs]
    return ["response", devaluate(value.body, to, depth + 1), {**init, **_json(value.extra)}]


def _json(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """Members of a RequestInit or ResponseInit that travel as they are: only what JSON has."""
    for key, value in extra.items():
        if type(value) not in (str, bool, int, type(None)):
            raise TypeError(f"Cannot serialize value: {key!r} of a request or response is a {type(value).__name__}")
    return extra


def _as_is(value: Any, to: Exporter, depth: int) -> Wire:
    return value


def _object(value: dict[Any, Any], to: Exporter, depth: int) -> Wire:
    if not FORBIDDEN_KEYS.isdisjoint(value):
        raise dropped_key(value)
    wire = {}
    key = ""
    try:
        for key, item in value.items():
            if type(key) is not str:
                raise TypeError(f"Cannot serialize value: object keys are strings, not {type(key).__name__} ({key!r})")
            wire[key] = devaluate(item, to, depth + 1)
    except Mismatch as mismatch:
        raise mismatch.inside(key) from None
    return wire


def _array(value: list[Any] | tuple[Any, ...], to: Exporter, depth: int) -> Wire:
    wire: list[Wire] = []
    leaves_fit = depth + 1 < MAX_DEPTH
    try:
        for item in value:
            kind = type(item)
            if leaves_fit and (kind in _AS_THEY_ARE or (kind is int and -MAX_SAFE_INTEGER <= item <= MAX_SAFE_INTEGER)):
                wire.append(item)
            else:
                wire.append(devaluate(item, to, depth + 1))
    except Mismatch as mismatch:
        raise mismatch.inside(len(wire)) from None
    return [wire]


def _typed_array(value: array[Any], to: Exporter, depth: int) -> Wire:
    marker = _ARRAY_MARKERS.get(value.typecode)
    wire: list[Wire] = encode_bytes(value.tobytes(), to)
    if marker is None and value.typecode != "B":
        raise TypeError(f"Cannot serialize value: array of typecode {value.typecode!r}; use one of b B h H i I q Q f d")
    return [*wire, marker] if marker else wire


def _marked(marker: str) -> Callable[[Any, Exporter, int], Wire]:
    return lambda value, to, depth: [*encode_bytes(value, to), marker]


def _date(value: WireDate, to: Exporter, depth: int) -> Wire:
    return ["date", value.ms]


_ENCODERS: Final[dict[type, Callable[[Any, Exporter, int], Wire]]] = {
    str: _as_is,
    bool: _as_is,
    type(None): _as_is,
    int: lambda value, to, depth: encode_int(value),
    BigInt: lambda value, to, depth: encode_bigint(value),
    float: lambda value, to, depth: encode_float(value),
    dict: _object,
    list: _array,
    tuple: _array,
    bytes: lambda value, to, depth: encode_bytes(value, to),
    bytearray: _marked("ArrayBuffer"),
    memoryview: _marked("DataView"),
    Uint8ClampedArray: _marked("Uint8ClampedArray"),
    array: _typed_array,
    datetime: lambda value, to, depth: encode_date(value),
    WireDate: _date,
    Url: lambda value, to, depth: ["url", str.__str__(value)],
    SturdyRef: lambda value, to, depth: value.token,
    Headers: lambda value, to, depth: ["headers", [list(pair) for pair in value.pairs]],
    Request: _request,
    Response: _response,
    Blob: _blob,
    Pipe: _readable,
    OutgoingStream: _readable,
    PassedOn: _readable,
    Undefined: lambda value, to, depth: ["undefined"],
}


@lru_cache(maxsize=512)  # asked for each of a list of objects
def _encoder_of(cls: type) -> Callable[[Any, Exporter, int], Wire]:
    """Encoder of the values of a class that is not in the table: errors and capabilities."""
    if issubclass(cls, (StubRef, PromiseRef)):
        return lambda value, to, depth: encode_ref(value, to)
    if issubclass(cls, Exportable):
        return lambda value, to, depth: [value._export_kind, to.export_stub(value._export(to.host))]
    if issubclass(cls, BaseException):
        return encode_error
    if hasattr(cls, "__aiter__"):
        return lambda value, to, depth: encode_stream(value, LEAF, to)
    if hasattr(cls, "__await__"):
        return lambda value, to, depth: ["promise", to.export_promise(to.host.awaitable_hook(value, LEAF))]
    if issubclass(cls, Callable) and not issubclass(cls, type):  # type: ignore[arg-type]  # which is a class, too
        return lambda value, to, depth: ["export", to.export_stub(to.host.function_hook(value))]
    return _refuse


def _refuse(value: Any, to: Exporter, depth: int) -> Wire:
    raise TypeError(f"Cannot serialize value: an instance of {type(value).__name__}")


class _Leaf(Codec):
    """Codec of a value of any type, on the sending side only: for chunks and awaited values that no schema
    describes.
    """

    pure = False

    @property
    def label(self) -> str:
        return "any serializable value"

    def encode(self, value: Any, to: Exporter) -> Wire:
        return devaluate(value, to, to.depth)

    def decode(self, wire: Wire, source: Any) -> Any:
        return source.value(wire, source.depth)


LEAF: Final = _Leaf()
