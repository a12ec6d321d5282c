"""Values → wire expressions, without knowledge of types. Rule: the exact known types and nothing else; what has no
wire form is a TypeError.

Generated codecs fall back on `devaluate` for what they do not know (Any, promises among arguments), so there is one
place where an expression is written. Source: protocol, "Expressions".
"""

from __future__ import annotations

import binascii
from array import array
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from capnweb_runtime.core.hook import Exportable, Exporter, PromiseRef, StubRef, Wire
from capnweb_runtime.errors import RpcError, wire_message, wire_type
from capnweb_runtime.values import MAX_SAFE_INTEGER, Uint8ClampedArray, Undefined, WireDate, date_to_ms

MAX_DEPTH: Final = 256
_INF: Final = float("inf")

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
        ValueError: the value is nested deeper than 256 levels, or contains itself.
    """
    if depth >= MAX_DEPTH:
        raise ValueError("Serialization exceeded maximum allowed depth. (Does the message contain cycles?)")
    encoder = _ENCODERS.get(type(value)) or _encoder_for(value)
    return encoder(value, to, depth)


def encode_int(value: int) -> Wire:
    """A plain number where a double holds it exactly, otherwise a bigint."""
    if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return value
    return ["bigint", str(value)]


def encode_float(value: float) -> Wire:
    """A plain number, or the expression for nan, inf and -inf."""
    if value != value:
        return ["nan"]
    if value == _INF:
        return ["inf"]
    if value == -_INF:
        return ["-inf"]
    return value


def encode_bytes(value: bytes | bytearray | memoryview) -> Wire:
    """Unpadded standard base64, without a marker."""
    return ["bytes", binascii.b2a_base64(value, newline=False).decode().rstrip("=")]


def encode_date(value: datetime) -> Wire:
    """Milliseconds since 1970-01-01 UTC."""
    return ["date", date_to_ms(value)]


def encode_ref(value: StubRef | PromiseRef, to: Exporter) -> Wire:
    """The expression for a stub or promise: by the receiver's own id if it is the receiver's, else as a new export."""
    hook = value._hook
    known = to.import_id(hook)
    if isinstance(value, PromiseRef):
        if known is None:
            return ["promise", to.export_promise(hook.get(value._path))]
        return ["pipeline", known, value._path] if value._path else ["pipeline", known]
    return ["import", known] if known is not None else ["export", to.export_stub(hook.dup())]


def encode_error(error: BaseException, to: Exporter, depth: int) -> Wire:
    """Type and message, and the properties that an RpcError carries; never a stack."""
    error = to.error_to_send(error)
    wire: list[Wire] = ["error", wire_type(error), wire_message(error)]
    if isinstance(error, RpcError) and error.props:
        wire += [None, {key: devaluate(value, to, depth + 1) for key, value in error.props.items()}]
    return wire


def _as_is(value: Any, to: Exporter, depth: int) -> Wire:
    return value


def _object(value: dict[Any, Any], to: Exporter, depth: int) -> Wire:
    wire = {}
    for key, item in value.items():
        if type(key) is not str:
            raise TypeError(f"Cannot serialize value: object keys are strings, not {type(key).__name__} ({key!r})")
        wire[key] = devaluate(item, to, depth + 1)
    return wire


def _array(value: list[Any] | tuple[Any, ...], to: Exporter, depth: int) -> Wire:
    return [[devaluate(item, to, depth + 1) for item in value]]


def _typed_array(value: array[Any], to: Exporter, depth: int) -> Wire:
    marker = _ARRAY_MARKERS.get(value.typecode)
    wire: list[Wire] = encode_bytes(value.tobytes())
    if marker is None and value.typecode != "B":
        raise TypeError(f"Cannot serialize value: array of typecode {value.typecode!r}; use one of b B h H i I q Q f d")
    return [*wire, marker] if marker else wire


def _marked(marker: str) -> Callable[[Any, Exporter, int], Wire]:
    return lambda value, to, depth: [*encode_bytes(value), marker]


def _date(value: WireDate, to: Exporter, depth: int) -> Wire:
    return ["date", value.ms]


_ENCODERS: Final[dict[type, Callable[[Any, Exporter, int], Wire]]] = {
    str: _as_is,
    bool: _as_is,
    type(None): _as_is,
    int: lambda value, to, depth: encode_int(value),
    float: lambda value, to, depth: encode_float(value),
    dict: _object,
    list: _array,
    tuple: _array,
    bytes: lambda value, to, depth: encode_bytes(value),
    bytearray: _marked("ArrayBuffer"),
    memoryview: _marked("DataView"),
    Uint8ClampedArray: _marked("Uint8ClampedArray"),
    array: _typed_array,
    datetime: lambda value, to, depth: encode_date(value),
    WireDate: _date,
    Undefined: lambda value, to, depth: ["undefined"],
}


def _encoder_for(value: Any) -> Callable[[Any, Exporter, int], Wire]:
    """Encoder of a value whose exact type is not in the table: errors and capabilities."""
    if isinstance(value, (StubRef, PromiseRef)):
        return lambda value, to, depth: encode_ref(value, to)
    if isinstance(value, Exportable):
        return lambda value, to, depth: ["export", to.export_stub(value._export(to.host))]
    if isinstance(value, BaseException):
        return encode_error
    if callable(value) and not isinstance(value, type):
        return lambda value, to, depth: ["export", to.export_stub(to.host.function_hook(value))]
    raise TypeError(f"Cannot serialize value: {_shown(value)}")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # a repr of the application may do anything
        return f"(a {type(value).__name__} whose repr fails)"
    return text if len(text) <= 80 else text[:77] + "..."
