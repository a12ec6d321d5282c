"""Streams, as applications hold them. Rule: whoever reads slowly slows the writer down; whoever stops is told to the
other end at once.

Any async iterable is sent as a readable stream; it arrives as a `ReadableStream`. An object to write to is a
`WritableTarget`; it arrives as a `WritableStream`, whose writes return at once as long as the window allows.
"""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Final, Generic, Self, TypeVar

from capnweb_runtime.core.broken import DISPOSED, DroppedReader
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.codecs import ANY, NONE, TypeCodec
from capnweb_runtime.core.devaluate import DECLARATION, encode_ref, encode_stream
from capnweb_runtime.core.evaluate import Evaluator, NotDirect, chunks_of
from capnweb_runtime.core.flow import FlowWindow, Token
from capnweb_runtime.core.hook import Codec, Exporter, Hook, Host, IncomingArgs, OutgoingStream, Path, Payload, Wire
from capnweb_runtime.core.interface import Arguments, Method, Parameter, argument_error
from capnweb_runtime.core.invoke import invoke, run
from capnweb_runtime.core.mismatch import SENT_BY, Mismatch, wire_mismatch
from capnweb_runtime.core.payload import decode_payload, make_plain, resolve_promises
from capnweb_runtime.core.pipe import NOT_CLOSED, Pipe, Readable
from capnweb_runtime.core.raises import Raises
from capnweb_runtime.core.refs import Exportable, Local, ReadableRef, WritableRef
from capnweb_runtime.core.tables import ImportHook
from capnweb_runtime.core.target_hooks import Shares, TargetHook
from capnweb_runtime.core.value_hooks import PromiseHook
from capnweb_runtime.errors import ENDS_PROGRAM, NOT_OURS, RpcError, as_answer
from capnweb_runtime.objects import variables
from capnweb_runtime.objects.stub import RpcPromise

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


