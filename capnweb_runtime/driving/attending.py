"""Hosts of sessions on whose calls a server puts terms. Rule: what is not asked for costs nothing: a session without
terms has a plain host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import isasyncgenfunction, isawaitable
from typing import Any, ClassVar, Final, TypeVar, cast

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cancelling import cancellably
from capnweb_runtime.core.costs import CostWindow
from capnweb_runtime.core.hook import Hook, Host, Payload
from capnweb_runtime.core.interface import CancellableMethod, Method, Property
from capnweb_runtime.driving.asyncio_host import AsyncioHost, is_coroutine_function
from capnweb_runtime.driving.deadline import deadline, time_left
from capnweb_runtime.driving.following import InContext, is_stream
from capnweb_runtime.driving.handle import IN_THREAD
from capnweb_runtime.driving.interceptors import (
    CallInfo,
    Interceptor,
    SeesRefused,
    named,
    session_name,
    through,
)
from capnweb_runtime.driving.threads import ThreadedHost, WatchedHost, WatchedThreadedHost, on_loop
from capnweb_runtime.errors import CostExceeded, DeadlineExceeded
from capnweb_runtime.objects.stub import costs as cost_window
from capnweb_runtime.objects.stub import metadata
from capnweb_runtime.observe import keep_context

A = TypeVar("A")

_NOT_BEGUN: Final[Sequence[Any]] = []
"""Stands for the arguments of a call until its function has been called."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms the calls of a session run.

    Attributes:
        cancel_lost: whether every call whose result the peer waits for is cancelled when the session is lost.
        serve_within: seconds that a call from the peer may take; None means without end.
        interceptors: what calls pass in both directions, in order.
        peer: who is at the other end, for them.
        session: what the session is called, for them.
    """

    cancel_lost: bool = False
    serve_within: float | None = None
    interceptors: Sequence[Interceptor] = ()
    peer: object = None
    session: str = ""

    def of_session(self, peer: object) -> Terms:
        """The same for a new session with a peer."""
        return replace(self, peer=peer, session=session_name() if self.interceptors else "")


class _Mapping:
    """What the message carries whose mapper function runs.

    Parameters:
        outside: the same; None if that is nothing.
    """

    __slots__ = ("_outside",)

    mapped = True

    def __init__(self, outside: Any) -> None:
        self._outside = outside

    @property
    def at(self) -> float | None:
        """See `deadline.Arrived`."""
        return None if self._outside is None else self._outside.at

    def enter(self) -> None:
        """See `deadline.Arrived.enter`."""
        if self._outside is not None:
            self._outside.enter()


class _Attending(AsyncioHost):
    """Runs calls on terms.

    Attributes:
        terms: the terms.
        is_lost: whether the session has ended.
    """

    __slots__ = ()

    attends: ClassVar[bool] = True
    costs: CostWindow | None
    terms: Terms
    is_lost: Callable[[], bool]

    def attend(
        self,
        begin: Callable[[Callable[..., Any], Method, A, Host, str], Hook],
        function: Callable[..., Any],
        method: Method,
        args: A,
        where: str,
    ) -> Hook:
        """See `capnweb_runtime.core.hook.Host.attend`."""
        refusal = self._unaffordable(method, where)
        if refusal is not None:
            given: Any = args
            (given if isinstance(given, Payload) else given.payload()).dispose()
            return ErrorHook(refusal)
        if not self.terms.interceptors:
            return self._begun(begin, function, method, args, where)
        call = self._call_of(method, where)
        call.pipelined = isinstance(args, Payload)
        call.arguments = _NOT_BEGUN
        hook = self._begun(begin, self._intercepted(function, call), method, args, where)
        if isinstance(hook, ErrorHook) and call.arguments is _NOT_BEGUN:
            call.arguments = ()
            self._tell_refused(call, hook.error)
        return hook

    def _begun(
        self,
        begin: Callable[[Callable[..., Any], Method, A, Host, str], Hook],
        function: Callable[..., Any],
        method: Method,
        args: A,
        where: str,
    ) -> Hook:
        """Begins a call of a function in its time, so that it can be cancelled."""
        if self.terms.serve_within is not None:
            function = self._in_time(function, self.terms.serve_within)
        if isinstance(method, CancellableMethod):
            return cancellably(begin, function, method, args, self, where)
        if self.terms.cancel_lost:
            return cancellably(begin, function, method, args, self, where, self.is_lost)
        return begin(function, method, args, self, where)

    def _unaffordable(self, member: Method | Property, where: str) -> CostExceeded | None:
        """Counts what a call costs. What is told of one that cannot be afforded, also to the interceptors."""
        error = None if self.costs is None else self.costs.take(member.cost, member.label)
        if error is not None and self.terms.interceptors:
            call = self._call_of(member, where)
            call.kind = "get" if isinstance(member, Property) else "call"
            self._tell_refused(call, error)
        return error

    def bound_costs(self) -> None:
        """Has the costs of the peer's calls counted, if they are bounded; `cost_left` tells the methods."""
        limits = self.limits
        if limits.cost is not None:
            self.costs = CostWindow(limits.cost, limits.cost_window, self.now)
            self._context = self._context.copy()
            self._context.run(cost_window.set, self.costs)

    def attended_reading(self, read: Callable[..., Any], member: Property, where: str) -> Callable[..., Any]:
        """See `capnweb_runtime.core.hook.Host.attended_reading`."""
        refusal = self._unaffordable(member, where)
        if refusal is not None:
            raise refusal
        if not self.terms.interceptors:
            return read
        call = self._call_of(member, where)
        call.kind = "get"
        return self._intercepted(read, call)

    def refused(self, name: str, error: BaseException) -> None:
        """See `capnweb_runtime.core.hook.Host.refused`."""
        self._tell_refused(self._call_info("", name), error)

    def _tell_refused(self, call: CallInfo, error: BaseException) -> None:
        for interceptor in self.terms.interceptors:
            if isinstance(interceptor, SeesRefused):
                call.metadata = dict(self._context.run(metadata.get))
                try:
                    interceptor.refused(call, error)
                except Exception as failure:  # an interceptor's failure concerns the application, and not the call
                    self.report(f"{type(interceptor).__name__}.refused", failure)

    def mapping(self, work: Callable[[], A]) -> A:
        """See `capnweb_runtime.core.hook.Host.mapping`."""
        return cast(A, self.within(_Mapping(self.carried), work))

    def _call_of(self, member: Method | Property, where: str) -> CallInfo:
        call = self._call_info(*named(member.label, where))
        call.declared, call.raises = True, member.raises
        return call

    def _call_info(self, interface: str, name: str) -> CallInfo:
        terms = self.terms
        return CallInfo(
            interface,
            name,
            served=True,
            peer=terms.peer,
            mapped=self.carried is not None and self.carried.mapped,
            asked=True,
            session=terms.session,
        )

    def _intercepted(self, function: Callable[..., Any], call: CallInfo) -> Callable[..., Any]:
        """A function that passes the interceptors first. What they set in its Context, the chunks of a stream that it
        gives see, and whoever is told that it has failed.
        """

        async def end(call: CallInfo) -> Any:
            try:
                result = self._plainly(function, call.arguments, call.keywords)
                if isawaitable(result):
                    result = await result
            except Exception as error:
                if not call.expects(error):
                    keep_context(error)
                raise
            return InContext(result) if is_stream(result) else result

        async def run(*args: Any, **kwargs: Any) -> Any:
            call.arguments, call.keywords = args, kwargs
            call.metadata, call.deadline = dict(metadata.get()), time_left()
            try:
                return await through(self.terms.interceptors, end)(call)
            except Exception as error:
                if not call.expects(error):
                    keep_context(error, again=False)  # of an interceptor, unless the method's is kept already
                raise

        if self.handle(function) is None:
            setattr(run, IN_THREAD, True)
        return run

    def _plainly(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function where it belongs."""
        return function(*args, **kwargs)

    def _in_time(self, function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        """A function that is cancelled, and fails, where it takes longer, or than its caller waits. What nothing can
        interrupt is left alone.
        """
        function = on_loop(function)
        if self.handle(function) is None:
            return function

        async def bounded(awaitable: Awaitable[Any]) -> Any:
            with deadline(seconds):
                bound = asyncio.timeout(time_left())
                try:
                    async with bound:
                        return await awaitable
                except TimeoutError:
                    if bound.expired():
                        raise DeadlineExceeded(f"the call took longer than {seconds:g} s") from None
                    raise

        def call(*args: Any, **kwargs: Any) -> Any:
            with deadline(seconds):
                result = function(*args, **kwargs)
            return bounded(result) if isawaitable(result) else result

        async def run(*args: Any, **kwargs: Any) -> Any:
            return await bounded(function(*args, **kwargs))

        return run if is_coroutine_function(function) else call


class AttendingHost(_Attending):
    """Runs plain functions on the event loop."""

    __slots__ = ("is_lost", "terms")


class AttendingThreadedHost(_Attending, ThreadedHost):
    """Runs plain functions in threads."""

    __slots__ = ("is_lost", "terms")

    def attend(
        self,
        begin: Callable[[Callable[..., Any], Method, A, Host, str], Hook],
        function: Callable[..., Any],
        method: Method,
        args: A,
        where: str,
    ) -> Hook:
        """See `_Attending.attend`."""
        return super().attend(begin, on_loop(function), method, args, where)

    def _plainly(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if is_coroutine_function(function) or isasyncgenfunction(function):
            return function(*args, **kwargs)
        return self._in_thread(function, args, kwargs)


class _Watching(_Attending, WatchedHost):
    """Tells in debug mode which functions hold the loop, by their own names, whatever is around them."""

    __slots__ = ()

    def attend(
        self,
        begin: Callable[[Callable[..., Any], Method, A, Host, str], Hook],
        function: Callable[..., Any],
        method: Method,
        args: A,
        where: str,
    ) -> Hook:
        """See `_Attending.attend`."""
        return super().attend(begin, self.watching(function), method, args, where)


class AttendingWatchedThreadedHost(_Watching, AttendingThreadedHost, WatchedThreadedHost):
    """Runs plain functions in threads, and tells which async ones hold the loop."""

    __slots__ = ()

    call = ThreadedHost.call


class AttendingWatchedHost(_Watching):
    """Runs plain functions on the event loop, and tells which functions hold it."""

    __slots__ = ("is_lost", "terms")

    call = AsyncioHost.start


AttendingClass = type[AttendingHost] | type[AttendingThreadedHost] | type[AttendingWatchedHost]


def attending(plain: type[AsyncioHost]) -> AttendingClass:
    """The class that runs calls as the given one does, on terms."""
    if issubclass(plain, WatchedThreadedHost):
        return AttendingWatchedThreadedHost
    if issubclass(plain, ThreadedHost):
        return AttendingThreadedHost
    return AttendingWatchedHost if issubclass(plain, WatchedHost) else AttendingHost
