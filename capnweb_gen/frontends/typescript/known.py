"""Types that the language, JavaScript and the web have: what they are here, and what to write in place of others."""

from __future__ import annotations

from capnweb_gen import ir

KEYWORDS: dict[str, ir.ScalarName] = {
    "string": "str",
    "boolean": "bool",
    "bigint": "int",
    "any": "any",
    "unknown": "any",
    "null": "none",
    "undefined": "none",
    "void": "none",
}
SCALARS: dict[str, ir.ScalarName] = {
    "Date": "datetime",
    "URL": "url",
    "Blob": "blob",
    "Headers": "headers",
    "Request": "request",
    "Response": "response",
    "Uint8Array": "bytes",
    "Buffer": "bytes",
    "ArrayBuffer": "bytearray",
}
BYTES = frozenset(
    [
        "Int8Array",
        "Uint8ClampedArray",
        "Int16Array",
        "Uint16Array",
        "Int32Array",
        "Uint32Array",
        "BigInt64Array",
        "BigUint64Array",
        "Float32Array",
        "Float64Array",
        "DataView",
    ]
)
ERRORS = frozenset(
    ["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "AggregateError"]
)
WRAPPERS = {"String": "string", "Number": "number", "Boolean": "boolean", "BigInt": "bigint", "Symbol": "string"}
_STREAM_HINT = "write ReadableStream<T>, and return a stream: the npm package sends no generators"
REFUSED = {
    "Map": "write Record<string, T>, or an array of pairs: the npm package refuses to send a Map",
    "ReadonlyMap": "write Record<string, T>, or an array of pairs: the npm package refuses to send a Map",
    "Set": "write T[]: the npm package refuses to send a Set",
    "ReadonlySet": "write T[]: the npm package refuses to send a Set",
    "RegExp": "send its source as a string: the npm package refuses to send a RegExp",
    "Function": "write what it takes and gives, such as (value: number) => void",
    "Object": "write Record<string, unknown>, or list the members",
    "Iterable": "write T[]",
    "Iterator": "write T[]",
    "IterableIterator": "write T[]",
    "Generator": "write T[]",
    "WeakMap": "write Record<string, T>",
    "WeakSet": "write T[]",
    "SharedArrayBuffer": "write Uint8Array",
    "AbortSignal": "leave it out: a call is given up by disposing of its promise",
    "FormData": "write Record<string, string>, or a Blob",
    "URLSearchParams": "write Record<string, string>, or a URL",
    "File": "write Blob, and send its name beside it",
    "AsyncGenerator": _STREAM_HINT,
    "AsyncIterable": _STREAM_HINT,
    "AsyncIterator": _STREAM_HINT,
    "AsyncIterableIterator": _STREAM_HINT,
    "TransformStream": "write ReadableStream<T> and WritableStream<T>",
    "Disposable": "write RpcStub<{}> for something that is held until it is disposed of",
    "AsyncDisposable": "write RpcStub<{}> for something that is held until it is disposed of",
}
