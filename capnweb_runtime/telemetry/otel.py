"""Spans and durations of calls, for OpenTelemetry. Rule: this knows its API alone; whether anything is recorded, and
where it goes, is for the SDK that the program sets up.

The names are those of the stable conventions for RPC, which the package of conventions does not have yet.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from capnweb_runtime.driving.interceptors import CallInfo, Proceed
from capnweb_runtime.errors import wire_message
from capnweb_runtime.observe import escaped_traceback, printable
from capnweb_runtime.serving.peer import Peer
from capnweb_runtime.telemetry.calls import (
    OTHER,
    SECONDS,
    SYSTEM,
    followed,
    method_of,
    place_of,
    type_of,
    was_forgotten,
)

try:
    from opentelemetry import context as contexts
    from opentelemetry import metrics, propagate, trace
    from opentelemetry.propagators.textmap import Getter, Setter
except ImportError as missing:
    raise ImportError("telemetry.otel needs opentelemetry-api: pip install 'capnweb-gen[otel]'") from missing

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

__all__ = ["Telemetry", "headers"]

_SCOPE: Final = "capnweb_runtime"
_LONGEST: Final = 200
"""Characters of a stranger's text that an attribute has."""
_LONGEST_VALUE: Final = 512
"""Characters of a header that are looked at; the propagators write a line to the log for each that is too long."""
_CLIENT_SECONDS: Final = "rpc.client.call.duration"
_SERVER_SECONDS: Final = "rpc.server.call.duration"


class Telemetry:
    """An interceptor for clients and servers that records an OpenTelemetry span for each call, and how long each takes.

    A call that is made gets a span of kind CLIENT, whose context travels with the call where both ends have agreed on
    that, as two ends of this implementation do. A call that is served gets a span of kind SERVER. Its parent is the
    span that came with the call; else the one that is current, such as that of the web framework's request; else the
    one in the headers of the request that opened the session. Calls that a method makes while it runs, or while its
    stream is read, are children of its span.

    Parameters:
        tracer_provider: provider of tracers; None means the global one.
        meter_provider: provider of meters; None means the global one.
        public: True for servers that strangers may call. Spans then link to the callers' traces in place of continuing
            them, since a caller would choose the ids and what is recorded; and the callers' baggage is ignored.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        public: bool = False,
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._made, self._served = (
            meter.create_histogram(
                name, unit="s", description=description, explicit_bucket_boundaries_advisory=list(SECONDS)
            )
            for name, description in (
                (_CLIENT_SECONDS, "Duration of outgoing calls"),
                (_SERVER_SECONDS, "Duration of incoming calls"),
            )
        )
        self._public = public

    async def __call__(self, call: CallInfo, proceed: Proceed) -> Any:
        """See `Interceptor`."""
        return await (self._serve if call.served else self._make)(call, proceed)

    def refused(self, call: CallInfo, error: BaseException) -> None:
        """See `SeesRefused`."""
        _Watched(self, call, *self._parent(call)).end(error)

    async def _serve(self, call: CallInfo, proceed: Proceed) -> Any:
        watched = _Watched(self, call, *self._parent(call))
        token = contexts.attach(watched.context)
        try:
            return await followed(call, proceed, watched.end)
        finally:
            contexts.detach(token)

    async def _make(self, call: CallInfo, proceed: Proceed) -> Any:
        watched = _Watched(self, call, contexts.get_current())
        propagate.inject(call, watched.context, setter=_METADATA)
        return await followed(call, proceed, watched.end)

    def _parent(self, call: CallInfo) -> tuple[Context, Sequence[trace.Link]]:
        """The context of a call that is served, and what its span is linked to."""
        context = contexts.get_current()
        if isinstance(call.peer, Peer):
            context = _nearer(context, call.peer.headers)
        if call.metadata:
            context = propagate.extract(call.metadata, context, getter=_HEADERS)
        if not self._public:
            return context, []
        span = trace.get_current_span(context).get_span_context()
        return contexts.get_current(), [trace.Link(span)] if span.is_remote else []


class _Watched:
    """A call, from its beginning to its end.

    Parameters:
        telemetry: who watches.
        call: the call.
        parent: the context in which it is made or served.
        links: of its span.

    Attributes:
        context: the same with its span.
    """

    __slots__ = ("_began", "_call", "_method", "_span", "_telemetry", "context")

    def __init__(self, telemetry: Telemetry, call: CallInfo, parent: Context, links: Sequence[trace.Link] = ()) -> None:
        self._telemetry = telemetry
        self._call = call
        self._method = method_of(call)
        self._span: Span = telemetry._tracer.start_span(
            SYSTEM if self._method == OTHER else self._method,
            parent,
            trace.SpanKind.SERVER if call.served else trace.SpanKind.CLIENT,
            _attributes(call, self._method),
            links,
            record_exception=False,
            set_status_on_exception=False,
        )
        self.context = trace.set_span_in_context(self._span, parent)
        self._began = time.perf_counter()

    def end(self, error: BaseException | None) -> None:
        """It has ended, with what it has failed with, if it has."""
        seconds = time.perf_counter() - self._began
        call, span = self._call, self._span
        forgotten = was_forgotten(call, error)
        if error is not None and not forgotten and span.is_recording():
            _record(span, call, error)
        span.end()
        if forgotten:
            return
        measured: dict[str, str | int] = {"rpc.system.name": SYSTEM, "rpc.method": self._method}
        if error is not None:
            measured["error.type"] = type_of(error)
        if call.served:
            self._telemetry._served.record(seconds, measured, self.context)
        else:
            measured.update(_server(call))
            self._telemetry._made.record(seconds, measured, self.context)


def headers(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Makes headers with the current span, for `connect(headers=headers())`. The server takes that span for the parent
    of calls that bring none of their own, as in a batch of several calls.

    Parameters:
        more: further headers to add.

    Returns:
        All of them.
    """
    made = dict(more or {})
    propagate.inject(made)
    return made


