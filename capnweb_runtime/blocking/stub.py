"""What users of the blocking face hold. Rule: a cover over what the async face holds, which is only touched on the
background loop; capabilities are covered when they come out, and uncovered when they go in.

Generated classes add the methods. Every object here keeps its session open; a session ends when it is closed, or when
the last of its objects is gone.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import queue
import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextvars import copy_context
from types import TracebackType
from typing import Any, ClassVar, Final, Generic, ParamSpec, Self, TypeVar

from capnweb_runtime.blocking.background import Background, background, patience
from capnweb_runtime.core.broken import calling_place
from capnweb_runtime.core.hook import Codec, StubRef, Uncopied
from capnweb_runtime.core.interface import Arguments, Method, Omitted, Property
from capnweb_runtime.objects.any_stub import AnyStub
from capnweb_runtime.objects.callbacks import CallbackCodec, CallbackStub
from capnweb_runtime.objects.streams import ReadableStream, StreamCodec, WritableStream
from capnweb_runtime.objects.stub import Calls, RpcPromise, RpcStub

T = TypeVar("T")
Q = TypeVar("Q")
R_co = TypeVar("R_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)
Params = ParamSpec("Params")

_COVERS: Final[dict[type[RpcStub], Any]] = {}
"""What stands in place of each class of stubs."""
_END: Final[Any] = object()
"""What comes after the last chunk of a stream."""


class Link:
    """What the objects of one session share.

    Parameters:
        background: the loop on which the session runs.
        seconds: how long a call may take where no `timeout` block says otherwise.
        close: ends the session; called on the loop.
        drop: the same, for when the last object is gone: called from a finalizer.
    """

    def __init__(
        self,
        background: Background,
        seconds: float | None = None,
        close: Callable[[], Awaitable[None]] | None = None,
        drop: Callable[[], object] | None = None,
    ) -> None:
        self.background = background
        self._seconds = seconds
        self._close = close
        self._drop = drop
        if close is not None:
            background.sessions.add(self)

    def wait(self, begin: Callable[[], Awaitable[T]]) -> T:
        """Awaits something on the loop for as long as the caller has patience."""
        return self.background.wait(begin, patience(self._seconds))

    def call(self, begin: Callable[[], RpcPromise[Any]]) -> Any:
        """The result of a call, its capabilities covered. Gives the call up if the wait for it ends early."""

        async def result() -> Any:
            promise = begin()
            try:
                return covered(await promise, self)
            except BaseException:
                promise.dispose()
                raise

        try:
            return self.wait(result)
        except Exception as error:
            # The frames above this one are of the loop, and say nothing about the call.
            raise error.with_traceback(None) from error.__cause__

    async def aclose(self) -> None:
        """Ends the session; on the loop."""
        close, self._close, self._drop = self._close, None, None
        if close is not None:
            await close()

    def __del__(self) -> None:
        if self._drop is not None:
            self.background.soon(self._drop)


class Cover(Uncopied):
    """Base of what is held in place of an object of the async face."""

    _instead = "where there is a dup(), that makes a second one"

    def __init__(self, covers: Any, link: Link | None = None) -> None:
        self._covers = covers
        self._link = link or Link(background())

    def __repr__(self) -> str:
        return f"<{type(self).__name__} over {self._covers!r}>"

    def _dispose_from(self, place: tuple[str, int]) -> None:
        self._link.background.soon(lambda: self._covers._dispose_from(place))


class BlockingStub(Cover):
    """Base class of stubs generated with `--blocking`, such as `LibraryBlockingStub`: stands for an object of the peer,
    and its methods wait for their results.

    Give it up with `dispose`, use it in a `with` block, or drop it. It may be used from several threads.

    Parameters:
        stub: stub of the same interface that is not blocking, and belongs to the new one from now on.
        link: the session; applications leave it out.

    Raises:
        TypeError: the stub is of another interface.
    """

    _covering: ClassVar[type[RpcStub]] = RpcStub

    def __init__(self, stub: RpcStub, link: Link | None = None) -> None:
        if not isinstance(stub, self._covering):
            raise TypeError(f"{type(self).__name__} covers a {self._covering.__name__}, not {stub!r}")
        stub._owned = False  # it may be dropped without a warning
        super().__init__(stub, link)

    def __init_subclass__(cls, of: type[RpcStub] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if of is not None:
            cls._covering = of
            _COVERS[of] = cls

    def dup(self) -> Self:
        """Makes a second stub for the same object, to be disposed by itself.

        Raises:
            DisposedError: this stub has been disposed.
        """
        return self._link.background.here(lambda: type(self)(self._covers.dup(), self._link))

    def dispose(self) -> None:
        """Gives the stub up; safe to repeat. Calls on it fail with a DisposedError afterwards."""
        self._dispose_from(calling_place(__file__))

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """Has a function called, once, when this stub breaks: its session has ended, say.

        Parameters:
            callback: plain function that is given the reason, an exception. It runs on the background thread, and must
                not make blocking calls.
        """
        self._link.background.soon(lambda: self._covers.on_broken(callback))

    def on_restored(self, callback: Callable[[], object]) -> None:
        """Has a function called each time that a client with `reconnect` has connected again, and this stub can be used
        on the new session.

        Parameters:
            callback: plain function without parameters. It runs on the background thread, and must not make blocking
                calls.
        """
        self._link.background.soon(lambda: self._covers.on_restored(callback))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.dispose()

    def _held(self) -> Q:  # type: ignore[type-var]  # solved by what the caller declares to return
        """What it covers, as `run` needs it."""
        held: Q = self._covers
        return held

    def _call(self, method: Method, /, *args: object, **kwargs: object) -> Q:  # type: ignore[type-var]  # as above
        stub = self._covers
        given, by_name = uncovered_arguments(method, args, kwargs, self._link)
        result: Q = self._link.call(lambda: Calls._call(stub, method, *given, **by_name))
        return result

    def _get(self, prop: Property, /) -> Q:  # type: ignore[type-var]  # as above
        stub = self._covers
        result: Q = self._link.call(lambda: Calls._get(stub, prop))
        return result

    def _call_any(self, method: Method, /, *args: object, **kwargs: object) -> Any:
        """The same for a result of any type, from which none can be inferred."""
        return self._call(method, *args, **kwargs)

    def _get_any(self, prop: Property, /) -> Any:
        return self._get(prop)


class BlockingAnyStub(BlockingStub, of=AnyStub):
    """A blocking stub of an object without a schema: methods and properties are given by name, and nothing is checked
    on this side.
    """

    def call(self, name: str | tuple[str | int, ...], /, *args: Any) -> Any:
        """Calls a method by name, and waits for its result.

        Parameters:
            name: name of the method as the peer has it on the wire, or a path to it, a tuple of names.
            args: its arguments.

        Returns:
            The result: a plain value, with blocking stubs, functions and streams in it.
        """
        given = [_uncovered(argument) for argument in args]
        return self._link.call(lambda: self._covers.call(name, *given))

    def get(self, name: str | tuple[str | int, ...], /) -> Any:
        """Reads a property by name, and waits for its value.

        Parameters:
            name: name of the property as the peer has it on the wire, or a path to it, a tuple of names and indices.
        """
        return self._link.call(lambda: self._covers.get(name))

    def __call__(self, *args: Any) -> Any:
        given = [_uncovered(argument) for argument in args]
        return self._link.call(lambda: self._covers(*given))

    @property
    def _stub(self) -> AnyStub:
        return self._held()


class BlockingCallback(Cover, Generic[Params, R_co]):
    """A function of the peer: calling it waits for its result."""

    def __init__(self, stub: CallbackStub[..., Any], link: Link | None = None) -> None:
        stub._owned = False
        super().__init__(stub, link)

    def __call__(self, *args: Params.args, **kwargs: Params.kwargs) -> R_co:
        given, by_name = uncovered_arguments(self._covers._method, args, kwargs, self._link)
        result: R_co = self._link.call(lambda: self._covers(*given, **by_name))
        return result

    def dup(self) -> Self:
        """Makes a second one for the same function, to be disposed by itself; it is still good after the function that
        was given the first one has returned.

        Raises:
            DisposedError: this one has been disposed.
        """
        return self._link.background.here(lambda: type(self)(self._covers.dup(), self._link))

    def dispose(self) -> None:
        """Gives the function up."""
        self._dispose_from(calling_place(__file__))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.dispose()


_COVERS[CallbackStub] = BlockingCallback


class BlockingReadable(Cover, Generic[T]):
    """A stream that the peer writes and this side reads: `for chunk in stream`, which waits for each chunk. Leaving a
    `with` block, or dropping the stream, cancels it.
    """

    _covers: ReadableStream[T]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        chunk = self._link.wait(self._next)
        if chunk is _END:
            raise StopIteration
        return chunk  # type: ignore[no-any-return]  # the stream's chunks are of its type

    def close(self) -> None:
        """Stops the stream: further writes of the peer fail. Safe to repeat, and after the end of the stream."""
        if not self._covers._ended:
            self._link.background.wait(self._covers.cancel, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    async def _next(self) -> Any:
        return covered(await anext(self._covers, _END), self._link)


class BlockingWritable(Cover, Generic[T_contra]):
    """A stream that this side writes and the peer reads. `with stream:` closes it at the end of the block, or aborts it
    if the block fails.
    """

    _covers: WritableStream[T_contra]

    def write(self, chunk: T_contra) -> None:
        """Sends a chunk; waits while the reader is behind. Raises what any earlier write has failed with.

        Parameters:
            chunk: value of the type that the schema declares.

        Raises:
            TypeError: the chunk is not of that type.
        """
        self._link.wait(lambda: self._covers.write(_uncovered(chunk)))

    def close(self) -> None:
        """Ends the stream, and waits until the reader has taken all of it. Raises what any write has failed with."""
        self._link.wait(self._covers.close)

    def abort(self, reason: BaseException | None = None) -> None:
        """Breaks the stream off. The reader gets `reason`, or an exception that says so."""
        self._link.wait(lambda: self._covers.abort(reason))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort(error if isinstance(error, Exception) else None)


# ---- out of the session: on the loop


def covered(value: Any, link: Link) -> Any:
    """A value with blocking objects in place of those that have to be awaited; models stay as they are."""
    kind = type(value)
    if isinstance(value, RpcStub):
        cover = next((_COVERS[base] for base in kind.__mro__ if base in _COVERS), None)
        return value if cover is None else cover(value, link)
    if isinstance(value, ReadableStream):
        return BlockingReadable(value, link)
    if isinstance(value, WritableStream):
        return BlockingWritable(value, link)
    if kind in (list, tuple, set, frozenset):
        return kind([covered(item, link) for item in value]) if value else value
    if kind is dict:
        return {key: covered(item, link) for key, item in value.items()}
    return value


# ---- into the session: on the caller's thread


def uncovered_arguments(
    method: Method, args: Iterable[Any], kwargs: Mapping[str, Any], link: Link
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments as the async face takes them.

    Parameters:
        method: what is called; the codecs of its parameters say where a stream or a function is meant.
        args: positional ones.
        kwargs: those by name.
        link: the session.
    """
    params = method.params
    if params.pure:
        return list(args), dict(kwargs)
    if not isinstance(params, Arguments):
        return [_uncovered(item) for item in args], {name: _uncovered(item) for name, item in kwargs.items()}
    codecs: list[Codec] = [param.codec for param in params.positional]
    rest = params.variadic.codec if params.variadic is not None else None
    by_name = {param.name: param.codec for param in (*params.positional, *params.keyword)}
    given = [_for_codec(item, codecs[index] if index < len(codecs) else rest, link) for index, item in enumerate(args)]
    return given, {name: _for_codec(item, by_name.get(name), link) for name, item in kwargs.items()}


