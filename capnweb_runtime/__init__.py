"""Runtime of capnweb-gen, an unofficial implementation of the Cap'n Web protocol: sessions, reference counts and
promise pipelining.

`connect` and `serve` open sessions; the stubs and targets that they work with are generated from a schema by the
`capnweb-gen` command. Nothing here imports the compiler, and optional parts (aiohttp, pydantic) are imported where they
are used; `connect_blocking`, for scripts and notebooks, with its first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from capnweb_runtime.any_stub import AnyPromise, AnyStub, unwrap
from capnweb_runtime.client import connect
from capnweb_runtime.errors import (
    CapnwebError,
    DisposedError,
    EvalError,
    LimitExceeded,
    ProtocolError,
    RangeError,
    RpcError,
    SessionClosed,
    SessionError,
    URIError,
)
from capnweb_runtime.limits import Limits
from capnweb_runtime.observe import Observer
from capnweb_runtime.server import Peer, serve
from capnweb_runtime.streams import ReadableStream, WritableStream, WritableTarget
from capnweb_runtime.stub import CallbackStub, RpcPromise, RpcStub
from capnweb_runtime.target import RpcTarget
from capnweb_runtime.values import UNDEFINED, BigInt, Blob, Headers, Request, Response, Uint8ClampedArray, Url, WireDate

if TYPE_CHECKING:
    from capnweb_runtime.blocking import connect_blocking


def __getattr__(name: str) -> Any:
    if name != "connect_blocking":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("capnweb_runtime.blocking").connect_blocking


__all__ = [
    "UNDEFINED",
    "AnyPromise",
    "AnyStub",
    "BigInt",
    "Blob",
    "CallbackStub",
    "CapnwebError",
    "DisposedError",
    "EvalError",
    "Headers",
    "LimitExceeded",
    "Limits",
    "Observer",
    "Peer",
    "ProtocolError",
    "RangeError",
    "ReadableStream",
    "Request",
    "Response",
    "RpcError",
    "RpcPromise",
    "RpcStub",
    "RpcTarget",
    "SessionClosed",
    "SessionError",
    "URIError",
    "Uint8ClampedArray",
    "Url",
    "WireDate",
    "WritableStream",
    "WritableTarget",
    "connect",
    "connect_blocking",
    "serve",
    "unwrap",
]
