"""What every host offers to the core apart from running code. Rule: finalizers only append; disposal happens at the
host's next turn.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from capnweb_runtime.core.account import Account
from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.budget import Running
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.disclosure import is_referred, mark_failure, may_leave, refer
from capnweb_runtime.core.held import HeldBytes, HeldTotal
from capnweb_runtime.core.hook import (
    Codec,
    Disclosure,
    Hook,
    Host,
    OutgoingStream,
    Payload,
    StubRef,
)
from capnweb_runtime.core.interface import ANY_METHOD, Method, Property
from capnweb_runtime.core.pipe import Pipe
from capnweb_runtime.core.target_hooks import function_hook
from capnweb_runtime.core.value_hooks import PayloadHook, PromiseHook
from capnweb_runtime.errors import RateLimited
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.any_stub import AnyStub
from capnweb_runtime.objects.streams import ReadableStream, WritableStream, pump
from capnweb_runtime.observe import Observer, tell_failed

if TYPE_CHECKING:
    from capnweb_runtime.core.calls import CallHandle, Carried
    from capnweb_runtime.core.costs import CostWindow

A = TypeVar("A")


class HostBase(ABC):
    """Makes stubs for the application, tells its observer of failures, and disposes what was dropped.

    Parameters:
        observer: is told of failures.
        limits: bounds of the session that the host runs.
        total: what the sessions of the server hold together, if it is counted.
        home: the event loop on which it lives; None if there is none.
        here: tells which loop runs the caller.

    Attributes:
        limits: the same.
        running: calls that have started and not returned.
        everybody: the same, of all sessions that share a bound; of this one alone unless it is told otherwise.
        account: what the session's work may cost, and has cost.
        held: what the session makes this side hold.
        carried: what the message at hand carries beside its call.
        costs: counts what the peer's calls cost; None where nothing bounds that.
        disclosure: which errors peers are sent as they are.
        discarded: what is to be disposed at the next turn.
        home: the same.
        here: the same.
    """

    __slots__ = (
        "_observer",
        *("account", "carried", "costs", "discarded", "disclosure", "everybody", "held", "here", "home", "limits"),
        "running",
    )

    attends: ClassVar[bool] = False

    def __init__(
        self,
        observer: Observer,
        limits: Limits = DEFAULT_LIMITS,
        total: HeldTotal | None = None,
        home: object = None,
        here: Callable[..., object] = NoneType,
    ) -> None:
        self.limits = limits
        self.disclosure: Disclosure = "all"
        self.home: Any = home
        self.here: Callable[..., object] = here
        self.account = Account(limits)
        self.held = HeldBytes(limits.held_bytes, total)
        self.carried: Any = None
        self.costs: CostWindow | None = None
        self.running = 0
        self.everybody = Running()
        self._observer = observer
        self.discarded: deque[Hook] = deque()

    @abstractmethod
    def start(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """See `capnweb_runtime.core.hook.Host.start`."""

    def call(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """See `capnweb_runtime.core.hook.Host.call`."""
        return self.start(function, args, kwargs)

    def elsewhere(self) -> None:
        """See `capnweb_runtime.core.hook.Host.elsewhere`."""

    def attend(
        self,
        begin: Callable[[Callable[..., Any], Method, A, Host, str], Hook],
        function: Callable[..., Any],
        method: Method,
        args: A,
        where: str,
    ) -> Hook:
        """See `capnweb_runtime.core.hook.Host.attend`: here, the call may be cancelled."""
        # Of no use to a program none of whose calls can be cancelled.
        from capnweb_runtime.core.cancelling import cancellably  # noqa: PLC0415

        return cancellably(begin, function, method, args, self, where)

    def attended_reading(self, read: Callable[..., Any], member: Property, where: str) -> Callable[..., Any]:
        """See `capnweb_runtime.core.hook.Host.attended_reading`."""
        return read

    def refused(self, name: str, error: BaseException) -> None:
        """See `capnweb_runtime.core.hook.Host.refused`."""

    def mapping(self, work: Callable[[], A]) -> A:
        """See `capnweb_runtime.core.hook.Host.mapping`."""
        return work()

    def arrived(self, carried: Carried) -> Any:
        """See `capnweb_runtime.core.hook.Host.arrived`."""
        return carried

    def within(self, carried: Any, work: Callable[..., Any], *args: Any) -> Any:
        """See `capnweb_runtime.core.hook.Host.within`."""
        return work(*args)

    def bounded(self, hook: Hook, carried: Any) -> Hook:
        """See `capnweb_runtime.core.hook.Host.bounded`: here is no clock."""
        return hook

    def handle(self, function: Callable[..., Any]) -> CallHandle | None:
        """See `capnweb_runtime.core.hook.Host.handle`."""
        return None

    def passing_on(self, carried: Any, work: Callable[[Hook], object], called: Hook) -> None:
        """See `capnweb_runtime.core.hook.Host.passing_on`."""
        self.within(carried, work, called)

    def once_begun(self, work: Callable[[], None]) -> None:
        """See `capnweb_runtime.core.hook.Host.once_begun`: calls begin when they come."""
        work()

    def finish(self, awaitable: Awaitable[Any]) -> Any:
        """See `capnweb_runtime.core.hook.Host.finish`."""
        return self.start(lambda: awaitable, (), {})

    def new_stub(self, hook: Hook) -> StubRef:
        """An untyped stub over the hook."""
        return AnyStub(hook)

    def new_readable(self, pipe: Pipe) -> ReadableStream[Any]:
        """A readable stream over the pipe."""
        return ReadableStream(pipe, self)

    def new_writable(self, hook: Hook) -> StubRef:
        """A writable stream over the hook."""
        return WritableStream[Any](hook)

    def value_hook(self, cell: Cell[Any]) -> Hook:
        """A new hook over a plain value that is not known yet."""
        return self._later(cell, Payload)

    def awaitable_hook(self, awaitable: Any, codec: Codec) -> Hook:
        """A new hook over what an awaitable will give."""
        try:
            value = self.start(lambda: awaitable, (), {})
        except Exception as error:  # of an awaitable that failed at once
            return ErrorHook(error)
        if isinstance(value, Cell):
            return self._later(value, lambda value: Payload(value, codec))
        return PayloadHook(Payload(value, codec), self)

    def _later(self, cell: Cell[Any], payload: Callable[[Any], Payload]) -> Hook:
        hook: Cell[Hook] = Cell()
        cell.then(lambda value: hook.resolve(PayloadHook(payload(value), self)), hook.reject)
        return PromiseHook(hook, self)

    @abstractmethod
    def now(self) -> float:
        """See `capnweb_runtime.core.hook.Host.now`."""

    def pump(self, source: OutgoingStream, into: Hook) -> None:
        """Starts writing a stream into the writable end of a pipe."""
        try:
            writing = self.start(pump, (source, into), {})
        except Exception as error:  # of a source that failed at once
            self._report_stream(error)
            return
        if isinstance(writing, Cell):
            writing.then(lambda _: None, self._report_stream)

    def _report_stream(self, error: BaseException) -> None:
        """The peer has been told already, and if it was told a reference number, so has the observer."""
        if not is_referred(error):
            self.report("a stream", error)

    def close(self, source: OutgoingStream) -> None:
        """Closes a stream that nobody will read."""
        close = getattr(source.chunks, "aclose", None)
        if close is not None:
            try:
                closing = self.start(close, (), {})
            except Exception as error:  # as above
                self.report("a stream", error)
                return
            if isinstance(closing, Cell):
                closing.then(lambda _: None, lambda error: self.report("a stream", error))

    def function_hook(self, function: Callable[..., Any]) -> Hook:
        """A new hook over a plain function that no schema describes."""
        return function_hook(function, ANY_METHOD, self, getattr(function, "__qualname__", "function"))

    def discard(self, hook: Hook) -> None:
        """Disposes the hook at the next turn."""
        self.discarded.append(hook)
        self.wake_from_anywhere()

    @abstractmethod
    def wake_from_anywhere(self) -> None:
        """Asks for a turn soon; called from finalizers, so in any thread and in the middle of anything."""

    def collect(self) -> None:
        """Disposes what has been discarded."""
        discarded = self.discarded
        while discarded:
            discarded.popleft().dispose()

    def put_off(self, work: Callable[[], object]) -> None:
        """At once: nobody takes turns here."""
        work()

    def report(self, where: str, error: BaseException) -> None:
        """Tells the observer that code of the application failed. What does not leave the process gets its reference
        number first, so that the log has it. A MemoryError ends the session, once, and is no news after that. A
        RateLimited is an answer, and no failure: whoever calls too often does not fill the log as well.
        """
        if isinstance(error, RateLimited):
            return
        if isinstance(error, MemoryError):
            self.held.end_out_of_memory(f"{where} ran")
            return
        mark_failure(error)
        if not may_leave(error, self.disclosure):
            refer(error)
        tell_failed(self._observer, where, error)