def _for_codec(value: Any, codec: Any, link: Link) -> Any:
    if codec is None or codec.pure or value is None or isinstance(value, (Omitted, Cover)):
        return _uncovered(value)
    if isinstance(codec, StreamCodec):
        return value if isinstance(value, AsyncIterable) or not isinstance(value, Iterable) else _chunks(value)
    if isinstance(codec, CallbackCodec):
        return _function(value, codec.method, link) if callable(value) and not isinstance(value, StubRef) else value
    inner = getattr(codec, "item", None)
    if inner is None:
        return _uncovered(value)
    if isinstance(value, dict):
        return {key: _for_codec(item, inner, link) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and not hasattr(value, "_fields"):
        return type(value)([_for_codec(item, inner, link) for item in value])
    return _for_codec(value, inner, link)  # of an optional parameter


def _uncovered(value: Any) -> Any:
    """A value with what the async face holds in place of blocking objects."""
    if isinstance(value, Cover):
        return value._covers
    if type(value) in (list, tuple, set, frozenset):
        return type(value)([_uncovered(item) for item in value])
    if type(value) is dict:
        return {key: _uncovered(item) for key, item in value.items()}
    return value


def _function(function: Callable[..., Any], method: Method, link: Link) -> Callable[..., Any]:
    """A function of the application's as the async face takes it: it is given blocking objects, and may give some."""
    if method.params.pure and method.result.pure:
        return function

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        by_name = {name: covered(item, link) for name, item in kwargs.items()}
        result = function(*[covered(item, link) for item in args], **by_name)
        return result if inspect.isawaitable(result) else _for_codec(result, method.result, link)

    return called


async def _chunks(items: Iterable[Any]) -> AsyncIterator[Any]:
    """The items of an ordinary iterable. They are taken from it in a thread, as they may take their time, and may
    come from a blocking stream.
    """
    if isinstance(items, (list, tuple)):
        for item in items:
            yield _uncovered(item)
        return
    wanted: queue.SimpleQueue[asyncio.Future[Any] | None] = queue.SimpleQueue()
    context, loop = copy_context(), asyncio.get_running_loop()
    threading.Thread(target=context.run, args=(_take, items, wanted, loop), name="capnweb stream", daemon=True).start()
    try:
        while True:
            future: asyncio.Future[Any] = loop.create_future()
            wanted.put(future)
            item = await future
            if item is _END:
                return
            yield _uncovered(item)
    finally:
        wanted.put(None)


def _take(
    items: Iterable[Any], wanted: queue.SimpleQueue[asyncio.Future[Any] | None], loop: asyncio.AbstractEventLoop
) -> None:
    iterator = None
    while (future := wanted.get()) is not None:
        try:
            iterator = iterator or iter(items)
            item: Any = next(iterator, _END)
        except Exception as error:
            loop.call_soon_threadsafe(_settle, future, None, error)
        else:
            loop.call_soon_threadsafe(_settle, future, item, None)
    if (close := getattr(iterator, "close", None)) is not None:
        close()


def _settle(future: asyncio.Future[Any], value: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
