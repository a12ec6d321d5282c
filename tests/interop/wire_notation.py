"""The notation in which wire_vectors.json writes values, read into our values and written from them.

wire_vectors.mjs explains it. Numbers are doubles there: one is an int here where it stands as one in the file and a
double holds it exactly.
"""

from __future__ import annotations

import json
import math
from array import array
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

from capnweb_runtime.core.devaluate import ARRAY_TYPES
from capnweb_runtime.errors import ERROR_TYPES, RpcError, wire_message, wire_type
from capnweb_runtime.values import (
    MAX_SAFE_INTEGER,
    UNDEFINED,
    BigInt,
    Headers,
    Request,
    Response,
    Uint8ClampedArray,
    Url,
    WireDate,
)

FILE = Path(__file__).with_name("wire_vectors.json")
CONTAINERS: dict[str, Any] = {
    "Uint8Array": bytes,
    "ArrayBuffer": bytearray,
    "DataView": memoryview,
    "Uint8ClampedArray": Uint8ClampedArray,
}
NUMBERS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DEEP = 50
"""Levels of one-element containers from which on they are counted rather than written out."""


class Vector(NamedTuple):
    """A value in the notation, a wire text, or the type and message of the error in place of one of them."""

    name: str
    value: Any = None
    wire: str = ""
    throws: tuple[str, str] | None = None


def load() -> tuple[list[Vector], list[Vector]]:
    """The vectors of the file: of values encoded, and of texts decoded."""
    content = json.loads(FILE.read_text("utf-8"), object_hook=_joined)
    return [Vector(**entry) for entry in content["encode"]], [Vector(**entry) for entry in content["decode"]]


def _joined(entry: dict[str, Any]) -> Any:
    parts = entry.get("$text")
    if parts is None:
        return entry
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


# ---- notation -> value


def build(notation: Any) -> Any:
    """The value that a notation stands for."""
    if isinstance(notation, list):
        return [build(item) for item in notation]
    if isinstance(notation, dict):
        [(tag, content)] = notation.items()
        return BUILDERS[tag](content)
    if type(notation) is int and abs(notation) > MAX_SAFE_INTEGER:
        return float(notation)
    return notation


def _bytes(content: list[str]) -> Any:
    container, digits = content
    data = bytes.fromhex(digits)
    if container in ARRAY_TYPES:
        return array(ARRAY_TYPES[container], data)
    return CONTAINERS[container](data)


def _date(ms: float | None) -> Any:
    if ms is None or not -62135596800000 <= ms <= 253402300799999:
        return WireDate(ms)
    return EPOCH + timedelta(milliseconds=ms)


def _error(content: dict[str, Any]) -> Any:
    """An error with props is an RpcError, because others send none; without, it is what Python has of that name."""
    name, message = content["type"], content["message"]
    props = {key: build(value) for key, value in content["props"]}
    if name == "AggregateError":
        return ExceptionGroup(message, props["errors"])
    if not props and name in ERROR_TYPES:
        return ERROR_TYPES[name](message)
    error = RpcError(message, name, **props)
    if isinstance(props.get("cause"), BaseException):
        error.__cause__ = error.props.pop("cause")
    return error


def _request(content: dict[str, Any]) -> Request:
    headers = Headers([(name, value) for name, value in content.get("headers", [])])
    return Request(content["url"], content.get("method", "GET"), headers, None, dict(content.get("extra", [])))


def _response(content: dict[str, Any]) -> Response:
    headers = Headers([(name, value) for name, value in content.get("headers", [])])
    return Response(None, content.get("status", 200), content.get("statusText", ""), headers)


def _nest(content: list[Any]) -> Any:
    kind, levels, leaf = content

    def wrap(value: Any, level: int) -> Any:
        return [value] if kind == "array" or (kind == "mixed" and level % 2) else {"k": value}

    return reduce(wrap, range(levels), build(leaf))


class Unserializable:
    """Stands for whatever cannot travel."""


BUILDERS: dict[str, Any] = {
    "$object": lambda entries: {key: build(value) for key, value in entries},
    "$number": NUMBERS.__getitem__,
    "$undefined": lambda _: UNDEFINED,
    "$bigint": lambda text: BigInt(_integer(text)),
    "$date": _date,
    "$url": Url,
    "$headers": lambda pairs: Headers([(name, value) for name, value in pairs]),
    "$bytes": _bytes,
    "$error": _error,
    "$request": _request,
    "$response": _response,
    "$nest": _nest,
    "$repeat": lambda content: content[0] * content[1],
    "$unserializable": lambda _: Unserializable(),
}