def _attributes(call: CallInfo, method: str) -> dict[str, str | int | bool]:
    """What a span has from its beginning, so that samplers may look at it."""
    found: dict[str, str | int | bool] = {"rpc.system.name": SYSTEM, "rpc.method": method, **_server(call)}
    if method == OTHER:
        found["rpc.method_original"] = printable(call.method, _LONGEST)
    if call.pipelined:
        found["capnweb.pipelined"] = True
    if call.mapped:
        found["capnweb.mapped"] = True
    if isinstance(call.peer, Peer) and call.peer.address is not None:
        found["network.peer.address"], found["network.peer.port"] = call.peer.address
    return found


def _server(call: CallInfo) -> dict[str, str | int]:
    """The server that is called, as its client calls it."""
    if isinstance(call.peer, Peer):
        host, port = place_of(f"//{call.peer.host}") if call.served else ("", None)
    else:
        host, port = place_of(call.peer) if isinstance(call.peer, str) and not call.served else ("", None)
    found: dict[str, str | int] = {"server.address": printable(host, _LONGEST)} if host else {}
    if host and port is not None:
        found["server.port"] = port
    return found


def _record(span: Span, call: CallInfo, error: BaseException) -> None:
    """Says how a call has failed. What a method declares is an answer, to the side that gives it."""
    span.set_attribute("error.type", type_of(error))
    if call.served and call.expects(error):
        return
    span.set_status(trace.StatusCode.ERROR, printable(wire_message(error)))
    if call.served and isinstance(error, Exception):
        text = {"exception.message": printable(wire_message(error)), "exception.stacktrace": escaped_traceback(error)}
        span.record_exception(error, text)


def _nearer(context: Context, given: Mapping[str, str]) -> Context:
    """A context with the span that came in headers, unless one is current that is of the same trace already: of what
    has seen the request before us.
    """
    current = trace.get_current_span(context).get_span_context()
    remote = trace.get_current_span(propagate.extract(given, contexts.Context(), getter=_HEADERS)).get_span_context()
    if current.is_valid and current.trace_id == remote.trace_id:
        return context
    return propagate.extract(given, context, getter=_HEADERS)


class _Texts(Getter[Mapping[str, str]]):
    """Reads what came from a peer, as far as it is as it should be."""

    def get(self, carrier: Mapping[str, str], key: str) -> list[str] | None:
        value = carrier.get(key)
        return None if value is None or len(value) > _LONGEST_VALUE else [value]

    def keys(self, carrier: Mapping[str, str]) -> list[str]:
        return list(carrier)


class _Carried(Setter[CallInfo]):
    """Writes into the metadata of a call, as far as there is room."""

    def set(self, carrier: CallInfo, key: str, value: str) -> None:
        carrier.carry(key, value)


_HEADERS: Final = _Texts()
_METADATA: Final = _Carried()