def settled(cell: Cell[T]) -> asyncio.Future[T]:
    """A future of the running loop that gets a cell's outcome."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def on_value(value: T) -> None:
        if not future.done():
            future.set_result(value)

    def on_error(error: BaseException) -> None:
        if not future.done():
            future.set_exception(as_answer(error) if isinstance(error, StopIteration) else error)

    cell.then(on_value, on_error)
    return future


_MOST_AROUND: Final = 8
"""How many objects, one around the other, are looked through for the stream that an application has made."""


class ReadableStream(ReadableRef, Generic[T]):
    """A stream that the peer writes and this side reads: `async for chunk in stream`, in one task.

    Leaving an `async with` block, or dropping the stream, cancels it. A method that is given one as an argument has to
    begin reading before it returns; else the stream is cancelled then.
    """

    def __init__(self, pipe: Pipe, host: Host, codec: TypeCodec = ANY) -> None:
        self._pipe = pipe
        self._host = host
        self._codec = codec
        self._ended = False
        self._raises: Raises | None = None  # what the call that gave it declares

    def __aiter__(self) -> Self:
        self._pipe.taken = True
        return self

    async def __anext__(self) -> T:
        host = self._host
        if host.here() is not host.home:
            host.elsewhere()
        self._pipe.taken = True
        if self._ended:
            raise StopAsyncIteration
        try:
            chunk: Any = await settled(self._pipe.read())
        except BaseException as error:
            self._ended = not isinstance(error, asyncio.CancelledError)
            if self._raises is None or (declared := self._raises.received(error)) is error:
                raise
            raise declared from declared.__cause__
        if chunk is None:
            self._ended = True
            raise StopAsyncIteration
        try:
            value: T = decode_payload(chunk, self._codec, self._host)
        except Mismatch as mismatch:
            wrong = mismatch.error("chunk")
            vars(wrong)[SENT_BY] = self._host
            await self.cancel(wrong)
            raise wrong from None
        except ENDS_PROGRAM:
            raise
        except BaseException as error:  # of an application's validator: its text is not for the writer
            await self.cancel()
            answer = as_answer(error)
            raise answer from answer.__cause__
        return value

    async def cancel(self, reason: BaseException | None = None) -> None:
        """Stops the stream: further writes of the peer fail.

        Parameters:
            reason: exception that they fail with; None means one that says so.
        """
        self._ended = True
        self._pipe.taken = True
        self._pipe.cancel(reason or RpcError("the stream was cancelled by its reader"))

    async def aclose(self) -> None:
        """Same as `cancel()`, for `contextlib.aclosing`."""
        await self.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        if not self._ended:
            await self.cancel()

    def __del__(self) -> None:
        if not self._ended:
            self._host.discard(DroppedReader(self._pipe))


class WritableStream(WritableRef, Generic[T_contra]):
    """A stream that this side writes and the peer reads. `async with stream:` closes it at the end of the block, or
    aborts it if the block fails; dropping or disposing it before it is closed aborts it, too.
    """

    __slots__ = ("__weakref__", "_codec", "_error", "_turn", "_window", "_window_open", "_write")

    _path: ClassVar[Path] = ()

    def __init__(self, hook: Hook, codec: TypeCodec = ANY) -> None:
        self._hook = hook
        self._codec = codec
        self._write = Arguments((Parameter("chunk", codec),))
        self._window = FlowWindow()
        self._window_open: list[asyncio.Future[None]] = []
        self._error: BaseException | None = None
        self._turn: asyncio.Lock | None = None  # once a write has had to wait to be sent: what comes then queues up

    async def write(self, chunk: T_contra) -> None:
        """Sends a chunk. This waits only while the reader is behind, or while `Limits.outbox_bytes` wait to be sent;
        and, if the reader is in this process, until it has taken the chunk.

        Parameters:
            chunk: value of the type that the schema declares.

        Raises:
            TypeError: the chunk is not of that type.
            Exception: the reader has failed or cancelled the stream; its exception, at the next write.
        """
        if self._turn is not None or self._hook.full() is not None:
            await self._until_room()
        if self._error is not None:
            raise self._error
        loop = asyncio.get_running_loop()
        try:
            done, size = self._hook.stream(("write",), Payload(((chunk,), {}), self._write))
        except Mismatch as mismatch:
            raise argument_error(mismatch) from None
        if size is None:
            await settled(done)
            return
        token = self._window.sent(size, loop.time())
        done.then(lambda _: self._acknowledged(token, loop), lambda error: self._failed(token, error))
        while self._window.in_flight and (backlog := self._hook.backlog()) is not None:
            await settled(backlog)
        while not self._window.open and self._error is None:
            opened: asyncio.Future[None] = loop.create_future()
            self._window_open.append(opened)
            await opened
        if self._error is not None:
            raise self._error

    async def close(self) -> None:
        """Ends the stream, and waits until the reader has taken all of it. Raises what any write has failed with."""
        try:
            if self._turn is not None:
                await self._until_room()
            if self._error is not None:
                raise self._error
            await settled(self._hook.stream(("close",), Payload(((), {}), _NO_ARGUMENTS))[0])
            if self._error is not None:
                raise self._error
        finally:
            self.dispose()

    async def abort(self, reason: BaseException | None = None) -> None:
        """Breaks the stream off. The reader gets `reason`, or an exception that says so."""
        if self._error is None:
            self._error = reason or RpcError("WritableStream was aborted")
            self._wake()
            self._hook.stream(("abort",), Payload(((self._error,), {}), _REASON))[0].then(_ignore, _ignore)
        self.dispose()

    def dispose(self) -> None:
        """Gives the stream up, which aborts it if it has not been closed."""
        hook, self._hook = self._hook, DISPOSED
        hook.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            await self.close()
        else:
            await self.abort(error if isinstance(error, Exception) else None)

    async def _until_room(self) -> None:
        """Waits until more may wait to be sent. What is written, and the end, leaves in the order of the calls."""
        if self._turn is None:
            self._turn = asyncio.Lock()
        async with self._turn:
            while (full := self._hook.full()) is not None:
                await settled(full)

    def _acknowledged(self, token: Token, loop: asyncio.AbstractEventLoop) -> None:
        self._window.acknowledged(token, loop.time())
        if self._window.open:
            self._wake()

    def _failed(self, token: Token, error: BaseException) -> None:
        self._window.failed(token)
        if self._error is None:
            self._error = error
        self._wake()

    def _wake(self) -> None:
        waiting, self._window_open = self._window_open, []
        for opened in waiting:
            if not opened.done():
                opened.set_result(None)

    @property
    def failed(self) -> bool:
        """Whether a write has failed, or the stream was aborted."""
        return self._error is not None


class WritableTarget(Exportable, ABC, Generic[T_contra]):
    """Base class of objects of this side that the peer writes chunks to: subclass it, and write `write`.

    Methods may be `def` or `async def`. They are called one after the other, each when the one before has returned.
    """

    _export_kind = "writable"

    @abstractmethod
    def write(self, chunk: T_contra) -> Awaitable[None] | None:
        """Takes a chunk. While this runs, the writer is slowed down; an exception that it raises breaks the stream."""

    def close(self) -> Awaitable[None] | None:
        """Called once all chunks are written. The default does nothing."""

    def abort(self, reason: BaseException) -> Awaitable[None] | None:
        """Called in place of `close` when the writer gives up, with its reason. The default does nothing."""

    def _export(self, host: Host) -> Hook:
        return self._export_with(host, ANY)

    def _export_with(self, host: Host, codec: TypeCodec) -> Hook:
        sink = _Sink(self)
        return _SinkHook(sink, _sink_members(codec), host, Shares(lambda: sink.dispose(host)))


class _SinkHook(TargetHook):
    """Starts writes in the order in which they came: one whose chunk has promises in it holds up those after it."""

    __slots__ = ()

    def call_wire(self, path: Path, args: IncomingArgs) -> Hook:
        found = self._method(path)
        if found is None:
            return super().call_wire(path, args)
        function, method = found
        if self._target.last is not None:
            return self.call(path, args.payload())
        try:
            (values, kwargs), held = args.direct(method.params)
        except NOT_OURS:
            raise
        except BaseException:  # known once promises are resolved: see `invoke_wire`
            pass
        else:
            return run(function, values, kwargs, method.result, self._host, self._where(path), held)
        return self.call(path, args.payload())

    def call(self, path: Path, args: Payload, expect: Codec | None = None) -> Hook:
        found = self._method(path)
        if found is None or path == ("abort",):
            return super().call(path, args, expect)
        make_plain(args, self._host, arguments=True)
        waiting = resolve_promises(args, self._host)
        if waiting is None and self._target.last is None:
            return super().call(path, args, expect)
        (function, method), where = found, self._where(path)
        call = partial(invoke, function, method, args, self._host, where)
        return PromiseHook(self._target.in_turn(waiting, call, args.dispose), self._host)


class _Sink:
    """Calls a WritableTarget one method at a time, in order.

    Attributes:
        last: settles when the last write that waits has been started; None if none waits.
    """

    def __init__(self, target: WritableTarget[Any]) -> None:
        self.last: Cell[None] | None = None
        self._target = target
        self._turn = asyncio.Lock()
        self._ended = False
        self._error: BaseException | None = None

    def in_turn(
        self, waiting: Cell[None] | None, call: Callable[[], Hook], otherwise: Callable[[], None]
    ) -> Cell[Hook]:
        """Calls once all that came before has been started and `waiting` has settled; `otherwise` if that fails."""
        before, started, result = self.last, Cell[None](), Cell[Hook]()
        self.last = started

        def done() -> None:
            if self.last is started:
                self.last = None
            started.resolve(None)

        def on_ready(_: None) -> None:
            result.resolve(call())
            done()

        def on_error(error: BaseException) -> None:
            otherwise()
            result.reject(error)
            done()

        def on_turn(_: None) -> None:
            if waiting is None:
                on_ready(None)
            else:
                waiting.then(on_ready, on_error)

        if before is None:
            on_turn(None)
        else:
            before.then(on_turn, on_error)
        return result

    async def write(self, chunk: Any) -> None:
        async with self._turn:
            self._check()
            try:
                await _done(self._target.write(chunk))
            except BaseException as error:
                self._error = error
                raise

    async def close(self) -> None:
        async with self._turn:
            self._check()
            self._ended = True
            await _done(self._target.close())

    async def abort(self, reason: Any) -> None:
        if not self._ended:
            self._ended = True
            await _done(self._target.abort(reason if isinstance(reason, BaseException) else RpcError(str(reason))))

    def dispose(self, host: Host) -> None:
        if not self._ended:
            host.start(self.abort, (RpcError(NOT_CLOSED),), {})

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._ended:
            raise RpcError("The stream has been closed.", "TypeError")


async def _done(result: Awaitable[None] | None) -> None:
    if inspect.isawaitable(result):
        await result


def _ignore(_: object) -> None:
    """An abort's own outcome interests nobody."""


