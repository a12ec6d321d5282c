"""The kinds of values, by the names of the conformance interface, and one value of each type."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime
from typing import Any, Final

from capnweb_runtime import (
    UNDEFINED,
    BigInt,
    Blob,
    Headers,
    RangeError,
    ReadableStream,
    Request,
    Response,
    RpcStub,
    Uint8ClampedArray,
    Url,
    WireDate,
    WritableStream,
)
from capnweb_runtime.errors import wire_type

ARRAYS: Final = {
    "b": "Int8Array",
    "h": "Int16Array",
    "H": "Uint16Array",
    "i": "Int32Array",
    "I": "Uint32Array",
    "q": "BigInt64Array",
    "Q": "BigUint64Array",
    "f": "Float32Array",
    "d": "Float64Array",
}
"""Typecode of `array.array` → byte container."""

KINDS: Final[list[tuple[type | tuple[type, ...], str]]] = [
    (type(UNDEFINED), "undefined"),
    (bool, "boolean"),
    (BigInt, "bigint"),
    ((int, float), "number"),
    (Url, "url"),
    (str, "string"),
    ((datetime, WireDate), "date"),
    (Uint8ClampedArray, "bytes:Uint8ClampedArray"),
    (bytes, "bytes:Uint8Array"),
    (bytearray, "bytes:ArrayBuffer"),
    (memoryview, "bytes:DataView"),
    (list, "array"),
    (Headers, "headers"),
    (Request, "request"),
    (Response, "response"),
    (Blob, "blob"),
    (ReadableStream, "readable"),
    (WritableStream, "writable"),
    (RpcStub, "stub"),
    (dict, "object"),
]
"""Types in the order in which they are asked for: a subclass before its base."""


def kind_of(value: object) -> str:
    """The kind of a value that arrived."""
    if value is None:
        return "null"
    if isinstance(value, BaseException):
        return f"error:{wire_type(value)}"
    if isinstance(value, array):
        return f"bytes:{ARRAYS[value.typecode]}"
    return next((name for types, name in KINDS if isinstance(value, types)), "object")


def all_types() -> dict[str, Any]:
    """One value of each type."""
    return {
        "nul": None,
        "undef": UNDEFINED,
        "t": True,
        "f": False,
        "int": 42,
        "neg": -7,
        "frac": 1.5,
        "big": 2**53 - 1,
        "inf": float("inf"),
        "ninf": float("-inf"),
        "nan": float("nan"),
        "str": "h\u00e9llo \U0001f600",
        "bigint": 123456789012345678901234567890,
        "date": datetime.fromtimestamp(1_700_000_000, UTC),
        "bad": WireDate(None),
        "bytes": bytes([0, 1, 254, 255]),
        "i16": array("h", [-1, 258]),
        "f64": array("d", [0.5]),
        "arr": [],
        "nested": [[1], [], [[2]]],
        "obj": {},
        "url": Url("https://example.com/p?q=1"),
        "headers": Headers([("X-A", "1"), ("x-b", "2")]),
        "err": RangeError("inner"),
    }
