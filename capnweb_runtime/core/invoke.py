"""Calls of the application's functions. Rule: arguments are checked before the function runs, and disposed when the
call returns.

A result belongs to the caller from then on: the hook that is returned owns what is in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, Final, Self

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.held import CALL
from capnweb_runtime.core.hook import Hook, Host, IncomingArgs, Payload, PromiseRef, StubRef, dispose_all
from capnweb_runtime.core.interface import Method, argument_error
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import (
    decode_arguments,
    make_plain,
    resolve_promises,
)
from capnweb_runtime.core.raises import Raises, is_declared
from capnweb_runtime.core.refs import Exportable, PlainStub, ReadableRef
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import ENDS_PROGRAM, NOT_OURS, LimitExceeded, SessionError, as_answer

_LEAVES: Final = frozenset((int, str, float, bool, type(None), bytes))
"""Types of values in which no stub can stand."""

_SMALL: Final = frozenset((int, float, bool, type(None)))
"""Types of results for which their entry on the table counts."""
PENDING: Final = 2048
"""Bytes that a call takes which waits for its arguments."""


def invoke(function: Callable[..., Any], method: Method, args: Payload, host: Host, where: str) -> Hook:
    """Calls a function with a payload of arguments, once the promises among them are resolved; the payload is
    disposed when the call returns.
    """
    if args.codec is not None:  # of an object of ours that came home: what its caller may pass is what a peer may
        try:
            make_plain(args, host, arguments=True)
        except ENDS_PROGRAM:
            raise
        except BaseException as error:  # a value of another type, or without a wire form
            args.dispose()
            return ErrorHook(argument_error(error) if isinstance(error, Mismatch) else as_answer(error))
    waiting = resolve_promises(args, host)
    if waiting is None:
        return _invoke_resolved(function, method, args, host, where)
    result: Cell[Hook] = Cell()
    held = PENDING + host.held.of_message()
    try:
        host.held.add(held)
    except LimitExceeded as refused:
        args.dispose()
        return ErrorHook(refused)

    def on_known(_: object) -> None:
        host.held.bytes -= held
        result.resolve(_invoke_resolved(function, method, args, host, where))

    def on_error(error: BaseException) -> None:
        host.held.bytes -= held
        args.dispose()
        result.reject(error)

    waiting.then(on_known if host.carried is None else partial(host.within, host.carried, on_known), on_error)
    return PromiseHook(result, host)


def _invoke_resolved(function: Callable[..., Any], method: Method, args: Payload, host: Host, where: str) -> Hook:
    try:
        values, kwargs = decode_arguments(args, method.params, host)
    except Mismatch as mismatch:
        args.dispose()
        return ErrorHook(argument_error(mismatch))
    except SessionError as error:  # a limit
        args.dispose()
        return ErrorHook(error)
    except NOT_OURS:
        args.dispose()
        raise
    except BaseException as failure:  # of an application's validator
        args.dispose()
        return _failed(as_answer(failure), method.raises, host, where)
    held, args.hooks = args.hooks or [], None
    return run(function, values, kwargs, method.result, host, where, held, method.raises)


def _failed(error: Exception, raises: Raises | None, host: Host, where: str) -> Hook:
    """The answer of a call in which the application raised something, of which it is told unless that was declared."""
    if not is_declared(error, raises):
        host.report(where, error)
    return ErrorHook(error)


def invoke_wire(function: Callable[..., Any], method: Method, args: IncomingArgs, host: Host, where: str) -> Hook:
    """Calls a function with arguments as they stand in a message: decoded in one pass if possible."""
    try:
        (values, kwargs), held = args.direct(method.params)
    except NOT_OURS:
        raise
    except BaseException:  # a promise in it, the wrong type, or of a validator: known once promises are resolved
        pass  # and not from in here, or what the function raises has this as its context
    else:
        return run(function, values, kwargs, method.result, host, where, held, method.raises)
    return invoke(function, method, args.payload(), host, where)


def run(
    function: Callable[..., Any],
    args: Any,
    kwargs: Mapping[str, Any],
    codec: TypeCodec,
    host: Host,
    where: str,
    held: list[Hook],
    raises: Raises | None = None,
) -> Hook:
    """Starts a function of the application.

    Parameters:
        function: sync or async.
        args: decoded positional arguments.
        kwargs: decoded keyword arguments.
        codec: how the result travels.
        host: runs it.
        where: what to call it in a report.
        held: capabilities among the arguments, disposed when the call returns.
        raises: the exceptions that are answers like any other, and no failures to report.

    Returns:
        A hook for the result, owned by the caller.
    """
    everybody = host.everybody
    if host.running >= host.limits.calls or everybody.count >= everybody.crowded:
        refusal = _refusal(host, held)
        if refusal is not None:
            return refusal
    try:
        outcome = host.call(function, args, kwargs)
    except Exception as error:  # whatever the application raises is its answer
        dispose_all(held)
        return _failed(error, raises, host, where)
    cls = type(outcome)
    if cls is Cell:
        return _run_on(outcome, codec, host, where, held, raises)
    if held or not codec.pure:
        return _settled(outcome, codec, host, where, held, raises)
    known = PayloadHook(Payload(outcome, codec, None, None, where), host)  # nothing to own, nothing to give up
    if cls not in _SMALL:
        host.held.later(known)
    return known


def _run_on(
    outcome: Cell[Any], codec: TypeCodec, host: Host, where: str, held: list[Hook], raises: Raises | None
) -> Hook:
    """The hook of the result of a call that has not returned yet."""
    everybody = host.everybody
    host.running += 1
    everybody.count += 1
    result: Cell[Hook] = Cell()
    size = CALL + host.held.of_message()
    host.held.bytes += size  # looked at with its entry on the table

    def on_value(value: Any) -> None:
        host.running -= 1
        everybody.count -= 1
        host.held.bytes -= size
        result.resolve(_settled(value, codec, host, where, held, raises))

    def on_error(error: BaseException) -> None:
        host.running -= 1
        everybody.count -= 1
        host.held.bytes -= size
        dispose_all(held)
        if not is_declared(error, raises):
            host.report(where, error)
        result.reject(error)

    outcome.then(on_value, on_error)
    return PromiseHook(result, host)


def _refusal(host: Host, held: list[Hook]) -> ErrorHook | None:
    """What a call gets that cannot begin, after its arguments were disposed; None if it can."""
    error: LimitExceeded | None
    if host.running < host.limits.calls:
        error = host.everybody.refusal(host.running)
    else:
        error = LimitExceeded(f"{host.running} calls are running, the most that this side allows at a time")
    if error is None:
        return None
    dispose_all(held)
    return ErrorHook(error)


def _settled(value: Any, codec: TypeCodec, host: Host, where: str, held: list[Hook], raises: Raises | None) -> Hook:
    """The hook of a result. A result with capabilities in it is made plain at once, so that they are owned before
    the arguments are disposed; a stream keeps them until it ends, as its body runs only when it is read.
    """
    # A promise of a stream is not read here: what it fails with is not of this call's making.
    watched = held or (raises is not None and not isinstance(value, PromiseRef))
    if watched and hasattr(type(value), "__aiter__") and not isinstance(value, ReadableRef):
        chunks: Any = value
        value, held = _WithArguments(chunks, held, raises), []
    payload = Payload(value, codec, None, None, where)
    try:
        if not codec.pure:
            captured = codec.capture(value, host)
            if captured is not None:
                return PayloadHook(Payload(PlainStub(captured), None, [captured], None, where), host)
            own_result(payload, host)
    except Mismatch as mismatch:
        error = mismatch.error(f"result of {where}")
        host.report(where, error)
        return ErrorHook(error)
    except ENDS_PROGRAM:
        raise
    except BaseException as failure:  # a value that has no wire form
        return _failed(as_answer(failure), None, host, where)
    finally:
        dispose_all(held)
    known = PayloadHook(payload, host)
    if type(payload.value) not in _SMALL:
        host.held.later(known)
    return known


class _WithArguments:
    """The chunks of a stream that a call returned; the call's arguments are disposed when it ends, or is closed without
    having been read, and what its body raises is an answer of the call.
    """

    __slots__ = ("__wrapped__", "_chunks", "_held", "_raises")

    def __init__(self, stream: AsyncIterable[Any], held: list[Hook], raises: Raises | None) -> None:
        self.__wrapped__ = stream
        self._chunks: AsyncIterator[Any] | None = None
        self._held = held
        self._raises = raises

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            if self._chunks is None:
                self._chunks = aiter(self.__wrapped__)
            return await anext(self._chunks)
        except Exception as error:
            if not isinstance(error, StopAsyncIteration):
                is_declared(error, self._raises)
            dispose_all(self._held)
            raise

    async def aclose(self) -> None:
        """Ends the stream, wherever it is."""
        try:
            close = getattr(self.__wrapped__, "aclose", None) or getattr(self._chunks, "aclose", None)
            if close is not None:
                await close()
        finally:
            dispose_all(self._held)


def own_result(payload: Payload, host: Host) -> None:
    """Makes a result plain and takes over the references in it: stubs that a target returns belong to the caller
    from here on.
    """
    value = payload.value
    make_plain(payload, host)
    _give_up(value)


def _give_up(value: Any) -> None:
    """Disposes the stubs that stand in a result, now that it holds references of its own."""
    if _holds_none(type(value)):  # type: ignore[arg-type]  # a class is hashable
        return
    if isinstance(value, StubRef):
        value._hook.dispose()
    elif isinstance(value, (list, tuple)):
        for item in value:
            _give_up(item)
    elif isinstance(value, dict):
        for item in value.values():
            _give_up(item)
    else:
        for item in _fields(value):
            _give_up(item)


@lru_cache(maxsize=512)  # asked for each of a list of objects
def _holds_none(cls: type) -> bool:
    """Whether no stub is given up with a value of a class: what an object holds that is passed by reference stays its
    own.
    """
    return cls in _LEAVES or issubclass(cls, Exportable)


def _fields(value: Any) -> Iterator[Any]:
    """What a pydantic model or a dataclass holds; nothing of anything else."""
    cls = type(value)
    names: Iterable[str] = getattr(cls, "__pydantic_fields__", getattr(cls, "__dataclass_fields__", ()))
    state: Mapping[str, Any] = getattr(value, "__dict__", {})  # to read a field by its name warns if it is deprecated
    yield from (state[name] if name in state else getattr(value, name, None) for name in names)
    yield from (getattr(value, "__pydantic_extra__", None) or {}).values()
