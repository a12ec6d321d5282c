"""What users hold: stubs and promises. Rule: using a promise sends at most a call; waiting for it asks for the
result; dropping it gives it back.

A stub is a capability of the peer's (or one of ours that came home). A promise is a result that may not have arrived:
methods may be called on it, its attributes are promises, it can be passed as an argument, and awaiting it gives the
value. Generated classes add the methods.
"""

from __future__ import annotations

import inspect
import warnings
from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop, _get_running_loop
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from logging import DEBUG
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeVar, cast, overload

from capnweb_runtime.core.broken import DISPOSED, GIVEN_BACK, DisposedHook, ErrorHook, calling_place
from capnweb_runtime.core.codecs import ANY, TypeCodec
from capnweb_runtime.core.compound import ListCodec, RecordCodec
from capnweb_runtime.core.hook import Hook, Path, Payload, PromiseRef, StubRef
from capnweb_runtime.core.interface import Method, Property, PropertyPath, argument_error
from capnweb_runtime.core.mismatch import Mismatch
from capnweb_runtime.core.payload import decode_payload, resolve_promises
from capnweb_runtime.core.raises import Raises, join, join_returned
from capnweb_runtime.core.remap import Recorder, Variable
from capnweb_runtime.core.tables import ImportEntry, ImportHook
from capnweb_runtime.errors import ENDS_PROGRAM, PEER, DisposedError, as_answer, say_whose
from capnweb_runtime.objects.promise_face import ERROR, VALUE, FutureFace, Outcome, UnseenHook, if_held, logger
from capnweb_runtime.objects.refusals import Refusals, allow_disposal, came_of, refuse, refuse_elsewhere

if TYPE_CHECKING:
    from capnweb_runtime.core.costs import CostWindow

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
Q = TypeVar("Q")
T_co = TypeVar("T_co", covariant=True)
P_co = TypeVar("P_co", covariant=True)


class Scope(ABC):
    """What calls are subject to that are made in a Context; see `around`."""

    __slots__ = ()

    @abstractmethod
    def call(self, hook: Hook, path: Path, args: Payload, expect: TypeCodec) -> Hook:
        """Makes a call; as `Hook.call`."""

    @abstractmethod
    def get(self, hook: Hook, path: Path, expect: TypeCodec) -> Hook:
        """Reads a property; as `Hook.get`."""

    @abstractmethod
    def refusal(self) -> Hook | None:
        """What a call gets that must not be made any more; None if it may be."""

    @abstractmethod
    def made(self, hook: Hook, make: Callable[[], Hook]) -> Hook:
        """Makes a call, a read or a map of what the hook stands for."""

    @abstractmethod
    async def awaited(self, work: Awaitable[T]) -> T:
        """Awaits something that is no call."""


DROPPED: Final[list[Callable[[RpcStub], object]]] = []
"""Who is told of stubs that are dropped without being disposed, beside the warning: by a finalizer, in any thread."""
around: Final[ContextVar[Recorder | Scope | None]] = ContextVar("capnweb_around", default=None)
"""What is around the calls that are made: the recorder of the mapper function that is running, or a scope. One variable
for both, so that calls without either ask once.
"""
metadata: Final[ContextVar[Mapping[str, str]]] = ContextVar("capnweb_metadata", default=MappingProxyType({}))
"""What the caller of the method that is running has sent beside the call."""
costs: Final[ContextVar[CostWindow | None]] = ContextVar("capnweb_costs", default=None)
"""What counts the costs of the session that the method that is running serves; None where nothing does."""


@contextmanager
def outside() -> Iterator[None]:
    """What begins in the block, tasks and callbacks, is in no scope, and in no call that is being served: a session
    outlives whatever it was opened in.
    """
    scope, carried, counted = around.set(None), metadata.set(MappingProxyType({})), costs.set(None)
    try:
        yield
    finally:
        costs.reset(counted)
        metadata.reset(carried)
        around.reset(scope)


def _promise(
    codec: TypeCodec,
    hook: Hook,
    path: Path = (),
    parent: object = None,
    raises: Raises | None = None,
    asked: Method | Property | None = None,
) -> Any:
    """A promise of the class that stands for the codec's type. `parent` is kept alive as long as the promise: it
    owns the hook. `raises` are the exceptions that may come in place of the value, `asked` is what it is the result of.
    """
    cls: Any = codec.promise() or RpcPromise
    return cls(hook, path, codec, parent, raises, asked)


