"""Wire expressions → values, without knowledge of types. Rule: a malformed expression is a ProtocolError; what was
imported for it is given back.

The tree that comes in is never changed, so that a codec that gives up on it can hand it over here. Source: protocol,
"Expressions".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from capnweb_runtime.core.attachments import NO_ATTACHMENTS, Attachments
from capnweb_runtime.core.broken import ReadableGuard
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.devaluate import ARRAY_TYPES
from capnweb_runtime.core.evaluate_leaves import is_url, parse_bigint, parse_bytes, parse_headers, parse_url, unknown
from capnweb_runtime.core.hook import (
    Codec,
    Hook,
    OutgoingStream,
    Path,
    Payload,
    PromiseRef,
    StubRef,
    Wire,
    dispose_all,
)
from capnweb_runtime.core.pipe import Pipe, Readable
from capnweb_runtime.core.refs import Local, PassedOn, PlainPromise, PlainStub, PlainWritable
from capnweb_runtime.core.tables import introduce, is_introduced
from capnweb_runtime.core.weight import NESTED
from capnweb_runtime.errors import ProtocolError, RpcError, from_wire
from capnweb_runtime.values import (
    FORBIDDEN_KEYS,
    MAX_SAFE_INTEGER,
    UNDEFINED,
    BigInt,
    Blob,
    Headers,
    Request,
    Response,
    Url,
    date_from_ms,
)

if TYPE_CHECKING:
    from capnweb_runtime.core.importer import Importer

T = TypeVar("T")

_ERROR_FIELDS: Final = frozenset(("name", "message", "stack"))
_NULL_BODY_STATUSES: Final = frozenset((101, 103, 204, 205, 304))
_PLAIN: Final = frozenset((str, float, bool, type(None)))


class Evaluator:
    """Evaluates the expressions of one payload.

    Attributes:
        importer: gives ids their capabilities.
        hooks: the capabilities found, which the payload will own.
        promises: the promises found, with the place where each one's result belongs.
    """

    __slots__ = ("depth", "hooks", "importer", "max_depth", "promises")

    direct = False

    def __init__(self, importer: Importer, depth: int = 0) -> None:
        self.importer = importer
        self.hooks: list[Hook] = []
        self.promises: list[tuple[Any, Any, PromiseRef]] = []
        self.max_depth = importer.limits.depth
        self.depth = depth

    def payload(self, wire: Wire) -> Payload:
        """The payload of an expression. Raises ProtocolError, with all that was imported disposed."""
        return self._collect(self.value, wire)

    def arguments(self, wire: list[Wire]) -> Payload:
        """The payload of the bare list of expressions that a call carries."""
        return self._collect(self._items, wire)

    def _collect(self, evaluate: Callable[[Any, int], Any], wire: Wire) -> Payload:
        try:
            value = evaluate(wire, self.depth)
        except BaseException:
            dispose_all(self.hooks)
            raise
        if isinstance(value, PromiseRef):
            self.promises.append((None, None, value))
        return Payload(value, None, self.hooks or None, self.promises or None)

    def value(self, wire: Wire, depth: int) -> Any:
        """The value of an expression that stands at the given depth of its message."""
        if depth >= self.max_depth:
            raise ProtocolError(
                f"Deserialization exceeded maximum allowed message depth of {self.max_depth}.", "TypeError"
            )
        kind = type(wire)
        if kind is list:
            if len(wire) == 1 and type(wire[0]) is list:
                return self._items(wire[0], depth)
            handler = _HANDLERS.get(wire[0]) if wire and type(wire[0]) is str else None
            if handler is None:
                raise unknown(wire)
            return handler(self, wire, depth)
        if kind is dict:
            return self._fields(wire, depth, FORBIDDEN_KEYS)
        if kind is int:
            return _number(wire)
        return self.local(wire.value) if kind is Local else wire

    def local(self, value: Any) -> Any:
        """A value that crosses a loopback as it is; this payload owns the streams in it from here on."""
        readable = readable_in(value)
        return value if readable is None else self.readable(value, readable)

    def readable(self, value: T, readable: Readable) -> T:
        """A value with a stream in it that this payload owns from here on."""
        self.hooks.append(ReadableGuard(readable))
        return value

    def _items(self, wire: list[Wire], depth: int) -> list[Any]:
        items: list[Any] = []
        leaves_fit = depth + 1 < self.max_depth
        for item in wire:
            if leaves_fit and (
                (kind := type(item)) in _PLAIN or (kind is int and -MAX_SAFE_INTEGER <= item <= MAX_SAFE_INTEGER)
            ):
                items.append(item)
                continue
            value = self.value(item, depth + 1)
            if isinstance(value, PromiseRef):
                self.promises.append((items, len(items), value))
            items.append(value)
        return items

    def _fields(self, wire: dict[str, Wire], depth: int, dropped: frozenset[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key, item in wire.items():
            value = self.value(item, depth + 1)
            if key in dropped:  # evaluated all the same, so that capabilities in it are released
                continue
            if isinstance(value, PromiseRef):
                self.promises.append((fields, key, value))
            fields[key] = value
        return fields

    def stub(self, hook: Hook) -> StubRef:
        """A stub over a hook that this payload owns from here on."""
        self.hooks.append(hook)
        return PlainStub(hook)

    def writable(self, hook: Hook) -> StubRef:
        """A writable stream over a hook that this payload owns from here on."""
        self.hooks.append(hook)
        return PlainWritable(hook)

    def promise(self, hook: Hook) -> PromiseRef:
        """A promise over a hook that this payload owns from here on."""
        self.hooks.append(hook)
        return PlainPromise(hook)


class DirectEvaluator(Evaluator):
    """Evaluates what stands in a message as it is. Rule: nothing is started and no promise is accepted, so that all
    of it can be taken back.
    """

    __slots__ = ()

    direct = True

    def local(self, value: Any) -> Any:
        """A value that crosses a loopback as it is; streams get their face for the application."""
        readable = readable_in(value)
        if readable is None:
            return value
        chunks = chunks_of(readable, self.importer.host.new_readable)
        return chunks if readable is value else replace(value, body=chunks)

    def writable(self, hook: Hook) -> StubRef:
        """A writable stream for the application, over a hook that this payload owns from here on."""
        self.hooks.append(hook)
        return self.importer.host.new_writable(hook)

    def stub(self, hook: Hook) -> StubRef:
        """A stub for the application, over a hook that this payload owns from here on."""
        self.hooks.append(hook)
        return self.importer.host.new_stub(hook)

    def take_back(self) -> None:
        """Undoes every import, as if the expressions had not been seen."""
        for hook in self.hooks:
            self.importer.forget(hook)
        self.hooks = []


def readable_in(value: Any) -> Pipe | OutgoingStream | PassedOn | None:
    """The stream that a value is, or has as its body, in a plain tree."""
    if isinstance(value, (Request, Response)):
        value = value.body
    return value if isinstance(value, (Pipe, OutgoingStream, PassedOn)) else None


def chunks_of(readable: Pipe | OutgoingStream | PassedOn, face: Callable[[Pipe], Any]) -> Any:
    """What the application gets for a stream in a plain tree.

    Parameters:
        readable: the stream. If the application has made it, the application answers for it from here on.
        face: makes what the application reads a pipe with.
    """
    if isinstance(readable, OutgoingStream):
        readable.taken = True
        return readable.chunks
    return face(readable) if isinstance(readable, Pipe) else readable.stream


def drop(wire: Wire, source: Evaluator | None) -> None:
    """Evaluates what nobody wants, so that capabilities in it are released.

    Parameters:
        wire: an expression.
        source: evaluator of the payload that it stands in; None where the payload is decoded as pure data.

    Raises:
        NotDirect: there may be a capability, and the payload was to be pure data.
    """
    if source is not None:
        source.value(wire, source.depth)
    elif type(wire) in (list, dict):
        raise NotDirect


def attachments_of(source: Evaluator | None) -> Attachments:
    """Byte strings beside the text of the message that a payload came in; none where it is decoded as pure data, which
    is done only where there are none.
    """
    return NO_ATTACHMENTS if source is None else source.importer.attachments


class NotDirect(Exception):
    """An expression needs more than one pass: it starts a call, or names a promise."""


class CallArguments:
    """Arguments of a received call, evaluated in the way that the callee chooses."""

    __slots__ = ("_depth", "_importer", "_wire")

    def __init__(self, wire: list[Wire], importer: Importer, depth: int) -> None:
        self._wire = wire
        self._importer = importer
        self._depth = depth

    @property
    def importer(self) -> Importer:
        """Whose ids are in them: the session's, or those of a map."""
        return self._importer

    @property
    def size(self) -> int:
        """Bytes of the message in which they came."""
        return self._importer.message_bytes

    def payload(self) -> Payload:
        """Evaluates them without knowledge of types."""
        return Evaluator(self._importer, self._depth).arguments(self._wire)

    def direct(self, codec: Codec) -> tuple[Any, list[Hook]]:
        """Decodes them in one pass; see `IncomingArgs.direct`."""
        if codec.pure and self._importer.attachments is NO_ATTACHMENTS:
            return codec.decode(self._wire, None), []
        return decode_direct(codec, self._wire, self._importer, self._depth + 1)