def _integer(text: str) -> int:
    """`int` of a decimal text that may be longer than CPython reads at once."""
    digits = text.lstrip("-")
    total = reduce(
        lambda sum_, at: sum_ * 10 ** len(digits[at : at + 4000]) + int(digits[at : at + 4000]),
        range(0, len(digits), 4000),
        0,
    )
    return -total if text.startswith("-") else total


def _decimal(value: int) -> str:
    """Decimal text of an `int` that may be longer than CPython writes at once."""
    digits, rest = "", abs(value)
    while rest >= 10**4000:
        rest, part = divmod(rest, 10**4000)
        digits = f"{part:04000d}{digits}"
    return f"{'-' if value < 0 else ''}{rest}{digits}"


# ---- value -> notation


def describe(value: Any) -> Any:
    """The notation of a value."""
    return _described_nest(value) or _described(value)


def _described_nest(value: Any) -> Any:
    leaf, levels = value, 0
    if type(value) is list:
        kind = "array"
        while type(leaf) is list and len(leaf) == 1:
            leaf, levels = leaf[0], levels + 1
    else:
        kind = "object"
        while type(leaf) is dict and list(leaf) == ["k"]:
            leaf, levels = leaf["k"], levels + 1
    return {"$nest": [kind, levels, _described(leaf)]} if levels >= DEEP else None


def _described(value: Any) -> Any:
    if isinstance(value, BaseException):
        return _described_error(value)
    described = DESCRIBERS.get(type(value))
    return value if described is None else described(value)


def _described_float(value: float) -> Any:
    if math.isnan(value):
        return {"$number": "nan"}
    if math.isinf(value):
        return {"$number": "inf" if value > 0 else "-inf"}
    if value == 0 and math.copysign(1, value) < 0:
        return {"$number": "-0"}
    return value


def _described_error(error: BaseException) -> Any:
    props = dict(getattr(error, "props", {}))
    last = {key: props.pop(key) for key in ("cause", "errors") if key in props}
    if error.__cause__ is not None:
        last["cause"] = error.__cause__
    if isinstance(error, ExceptionGroup):
        last["errors"] = list(error.exceptions)
    shown = [[key, describe(value)] for key, value in {**props, **dict(sorted(last.items()))}.items()]
    return {"$error": {"type": wire_type(error), "message": wire_message(error), "props": shown}}


def _described_bytes(container: str) -> Any:
    return lambda value: {"$bytes": [container, bytes(value).hex()]}


def _described_array(value: Any) -> Any:
    [container] = [name for name, code in ARRAY_TYPES.items() if code == value.typecode]
    return {"$bytes": [container, value.tobytes().hex()]}


def _body(body: Any) -> str | None:
    if body is None:
        return None
    return (body.encode() if isinstance(body, str) else bytes(body)).hex()


DESCRIBERS: dict[type, Any] = {
    BigInt: lambda value: {"$bigint": _decimal(value)},
    float: _described_float,
    type(UNDEFINED): lambda _: {"$undefined": True},
    list: lambda value: [describe(item) for item in value],
    dict: lambda value: {"$object": [[key, describe(item)] for key, item in value.items()]},
    datetime: lambda value: {"$date": (value - EPOCH) / timedelta(milliseconds=1)},
    WireDate: lambda value: {"$date": value.ms},
    bytes: _described_bytes("Uint8Array"),
    bytearray: _described_bytes("ArrayBuffer"),
    memoryview: _described_bytes("DataView"),
    Uint8ClampedArray: _described_bytes("Uint8ClampedArray"),
    array: _described_array,
    Url: lambda value: {"$url": str(value)},
    Headers: lambda value: {"$headers": [list(pair) for pair in value.pairs]},
    Request: lambda value: {
        "$request": {
            "url": value.url,
            "method": value.method,
            "headers": [list(pair) for pair in value.headers.pairs],
            "body": _body(value.body),
            "extra": [list(item) for item in value.extra.items()],
        }
    },
    Response: lambda value: {
        "$response": {
            "body": _body(value.body),
            "status": value.status,
            "statusText": value.status_text,
            "headers": [list(pair) for pair in value.headers.pairs],
        }
    },
}