class Calls:
    """Base of the generated classes that have an interface's methods, for its stubs and its promises alike."""

    __slots__ = ()

    if TYPE_CHECKING:
        _hook: Hook
        _path: Path
        _raises: Raises | None

    def _call(self, method: Method, /, *args: object, **kwargs: object) -> Q:  # type: ignore[type-var]  # solved by what the caller declares to return
        """Calls a method and returns the promise of its result, of the class that the generated signature names.

        Raises:
            TypeError: an argument is not of its declared type; nothing has been sent.
            RuntimeError: it is called elsewhere than on the event loop of the session.
        """
        payload = Payload((args, kwargs), method.params)
        path = (*self._path, *method.path) if self._path else method.path
        outside = around.get()
        raises = method.raises if self._raises is None else self._raises.joined(method.raises)
        for argument in (*args, *kwargs.values()) if kwargs else args:
            if isinstance(argument, RpcPromise) and argument._raises is not None:
                raises = argument._raises.joined(raises)
        try:
            if outside is not None:
                hook = self._call_within(outside, path, payload, method, raises)
            else:
                hook = self._hook.call(path, payload, method.result)
                if type(hook) is not ImportHook and isinstance(hook, ErrorHook):
                    hook = self._failed(hook, path)
        except Mismatch as mismatch:
            raise argument_error(mismatch) from None
        result = method.result
        cls: Any = result.promise() or RpcPromise
        promise: Q = cls(hook, (), result, None, raises, method)
        return promise

    def _call_within(
        self, outside: Recorder | Scope, path: Path, payload: Payload, method: Method, raises: Raises | None
    ) -> Hook:
        """Makes a call that something is around."""
        if isinstance(outside, Recorder):
            outside.raises = join(raises, outside.raises)
            return outside.call(self._hook, path, payload)
        hook = outside.call(self._hook, path, payload, method.result)
        return self._failed(hook, path) if isinstance(hook, ErrorHook) else hook

    def _failed(self, hook: ErrorHook, path: Path) -> Hook:
        """The hook of a call that has failed here, nothing having been sent."""
        owner, kind = self._owner()
        called = f"{owner}.{'.'.join(map(str, path)) or '__call__'}"
        if isinstance(hook, DisposedHook):
            hook = hook.failing(f"{called} was called", kind)
        return UnseenHook(hook.error, called) if logger.isEnabledFor(DEBUG) else hook

    def _owner(self) -> tuple[str, str]:
        """What the application has called something of: the name of its class, and what a message calls it."""
        return type(self).__name__, _kind(self)

    def _get(self, prop: Property, /) -> Q:  # type: ignore[type-var]  # as above
        """The promise of a property; it is read when the promise is awaited, or by the way when something behind it
        is used.
        """
        raises = prop.raises if self._raises is None else self._raises.joined(prop.raises)
        path = PropertyPath(self._path, prop) if self._path else prop.path
        return cast(Q, _promise(prop.codec, self._hook, path, self, raises, prop))


def _kind(owner: object) -> str:
    """What a message calls something that has been disposed."""
    return "the promise" if isinstance(owner, RpcPromise) else "the stub"