def decode_direct(codec: Codec, wire: Wire, importer: Importer, depth: int) -> tuple[Any, list[Hook]]:
    """Decodes a wire form with a codec in one pass.

    Parameters:
        codec: of the value.
        wire: its wire form.
        importer: gives ids their capabilities.
        depth: how deep in its message the value stands.

    Returns:
        The value, and the capabilities in it, owned by the caller.

    Raises:
        Whatever the codec raises, with nothing imported.
    """
    if codec.pure and importer.attachments is NO_ATTACHMENTS:
        return codec.decode(wire, None), []
    source = DirectEvaluator(importer, depth)
    try:
        return codec.decode(wire, source), source.hooks
    except BaseException:
        source.take_back()
        raise


def _number(value: int) -> int | float:
    """A number of the wire is a double: an integer that a double does not hold exactly arrives as the nearest one."""
    return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else float(value)


def _bigint(source: Evaluator, wire: list[Wire], depth: int) -> BigInt:
    return BigInt(parse_bigint(wire, source.importer.limits.bigint_digits))


def _date(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    if len(wire) > 1 and (wire[1] is None or type(wire[1]) in (int, float)):
        return date_from_ms(wire[1])
    raise unknown(wire)


def _bytes(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    return parse_bytes(wire, ARRAY_TYPES, source.importer.attachments)


def _error(source: Evaluator, wire: list[Wire], depth: int) -> Exception:
    if len(wire) < 3 or type(wire[1]) is not str or type(wire[2]) is not str:
        raise unknown(wire)
    props: dict[str, Any] = {}
    if len(wire) >= 5:
        if type(wire[4]) is not dict:
            raise unknown(wire)
        props = source._fields(wire[4], depth, FORBIDDEN_KEYS | _ERROR_FIELDS)
    error: Any = _group(wire[2], props) if wire[1] == "AggregateError" else from_wire(wire[1], wire[2])
    if props:
        cause = props.get("cause")
        if isinstance(cause, BaseException):
            error.__cause__ = cause
            del props["cause"]
        error.props = props
        if isinstance(error, OSError) and type(props.get("errno")) is int:
            error.errno = props["errno"]
    return error  # type: ignore[no-any-return]  # Any above: built-in exceptions take a `props` that their types do not declare


def _group(message: str, props: dict[str, Any]) -> Exception:
    """The exception group of an AggregateError; a plain error where its `errors` are not such as a group can hold."""
    errors = props.pop("errors", None)
    if isinstance(errors, list) and errors and all(isinstance(error, Exception) for error in errors):
        return ExceptionGroup(message, errors)
    return RpcError(message, "AggregateError", errors=errors or [])


def _undefined(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    if len(wire) != 1:
        raise unknown(wire)
    return UNDEFINED


def _constant(value: float) -> Callable[[Evaluator, list[Wire], int], float]:
    return lambda source, wire, depth: value


def _reference(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    """["import"|"pipeline", id, path?, arguments?]: something of ours, read or called."""
    if source.direct and (wire[0] == "pipeline" or len(wire) > 2):
        raise NotDirect
    if not 2 <= len(wire) <= 4 or type(wire[1]) not in (int, float):
        raise unknown(wire)
    hook = source.importer.own_export(wire[1])
    wrap = source.promise if wire[0] == "pipeline" else source.stub
    if len(wire) == 2:
        return wrap(hook.get(()) if wire[0] == "pipeline" else hook.dup())
    path = parse_path(wire, wire[2])
    if len(wire) == 3:
        return wrap(hook.get(path))
    if source.depth:  # in the arguments of a call already
        depth += NESTED - 1
    return wrap(call_own(source.importer, hook, path, wire, depth))


def call_own(importer: Importer, hook: Hook, path: Path, wire: list[Wire], depth: int) -> Hook:
    """Starts the call that ["pipeline", id, path, arguments] asks for, and returns the hook of its result."""
    if type(wire[3]) is not list:
        raise unknown(wire)
    return hook.call_wire(path, CallArguments(wire[3], importer, depth))


def parse_path(wire: list[Wire], path: Wire) -> Path:
    """The path in an expression, its parts strings and whole numbers. Raises ProtocolError naming the expression."""
    if type(path) is not list:
        raise unknown(wire)
    for part in path:
        if type(part) is not str and type(part) is not int:
            if type(part) is not float:
                raise unknown(wire)
            return tuple(int(part) if type(part) is float and part.is_integer() else str(part) for part in path)
    return tuple(path)


def _with_id(wire: list[Wire]) -> list[Wire]:
    """An expression with its id as an int. Raises ProtocolError if it has none."""
    number = _id_of(wire[1]) if len(wire) > 1 else None
    if number is None:
        raise unknown(wire)
    return [wire[0], number, *wire[2:]]


def _id_of(number: Wire) -> int | None:
    """The id that a number is: JSON has one kind of numbers, in which 1.0 is 1. None for what is no whole number."""
    if type(number) is float and number.is_integer():
        return int(number)
    return number if type(number) is int else None


def _export(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    if len(wire) < 2 or type(wire[1]) is not int:
        wire = _with_id(wire)
    hook = source.importer.import_stub(wire[1])
    if is_introduced(wire, source.importer):
        introduce(hook, wire, source.importer)
    return source.stub(hook)


def _writable(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    if len(wire) < 2 or type(wire[1]) is not int:
        wire = _with_id(wire)
    return source.writable(source.importer.import_stub(wire[1]))


def _readable(source: Evaluator, wire: list[Wire], depth: int) -> Pipe:
    if source.direct:
        raise NotDirect
    if len(wire) < 2 or type(wire[1]) is not int:
        wire = _with_id(wire)
    pipe = source.importer.take_readable(wire[1])
    return source.readable(pipe, pipe)


def _url(source: Evaluator, wire: list[Wire], depth: int) -> Url:
    if len(wire) != 2 or type(wire[1]) is not str:
        raise unknown(wire)
    return parse_url(wire[1])


def _headers(source: Evaluator, wire: list[Wire], depth: int) -> Headers:
    if len(wire) != 2:
        raise unknown(wire)
    return parse_headers(wire, wire[1])


def _request(source: Evaluator, wire: list[Wire], depth: int) -> Request:
    if len(wire) != 3 or type(wire[1]) is not str or type(wire[2]) is not dict:
        raise unknown(wire)
    init = dict(wire[2])
    body = _body(source, init.pop("body", None), depth, "Request")
    init.pop("duplex", None)
    if init.pop("signal", None):
        raise ProtocolError("Request signal must be of type AbortSignal.", "TypeError")
    headers = _init_headers(wire, init, "Request")
    if not is_url(wire[1]):
        raise ProtocolError(f"Failed to parse URL from {wire[1]:.200}", "TypeError")
    return Request(wire[1], init.pop("method", "GET"), headers, body, init)


def _response(source: Evaluator, wire: list[Wire], depth: int) -> Response:
    if len(wire) != 3 or type(wire[2]) is not dict:
        raise unknown(wire)
    init = dict(wire[2])
    body = _body(source, wire[1], depth, "Response")
    if init.get("webSocket"):
        raise ProtocolError("Can't deserialize a Response containing a webSocket.", "TypeError")
    headers = _init_headers(wire, init, "Response")
    status = init.pop("status", 200)
    if type(status) is not int or not 200 <= status <= 599:
        raise ProtocolError('init["status"] must be in the range of 200 to 599, inclusive.', "RangeError")
    if body is not None and status in _NULL_BODY_STATUSES:
        raise ProtocolError(f"Response constructor: Invalid response status code {status}", "TypeError")
    return Response(body, status, init.pop("statusText", ""), headers, init)


def _init_headers(wire: list[Wire], init: dict[str, Any], kind: str) -> Headers:
    pairs = init.pop("headers", None) or []
    if type(pairs) is not list:
        raise ProtocolError(f"{kind} headers must be serialized as an array of pairs.", "TypeError")
    return parse_headers(wire, pairs)


def _body(source: Evaluator, wire: Wire, depth: int, kind: str) -> Any:
    body = None if wire is None else source.value(wire, depth + 1)
    if body is None or isinstance(body, (str, bytes, Pipe)):  # a pipe gets its face where the application gets it
        return body
    raise ProtocolError(f"{kind} body must be of type ReadableStream.", "TypeError")


def _blob(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    """A blob is delivered as if it were a promise, once all of its bytes have arrived."""
    if source.direct:
        raise NotDirect
    if len(wire) != 3 or type(wire[1]) is not str:
        raise unknown(wire)
    content = source.value(wire[2], depth + 1)
    if not isinstance(content, Pipe):
        raise ProtocolError("Blob content must be serialized as a ReadableStream.", "TypeError")
    blob: Cell[Blob] = Cell()
    content.collect(source.importer.limits.blob_bytes).then(lambda data: blob.resolve(Blob(data, wire[1])), blob.reject)
    return source.promise(source.importer.host.value_hook(blob))


def _promise(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    if source.direct:
        raise NotDirect
    if len(wire) < 2 or type(wire[1]) is not int:
        wire = _with_id(wire)
    return source.promise(source.importer.import_promise(wire[1]))


def _remap(source: Evaluator, wire: list[Wire], depth: int) -> Any:
    """["remap", id, path, captures, instructions]: a recorded function to apply to something of ours."""
    if source.direct:
        raise NotDirect
    if len(wire) != 5 or type(wire[3]) is not list or type(wire[4]) is not list:
        raise unknown(wire)
    wire = _with_id(wire)
    path = parse_path(wire, wire[2])
    hook = source.importer.own_export(wire[1])
    captures: list[Hook] = []
    try:
        for capture in wire[3]:
            captures.append(_capture(source.importer, capture))
    except BaseException:
        dispose_all(captures)
        raise
    begin = source.importer.begin_plan
    if begin is not None and wire[4] and type(wire[4][0]) is list and wire[4][0][:1] == ["plan"]:
        return source.promise(begin(source.importer, hook, path, captures, wire[4], depth))
    budget = source.importer.map_budget()
    around, budget.depth = budget.depth, depth + NESTED
    try:
        return source.promise(hook.map(path, captures, wire[4], None, budget))
    finally:
        budget.depth = around


def _capture(importer: Importer, capture: Wire) -> Hook:
    if type(capture) is list and len(capture) == 2 and (number := _id_of(capture[1])) is not None:
        if capture[0] == "export":
            return importer.import_stub(number)
        if capture[0] == "import":
            return importer.own_export(number).dup()
    raise ProtocolError(f"unknown map capture: {unknown(capture).shown}", "TypeError")


_HANDLERS: Final[dict[str, Callable[[Evaluator, list[Wire], int], Any]]] = {
    "bigint": _bigint,
    "date": _date,
    "bytes": _bytes,
    "error": _error,
    "undefined": _undefined,
    "inf": _constant(float("inf")),
    "-inf": _constant(float("-inf")),
    "nan": _constant(float("nan")),
    "import": _reference,
    "pipeline": _reference,
    "export": _export,
    "promise": _promise,
    "remap": _remap,
    "writable": _writable,
    "readable": _readable,
    "url": _url,
    "headers": _headers,
    "request": _request,
    "response": _response,
    "blob": _blob,
}