class _Undefined(TypeCodec):
    """A result that nobody looks at; sent as undefined, as the reference does."""

    @property
    def label(self) -> str:
        return "undefined"

    def encode(self, value: Any, to: Exporter) -> Wire:
        return ["undefined"]

    def decode(self, wire: Wire, source: Evaluator) -> None:
        NONE.decode(wire, source)


_UNDEFINED: Final = _Undefined()
_NO_ARGUMENTS: Final = Arguments(())
_REASON: Final = Arguments((Parameter("reason", ANY, required=False),))


def _sink_members(codec: TypeCodec) -> dict[str, tuple[str, Any]]:
    write = Method("write", _UNDEFINED, Arguments((Parameter("chunk", codec),)))
    close = Method("close", _UNDEFINED, _NO_ARGUMENTS)
    abort = Method("abort", _UNDEFINED, _REASON)
    return {"write": ("write", write), "close": ("close", close), "abort": ("abort", abort)}


StreamR = variables.TypeVar("StreamR", covariant=True, default="ReadableStream[T]")


class StreamPromise(RpcPromise[StreamR], Generic[T, StreamR]):
    """A stream that may not have arrived: `async for` waits for it and reads it.

    Type parameters: what is read; what awaiting it gives, where that is not always a stream.
    """

    __slots__ = ()

    def _settle(self, state: int, value: Any) -> None:
        if isinstance(value, ReadableStream):
            value._raises = self._raises
        super()._settle(state, value)

    async def __aiter__(self) -> AsyncIterator[T]:
        arrived: Any = await self
        if arrived is None:
            raise TypeError("there is no stream to read: it is None")
        async with arrived as stream:
            async for chunk in stream:
                yield chunk