class RpcStub(StubRef):
    """Base class of generated stubs, such as `LibraryStub`: stands for an object, usually of the peer, where the
    methods run.

    Give a stub up with `dispose`, or use it in a `with` or `async with` block. Once all stubs of an object are gone,
    the object's own `dispose` runs.
    """

    __slots__ = ("__weakref__", "_owned")

    _path: ClassVar[Path] = ()
    _raises: ClassVar[Raises | None] = None

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._owned = False  # whether the application is to dispose it; an argument is disposed when the call returns

    def dup(self) -> Self:
        """Makes a second stub for the same object, to be disposed by itself.

        Raises:
            DisposedError: this stub has been disposed.
        """
        return self._owning(type(self)(self._second_hook()))

    def _second_hook(self) -> Hook:
        try:
            return self._hook.dup()
        except DisposedError:
            gone = self._hook if isinstance(self._hook, DisposedHook) else GIVEN_BACK
            raise gone.error_of(f"{type(self).__name__}.dup was called", "the stub") from None

    def _owning(self, stub: Self) -> Self:
        stub._owned = True
        return stub

    def dispose(self) -> None:
        """Gives the stub up; safe to repeat. Calls on it fail with a DisposedError afterwards.

        Raises:
            RuntimeError: this is not the event loop of the session.
        """
        self._dispose_from(calling_place(__file__))

    def _dispose_from(self, place: tuple[str, int]) -> None:
        """Gives this reference up on behalf of that file and line."""
        hook = self._hook
        if isinstance(hook, DisposedHook):
            return
        allow_disposal(hook.home)
        self._hook = DisposedHook(place)
        hook.dispose()

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """Has a function called, once, when this stub breaks: its session has ended, say.

        Parameters:
            callback: plain function that is given the reason, an exception; called in the order of registration.
        """
        self._hook.on_broken(callback)

    def on_restored(self, callback: Callable[[], object]) -> None:
        """Has a function called each time that a client with `connect(reconnect=...)` has connected again, and this
        stub can be used on the new session.

        Parameters:
            callback: plain function without parameters.
        """
        self._hook.on_restored(callback)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.dispose()

    def __del__(self) -> None:
        if getattr(self, "_owned", False) and self._hook.held:
            for tell in DROPPED:
                tell(self)
            warnings.warn(
                f"{type(self).__name__} was dropped without dispose(); it has been released now{came_of(self._hook)}",
                ResourceWarning,
                1,
                source=self,
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{' (disposed)' if isinstance(self._hook, DisposedHook) else ''}>"


class RpcPromise(PromiseRef, FutureFace, Refusals, Generic[T_co]):
    """The result of a call, which may not have arrived yet. `await` gives the value, and the same one each time.

    Without being awaited, it can be an argument of another call in place of the value, and generated promises have the
    methods and attributes of the value. Dropping the promise gives the result up, and so does `dispose`.
    """

    __slots__ = ("__weakref__", "_asked", "_codec", "_outcome", "_parent", "_pulled", "_raises")

    def __init__(
        self,
        hook: Hook,
        path: Path = (),
        codec: TypeCodec = ANY,
        parent: object = None,
        raises: Raises | None = None,
        asked: Method | Property | None = None,
    ) -> None:
        self._hook = hook
        self._path = path
        self._asked = asked
        self._codec = codec
        self._parent = parent
        self._outcome: Outcome | None = None
        self._pulled: Hook | None = None
        self._raises = raises

    def __await__(self) -> Generator[Any, Any, T_co]:
        running = _get_running_loop()
        return (self._outcome or self._begin(running)).waiter(running, self).__await__()

    def dispose(self) -> None:
        """Gives the result up: whoever awaits it gets an error, and stubs in it are disposed. Safe to repeat. Disposing
        an attribute of a promise gives up that attribute alone.

        Raises:
            RuntimeError: this is not the event loop of the session.
        """
        allow_disposal(self._hook.home)
        pulled, self._pulled = self._pulled, None
        hook, owns = self._hook, self._parent is None
        self._hook, self._path, self._parent = DISPOSED, (), None
        if owns:
            hook.dispose()
        if pulled is not None and pulled is not hook:
            pulled.dispose()

    def on_broken(self, callback: Callable[[BaseException], object]) -> None:
        """Has a function called, once, when the promise or the object it gives breaks; see `RpcStub.on_broken`."""
        self._hook.on_broken(callback)

    def on_restored(self, callback: Callable[[], object]) -> None:
        """Has a function called each time that what is promised can be used again; see `RpcStub.on_restored`."""
        self._hook.on_restored(callback)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.dispose()

    def __repr__(self) -> str:
        path = "".join(f".{part}" for part in self._path)
        origin = self._origin()
        return f"<{type(self).__name__} of {self._codec.label}{path}{f' from {origin}' if origin else ''}>"

    def _origin(self) -> str:
        """The method or property that this is the result of, or a part of its result; "" if that is not known."""
        promise: Any = self
        while promise._asked is None:
            if not isinstance(promise._parent, RpcPromise):
                return ".".join(map(str, promise._path))
            promise = promise._parent
        label: str = promise._asked.label
        return label

    def _field(self, name: str, codec: TypeCodec) -> Q:  # type: ignore[type-var]  # solved by what the caller declares to return
        """The promise of an attribute."""
        return cast(Q, self._at(name, codec))

    def _at(self, key: str | int, codec: TypeCodec) -> Any:
        path = self._path
        path = path.part(key) if type(path) is PropertyPath else (*path, key)
        return _promise(codec, self._hook, path, self, self._raises)

    def _begun(self) -> Outcome:
        """The outcome, asked for if that has not been done."""
        return self._outcome or self._begin(_get_running_loop())

    def _begin(self, running: AbstractEventLoop | None) -> Outcome:
        """Asks for the outcome, on the loop that runs, if one does."""
        hook = self._hook
        asked: Hook | ImportEntry
        if type(hook) is ImportHook and (entry := hook.entry) is not None:  # which nearly every promise holds
            asked, home = entry, entry.sender.home
        else:
            asked = hook = self._awaitable(hook)
            home = hook.home
        if running is not home and home is not None:
            refuse_elsewhere(home)
        outcome = self._outcome = Outcome(home)
        if self._path:
            outside = around.get()
            if isinstance(outside, Scope):
                asked = hook = outside.get(hook, self._path, self._codec)
            else:
                asked = hook = hook.get(self._path, self._codec)
        self._pulled = hook
        pulled = asked.pull()
        if isinstance(pulled, Payload):
            self._deliver(pulled)
        else:
            pulled.then(self._deliver, self._fail)
        return outcome

    def _wait_given_up(self) -> None:
        """A wait has been cancelled. If nobody else waits, what is to come no longer keeps this promise: it is given up
        with the last who holds it.
        """
        waiting = None if self._pulled is None else self._pulled.waiting
        if waiting is not None and self._outcome is not None and not self._outcome.awaited:
            waiting.replace((self._deliver, self._fail), if_held(self))

    def _awaitable(self, hook: Hook) -> Hook:
        """The hook to ask for the value; another one if it has been disposed. Raises TypeError in a mapper function."""
        if isinstance(hook, Variable):
            refuse(hook, "await a value")
        if not isinstance(hook, DisposedHook):
            return hook
        if self._parent is None:
            return hook.failing(f"{type(self).__name__} was awaited", "it")
        path = ".".join(map(str, self._path))
        return hook.failing(f"{type(self._parent).__name__}.{path} was read", _kind(self._parent))

    def _deliver(self, payload: Payload) -> None:
        """Takes the result: at once if it is of the type already, otherwise once the promises in it are resolved."""
        if payload.codec is self._codec:
            value = payload.value
            if isinstance(value, RpcStub):
                value._owned = True
            if self._outcome is not None:
                self._outcome.settle(self, VALUE, value)
            return
        if self._pulled is None:  # disposed meanwhile
            return
        host = self._pulled.host
        waiting = resolve_promises(payload, host)
        if waiting is None:
            self._decode(payload, host)
        else:
            waiting.then(lambda _: self._decode(payload, host), self._fail)

    def _decode(self, payload: Payload, host: Any) -> None:
        try:
            value = decode_payload(payload, self._codec, host)
        except Mismatch as mismatch:
            self._fail(mismatch.error("result"))
        except ENDS_PROGRAM:
            raise
        except BaseException as error:  # of an application's validator
            self._fail(as_answer(error))
        else:
            self._settle(VALUE, value)

    def _fail(self, error: BaseException) -> None:
        received = error if self._raises is None else self._raises.received(error)
        if PEER in vars(error):
            say_whose(received, self._origin())
        self._settle(ERROR, received)

    def _settle(self, state: int, value: Any) -> None:
        if isinstance(value, RpcStub):
            value._owned = True
        if self._outcome is not None:
            self._outcome.settle(self, state, value)


class ListPromise(RpcPromise[list[T]], Generic[T, P_co]):
    """A list that may not have arrived: its items are promises, and `map` applies a function to each where the list is.

    Type parameters: T, what an item is awaited to; P_co, the promise of an item.
    """

    __slots__ = ()

    def __getitem__(self, index: int) -> P_co:
        """The promise of the item at a non-negative index."""
        if index < 0:
            raise IndexError(
                "items of a promised list are counted from its start; await the list to count from its end"
            )
        return cast(P_co, self._at(index, _item_codec(self._codec)))

    def map(self, function: Callable[[P_co], Q]) -> MapPromise[Q]:
        """Applies a function to each item of the list, on the side where the list is, in the same round trip.

        Parameters:
            function: plain function that is called once, here, with a placeholder for an item. It may call methods of
                the placeholder and of other stubs and promises, read their attributes, and pass them as arguments. It
                returns a promise, or a tuple, list or dict of promises.

        Returns:
            The promise of the list of results.

        Raises:
            TypeError: the function is async, or does what cannot be recorded.
        """
        return cast("MapPromise[Q]", map_over(self, function, _item_codec(self._codec)))


class DictPromise(RpcPromise[dict[str, T]], Generic[T, P_co]):
    """An object of values of one type that may not have arrived: its items are promises."""

    __slots__ = ()

    def __getitem__(self, key: str) -> P_co:
        """The promise of the item of that key."""
        return cast(P_co, self._at(key, _item_codec(self._codec)))


class MapPromise(RpcPromise[Any], Generic[P_co]):
    """The list of results of `map`, which may not have arrived. P_co is what the mapper function returned for one
    item.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __await__(self: MapPromise[MapPromise[RpcPromise[U]]]) -> Generator[Any, Any, list[list[U]]]: ...
        @overload
        def __await__(self: MapPromise[RpcPromise[U]]) -> Generator[Any, Any, list[U]]: ...
        @overload
        def __await__(
            self: MapPromise[tuple[RpcPromise[U], RpcPromise[V]]],
        ) -> Generator[Any, Any, list[tuple[U, V]]]: ...
        @overload
        def __await__(self: MapPromise[dict[str, RpcPromise[U]]]) -> Generator[Any, Any, list[dict[str, U]]]: ...
        @overload
        def __await__(self: MapPromise[list[RpcPromise[U]]]) -> Generator[Any, Any, list[list[U]]]: ...
        def __await__(self) -> Generator[Any, Any, Any]: ...

    def __getitem__(self, index: int) -> P_co:
        """The promise of the result for the item at a non-negative index."""
        return cast(P_co, self._at(index, _item_codec(self._codec)))

    def map(self, function: Callable[[P_co], Q]) -> MapPromise[Q]:
        """See `ListPromise.map`."""
        return cast("MapPromise[Q]", map_over(self, function, _item_codec(self._codec)))


class MapCodec(ListCodec):
    """The list of results of `map`."""

    promise = staticmethod(lambda: MapPromise)


def _item_codec(codec: TypeCodec) -> TypeCodec:
    """Codec of the items, if the codec is of a container."""
    item = getattr(codec, "item", ANY)
    return item if isinstance(item, TypeCodec) else ANY


def map_over(
    subject: RpcPromise[Any], function: Callable[[Any], Any], item: TypeCodec, expect: TypeCodec | None = None
) -> Q:  # type: ignore[type-var]  # solved by what the caller declares to return
    """Records a mapper function and applies it to the list that the promise stands for.

    Parameters:
        subject: the promise.
        function: called with a placeholder.
        item: codec of the placeholder.
        expect: codec of the whole result; by default a list of what the function returned.
    """
    hook = subject._hook
    outside = around.get()
    recorder = Recorder(outside if isinstance(outside, Recorder) else None)
    token = around.set(recorder)
    try:
        result = function(_promise(item, recorder.placeholder()))
    finally:
        around.reset(token)
    if inspect.isawaitable(result) and not isinstance(result, PromiseRef):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError("RPC map() callbacks cannot be async: return the promise itself instead of awaiting it")
    codec = expect or MapCodec(_recorded_codec(result))
    raises = join(subject._raises, join_returned(result, recorder.raises))
    if recorder.parent is not None:
        recorder.parent.raises = join(raises, recorder.parent.raises)
    finish = partial(recorder.finish, hook, subject._path, Payload(result), codec)
    try:
        mapped = outside.made(hook, finish) if isinstance(outside, Scope) else finish()
    except Mismatch as mismatch:
        raise mismatch.error("result of the mapper function") from None
    return cast(Q, _promise(codec, mapped, (), None, raises))


def _recorded_codec(result: Any) -> TypeCodec:
    """Codec of what a mapper function returned: of the promises in it, and of any constant."""
    if isinstance(result, RpcPromise):
        return result._codec
    if isinstance(result, (tuple, list)):
        return RecordCodec(type(result), dict(enumerate(map(_recorded_codec, result))))
    if isinstance(result, dict):
        return RecordCodec(dict, {key: _recorded_codec(item) for key, item in result.items()})
    return ANY
