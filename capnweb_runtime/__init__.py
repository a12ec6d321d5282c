"""Runtime of capnweb-gen, an unofficial implementation of the Cap'n Web protocol: sessions, reference counts and
promise pipelining.

`connect` and `serve` open sessions; the stubs and targets that they work with are generated from a schema by the
`capnweb-gen` command. Nothing here imports the compiler, and optional parts (aiohttp, pydantic) are imported where they
are used. A name is imported when it is first asked for: a client does not wait for the server to load, nor a schema,
which needs `capnweb_runtime.schema` alone, for either.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capnweb_runtime.blocking.connect import connect_blocking
    from capnweb_runtime.connecting.connect import connect
    from capnweb_runtime.connecting.pool import Pool, PoolStats
    from capnweb_runtime.connecting.reconnect import Connected, Reconnect
    from capnweb_runtime.core.costs import CostLeft
    from capnweb_runtime.debugging.capabilities import Capability
    from capnweb_runtime.debugging.settings import Sampling
    from capnweb_runtime.driving.batching import batched
    from capnweb_runtime.driving.costs import cost_left
    from capnweb_runtime.driving.deadline import deadline, time_left
    from capnweb_runtime.driving.interceptors import CallInfo, Interceptor, Proceed
    from capnweb_runtime.driving.threads import in_thread
    from capnweb_runtime.errors import (
        CapnwebError,
        ConnectionLost,
        ConnectionRefused,
        CostExceeded,
        DeadlineExceeded,
        Disconnected,
        DisposedError,
        EvalError,
        GoingAway,
        LimitExceeded,
        PeerAborted,
        ProtocolError,
        RangeError,
        RateLimited,
        RpcError,
        SessionClosed,
        SessionError,
        StaleCapability,
        StaleCodeWarning,
        URIError,
    )
    from capnweb_runtime.explaining import Explanation, explain
    from capnweb_runtime.limits import Limits, ServerLimits
    from capnweb_runtime.objects.any_stub import AnyPromise, AnyStub, as_stub, unwrap
    from capnweb_runtime.objects.callbacks import CallbackStub
    from capnweb_runtime.objects.streams import ReadableStream, WritableStream, WritableTarget
    from capnweb_runtime.objects.stub import RpcPromise, RpcStub
    from capnweb_runtime.objects.target import RpcTarget
    from capnweb_runtime.observe import Observer
    from capnweb_runtime.serving.certificate import Certificate
    from capnweb_runtime.serving.handed_over import systemd_sockets
    from capnweb_runtime.serving.peer import Peer, Refuse
    from capnweb_runtime.serving.serve import Serving, serve
    from capnweb_runtime.serving.server import Server
    from capnweb_runtime.serving.service import Service, ServiceOptions
    from capnweb_runtime.values import (
        UNDEFINED,
        BigInt,
        Blob,
        Headers,
        Request,
        Response,
        SturdyRef,
        Uint8ClampedArray,
        Unknown,
        Url,
        WireDate,
    )

__all__ = [
    "UNDEFINED",
    "AnyPromise",
    "AnyStub",
    "BigInt",
    "Blob",
    "CallInfo",
    "CallbackStub",
    "Capability",
    "CapnwebError",
    "Certificate",
    "Connected",
    "ConnectionLost",
    "ConnectionRefused",
    "CostExceeded",
    "CostLeft",
    "DeadlineExceeded",
    "Disconnected",
    "DisposedError",
    "EvalError",
    "Explanation",
    "GoingAway",
    "Headers",
    "Interceptor",
    "LimitExceeded",
    "Limits",
    "Observer",
    "Peer",
    "PeerAborted",
    "Pool",
    "PoolStats",
    "Proceed",
    "ProtocolError",
    "RangeError",
    "RateLimited",
    "ReadableStream",
    "Reconnect",
    "Refuse",
    "Request",
    "Response",
    "RpcError",
    "RpcPromise",
    "RpcStub",
    "RpcTarget",
    "Sampling",
    "Server",
    "ServerLimits",
    "Service",
    "ServiceOptions",
    "Serving",
    "SessionClosed",
    "SessionError",
    "StaleCapability",
    "StaleCodeWarning",
    "SturdyRef",
    "URIError",
    "Uint8ClampedArray",
    "Unknown",
    "Url",
    "WireDate",
    "WritableStream",
    "WritableTarget",
    "as_stub",
    "batched",
    "connect",
    "connect_blocking",
    "cost_left",
    "deadline",
    "explain",
    "in_thread",
    "serve",
    "systemd_sockets",
    "time_left",
    "unwrap",
]

# What type checkers read above, for those who run it: the modules, and what each gives.
_HOMES = {
    "objects.any_stub": "AnyPromise AnyStub as_stub unwrap",
    "blocking.connect": "connect_blocking",
    "connecting.connect": "connect",
    "connecting.pool": "Pool PoolStats",
    "connecting.reconnect": "Connected Reconnect",
    "debugging.capabilities": "Capability",
    "debugging.settings": "Sampling",
    "core.costs": "CostLeft",
    "driving.batching": "batched",
    "driving.costs": "cost_left",
    "driving.deadline": "deadline time_left",
    "driving.interceptors": "CallInfo Interceptor Proceed",
    "driving.threads": "in_thread",
    "errors": (
        "CapnwebError ConnectionLost ConnectionRefused CostExceeded DeadlineExceeded Disconnected DisposedError "
        "EvalError GoingAway LimitExceeded PeerAborted ProtocolError RangeError RateLimited RpcError SessionClosed "
        "SessionError "
        "StaleCapability StaleCodeWarning URIError"
    ),
    "explaining": "Explanation explain",
    "limits": "Limits ServerLimits",
    "observe": "Observer",
    "serving.certificate": "Certificate",
    "serving.handed_over": "systemd_sockets",
    "serving.peer": "Peer Refuse",
    "serving.serve": "Serving serve",
    "serving.server": "Server",
    "serving.service": "Service ServiceOptions",
    "objects.streams": "ReadableStream WritableStream WritableTarget",
    "objects.callbacks": "CallbackStub",
    "objects.stub": "RpcPromise RpcStub",
    "objects.target": "RpcTarget",
    "values": "UNDEFINED BigInt Blob Headers Request Response SturdyRef Uint8ClampedArray Unknown Url WireDate",
}

if not TYPE_CHECKING:  # else they would believe that every name is here

    def __getattr__(name: str) -> object:
        for home, names in _HOMES.items():
            if name in names.split():
                # Kept, so that this is not called for it again.
                return globals().setdefault(name, getattr(import_module(f"{__name__}.{home}"), name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