class StreamCodec(TypeCodec):
    """An async iterable of values of one type."""

    pure = False
    promise = staticmethod(lambda: StreamPromise)

    def __init__(self, item: TypeCodec) -> None:
        self.item = item

    @property
    def label(self) -> str:
        return f"a stream of {self.item.label}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, AsyncIterable) and not isinstance(value, RpcPromise):
            return encode_stream(value, self.item, to)
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        if isinstance(wire, Local) and isinstance(wire.value, Readable):
            readable: Any = wire.value
            host = source.importer.host
            return chunks_of(readable, lambda pipe: ReadableStream[Any](pipe, host, self.item))
        if type(wire) is list and wire and wire[0] == "readable":
            raise NotDirect
        raise wire_mismatch(self.label, wire)


class WritableCodec(TypeCodec):
    """An object to write values of one type to."""

    pure = False

    def __init__(self, item: TypeCodec) -> None:
        self.item = item

    @property
    def label(self) -> str:
        return f"a writable stream of {self.item.label}"

    def encode(self, value: Any, to: Exporter) -> Wire:
        if isinstance(value, WritableTarget):
            return ["writable", to.export_stub(value._export_with(to.host, self.item))]
        if isinstance(value, WritableRef):
            return encode_ref(value, to)
        return self.other(value, to)

    def decode(self, wire: Wire, source: Evaluator) -> Any:
        if type(wire) is list and len(wire) == 2 and wire[0] == "writable" and type(wire[1]) is int:
            hook = source.importer.import_stub(wire[1])
            source.hooks.append(hook)
            return WritableStream[Any](hook, self.item)
        raise wire_mismatch(self.label, wire)


async def pump(source: OutgoingStream, hook: Hook) -> None:
    """Writes a stream of the application's into the writable end of a pipe.

    Parameters:
        source: what to write; closed at the end, whatever happens. If it waits when nobody reads any more, because the
            reader has cancelled or the session has ended, it is cancelled, as a task is.
        hook: the pipe's writable end; owned from here on.

    What the application's iterable raises is reported, unless it is declared, and the peer is told.
    """
    codec: Any = source.codec
    writer = _PumpWriter(hook, codec)
    close: Callable[[], Awaitable[None]] | None = getattr(source.chunks, "aclose", None)
    try:
        if not hook.held:  # the session has ended before this began
            return
        chunks = aiter(source.chunks)
        close = close or getattr(chunks, "aclose", None)
        async for chunk in chunks:
            writer.waiting = False
            await writer.write(chunk)
            writer.waiting = True
        writer.waiting = False
        await writer.close()
    except BaseException as error:
        writer.waiting = False
        if writer.stopped or writer.failed or not hook.held:  # no fault of the source
            return
        if not isinstance(error, Exception):
            await writer.abort(RpcError("the stream was cancelled by its writer"))
            raise
        if DECLARATION not in vars(error):  # else it is an answer of the call, and not a failure
            hook.host.report(_name_of(source.chunks), error)
        await writer.abort(error)
    finally:
        writer.dispose()
        if close is not None:
            await close()


def _name_of(chunks: Any) -> str:
    """What to call a stream in a report: what its method is called, if that is an async generator."""
    for _ in range(_MOST_AROUND):
        chunks = getattr(chunks, "__wrapped__", chunks)
    name = getattr(chunks, "__qualname__", None)
    return f"the stream of {name}" if isinstance(name, str) else "a stream"


class _PumpWriter(WritableStream[Any]):
    """The writer of a pump, which runs in the current task. It cancels that while the source is waited for, once nobody
    reads any more.

    Attributes:
        waiting: whether the source is waited for.
        stopped: whether nobody reads any more.
    """

    __slots__ = ("_pump", "_watch", "stopped", "waiting")

    def __init__(self, hook: Hook, codec: TypeCodec) -> None:
        super().__init__(hook, codec)
        assert isinstance(hook, ImportHook)
        self.waiting = True
        self.stopped = False
        self._pump = asyncio.current_task()
        self._watch = hook.watch(self._stop)

    def dispose(self) -> None:
        self._watch.callback = None
        super().dispose()

    def _failed(self, token: Token, error: BaseException) -> None:
        super()._failed(token, error)
        self._stop(error)

    def _stop(self, _: BaseException) -> None:
        self.stopped = True
        if self.waiting and self._pump is not None:
            self.waiting = False
            self._pump.cancel()
