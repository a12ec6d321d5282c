"""Calls of the application's functions. Rule: arguments are checked before the function runs, and disposed when the
call returns.

A result belongs to the caller from then on: the hook that is returned owns what is in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Self

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import TypeCodec
from capnweb_runtime.core.evaluate import NotDirect
from capnweb_runtime.core.hook import Hook, Host, IncomingArgs, Payload, PromiseRef, StubRef, dispose_all
from capnweb_runtime.core.interface import Method, argument_error
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import (
    decode_arguments,
    make_plain,
    resolve_promises,
)
from capnweb_runtime.core.raises import Raises, is_declared
from capnweb_runtime.core.refs import PlainStub, ReadableRef
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import LimitExceeded


def invoke(function: Callable[..., Any], method: Method, args: Payload, host: Host, where: str) -> Hook:
    """Calls a function with a payload of arguments, once the promises among them are resolved; the payload is
    disposed when the call returns.
    """
    if args.codec is not None:  # of an object of ours that came home: what its caller may pass is what a peer may
        try:
            make_plain(args, host, arguments=True)
        except Exception as error:  # a value of another type, or without a wire form
            args.dispose()
            return ErrorHook(argument_error(error) if isinstance(error, Mismatch) else error)
    waiting = resolve_promises(args, host)
    if waiting is None:
        return _invoke_resolved(function, method, args, host, where)
    result: Cell[Hook] = Cell()

    def on_error(error: BaseException) -> None:
        args.dispose()
        result.reject(error)

    def on_resolved(_: object) -> None:
        result.resolve(_invoke_resolved(function, method, args, host, where))

    waiting.then(on_resolved if host.carried is None else partial(host.within, host.carried, on_resolved), on_error)
    return PromiseHook(result, host)


def _invoke_resolved(function: Callable[..., Any], method: Method, args: Payload, host: Host, where: str) -> Hook:
    try:
        values, kwargs = decode_arguments(args, method.params, host)
    except Mismatch as mismatch:
        args.dispose()
        return ErrorHook(argument_error(mismatch))
    except Exception as error:  # an application's validator
        args.dispose()
        return ErrorHook(error)
    held, args.hooks = args.hooks or [], None
    return run(function, values, kwargs, method.result, host, where, held, method.raises)


def invoke_wire(function: Callable[..., Any], method: Method, args: IncomingArgs, host: Host, where: str) -> Hook:
    """Calls a function with arguments as they stand in a message: decoded in one pass if possible."""
    try:
        (values, kwargs), held = args.direct(method.params)
    except (Mismatch, NotDirect):
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
    if host.running >= host.limits.calls:
        dispose_all(held)
        return ErrorHook(LimitExceeded(f"{host.running} calls are running, the most that this side allows at a time"))
    try:
        outcome = host.call(function, args, kwargs)
    except Exception as error:  # whatever the application raises is its answer
        dispose_all(held)
        if not is_declared(error, raises):
            host.report(where, error)
        return ErrorHook(error)
    if type(outcome) is not Cell:
        if codec.pure and not held:  # nothing to own, nothing to give up: nearly every call
            return PayloadHook(Payload(outcome, codec, None, None, where), host)
        return _settled(outcome, codec, host, where, held, raises)
    host.running += 1
    result: Cell[Hook] = Cell()

    def on_value(value: Any) -> None:
        host.running -= 1
        result.resolve(_settled(value, codec, host, where, held, raises))

    def on_error(error: BaseException) -> None:
        host.running -= 1
        dispose_all(held)
        if not is_declared(error, raises):
            host.report(where, error)
        result.reject(error)

    outcome.then(on_value, on_error)
    return PromiseHook(result, host)


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
                return PayloadHook(Payload(PlainStub(captured), None, [captured]), host)
            own_result(payload, host)
    except Mismatch as mismatch:
        error = mismatch.error(f"result of {where}")
        host.report(where, error)
        return ErrorHook(error)
    except Exception as error:  # a value that has no wire form
        host.report(where, error)
        return ErrorHook(error)
    finally:
        dispose_all(held)
    return PayloadHook(payload, host)


class _WithArguments:
    """The chunks of a stream that a call returned; the call's arguments are disposed when it ends, or is closed without
    having been read, and what its body raises is an answer of the call.
    """

    __slots__ = ("_chunks", "_held", "_raises", "_stream")

    def __init__(self, stream: AsyncIterable[Any], held: list[Hook], raises: Raises | None) -> None:
        self._stream = stream
        self._chunks: AsyncIterator[Any] | None = None
        self._held = held
        self._raises = raises

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            if self._chunks is None:
                self._chunks = aiter(self._stream)
            return await anext(self._chunks)
        except Exception as error:
            if not isinstance(error, StopAsyncIteration):
                is_declared(error, self._raises)
            dispose_all(self._held)
            raise

    async def aclose(self) -> None:
        """Ends the stream, wherever it is."""
        try:
            close = getattr(self._stream, "aclose", None) or getattr(self._chunks, "aclose", None)
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


def _fields(value: Any) -> Iterator[Any]:
    """What a pydantic model or a dataclass holds; nothing of anything else."""
    cls = type(value)
    names: Iterable[str] = getattr(cls, "__pydantic_fields__", getattr(cls, "__dataclass_fields__", ()))
    state: Mapping[str, Any] = getattr(value, "__dict__", {})  # to read a field by its name warns if it is deprecated
    yield from (state[name] if name in state else getattr(value, name, None) for name in names)
    yield from (getattr(value, "__pydantic_extra__", None) or {}).values()
