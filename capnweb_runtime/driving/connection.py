"""Drives one session on asyncio: starts its calls, writes its messages, ends it. Rule: everything here runs in
callbacks of one event loop.

`AsyncioHost` runs the application's code for a session, `Connection` moves messages between a session and a transport.
A transport gives the connection a `Wire` to write to and tells it what arrived (`received`), when to hold back
(`pause_writing`), and that it is gone (`lost`).
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final, NoReturn, Protocol, TypeVar, cast

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.exchange import Encoding
from capnweb_runtime.core.hook import Disclosure, Hook
from capnweb_runtime.core.session import Session, SessionStats
from capnweb_runtime.driving.host import HostBase
from capnweb_runtime.driving.turns import Line, Turns
from capnweb_runtime.errors import RpcError
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.target import RpcTarget, target_hook
from capnweb_runtime.observe import Observer

S = TypeVar("S")

WORK_PER_CALL: Final = 20
"""Units of work that it takes, about, to start a call."""
HAS_EAGER_TASKS: Final = sys.version_info >= (3, 12)
"""Whether a task can run up to its first wait while it is created."""

if sys.version_info >= (3, 12):

    def _eager_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: contextvars.Context
    ) -> asyncio.Task[Any]:
        return asyncio.Task(coroutine, loop=loop, context=context, eager_start=True)

else:

    def _eager_task(
        loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: contextvars.Context
    ) -> asyncio.Task[Any]:
        raise RuntimeError("eager tasks need Python 3.12 or newer; pass eager=False")


@lru_cache(maxsize=1024)
def _is_awaitable(cls: type) -> bool:
    """Whether its instances can be awaited; asking the class each time costs as much as a short call, and several times
    that where its metaclass looks attributes up by itself.
    """
    return hasattr(cls, "__await__")


async def _wait_for(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Whether calling it runs none of its body; a wrapper around one does not count."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_COROUTINE)


class _CancelledCall(RpcError):
    """What the caller is told of a call that was cancelled."""

    def __init__(self) -> None:
        super().__init__("The call was cancelled on the side that ran it.")


def _outcome(task: asyncio.Task[Any]) -> Any:
    """The task's value; raises what it raised, as an error that a peer can be told."""
    if task.cancelled():
        raise _CancelledCall()
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        raise RpcError(f"The called method raised {type(error).__name__}.") from error
    raise error


class AsyncioHost(HostBase):
    """Starts the calls of one session in the order in which they came, each in a Context of its own.

    A plain function runs inline, outside of any task. What returns an awaitable becomes a task: on Python 3.12 and
    newer an eager one, which has started when `start` returns; before that a plain one, and calls that come before it
    has started wait behind it, since their order is a promise.

    Parameters:
        loop: the event loop that runs the calls.
        observer: is told of what the calls raise; by default it is logged.
        context: every call gets a copy of it; by default, of the Context in which the host is made.
        eager: whether to make eager tasks; the default is what this Python can do.
        tasks: the set that keeps calls in progress alive; the sessions of a server share one.
        limits: bounds of the session.

    Attributes:
        line: what the session has put off until others have had their turn.
    """

    __slots__ = ("_collect_due", "_context", "_eager", "_loop", "_queue", "_unstarted", "line", "tasks")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        observer: Observer | None = None,
        context: contextvars.Context | None = None,
        eager: bool = HAS_EAGER_TASKS,
        tasks: set[asyncio.Task[Any]] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        super().__init__(observer or Observer(), self._collect_soon, limits)
        self.line = Line(Turns.of(loop), self.account)
        self._loop = loop
        self._context = contextvars.copy_context() if context is None else context
        self._eager = eager
        self.tasks: set[asyncio.Task[Any]] = set() if tasks is None else tasks
        # Plain tasks whose first step has not run, and the calls that came since.
        self._unstarted = 0
        self._queue: deque[tuple[Cell[Any], Callable[..., Any], Sequence[Any], Mapping[str, Any]]] = deque()
        self._collect_due = False

    def start(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, in_turn: bool = False
    ) -> Any:
        """Calls the function after every call that came before it.

        Parameters:
            function: what to call.
            args: its positional arguments.
            kwargs: its keyword arguments.
            in_turn: whether every call that came before it has started.

        Returns:
            What the function returned, if that is known now; otherwise a `Cell` that is settled with it. Raises what
            the function raised.
        """
        if self._unstarted and not in_turn and (self._queue or not _is_coroutine_function(function)):
            cell: Cell[Any] = Cell()
            self._queue.append((cell, function, args, kwargs))
            return cell
        context = self._context.copy()
        try:
            result: object = context.run(function, *args, **kwargs) if kwargs else context.run(function, *args)
        except asyncio.CancelledError:
            raise _CancelledCall() from None
        except (SystemExit, KeyboardInterrupt) as error:
            self._leave_to_loop(error)
        cls: Any = type(result)
        if not _is_awaitable(cls):
            return result
        coroutine = result if asyncio.iscoroutine(result) else _wait_for(cast(Awaitable[Any], result))
        return self._start_task(coroutine, context, (args, kwargs))

    def now(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def put_off(self, work: Callable[[], object]) -> None:
        """Does something in the session's next turn."""
        self.line.put_off(work)

    def cancel_all(self) -> None:
        """Cancels the calls in progress and rejects those that have not started; of all sessions that share the set of
        tasks.
        """
        queue, self._queue = self._queue, deque()
        for cell, _, _, _ in queue:
            cell.reject(_CancelledCall())
        for task in tuple(self.tasks):
            task.cancel()

    def report(self, where: str, error: BaseException) -> None:
        """Tells the observer that code of the application failed; being cancelled is no failure."""
        if not isinstance(error, _CancelledCall):
            super().report(where, error)

    def _collect_soon(self) -> None:
        # Called by finalizers: in any thread, in the middle of anything, and after the loop has been closed.
        if not self._collect_due:
            self._collect_due = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._collect_turn)

    def _collect_turn(self) -> None:
        self._collect_due = False
        self.collect()

    def _start_task(self, coroutine: Coroutine[Any, Any, Any], context: contextvars.Context, arguments: object) -> Any:
        if self._eager:
            try:
                task = _eager_task(self._loop, coroutine, context)
            except (SystemExit, KeyboardInterrupt) as error:
                self._leave_to_loop(error)
            if task.done():
                return _outcome(task)
        else:
            task = asyncio.Task(coroutine, loop=self._loop, context=context)
            # The loop runs what it was given in order: this comes right after the first step of the task.
            self._unstarted += 1
            self._loop.call_soon(self._task_started)
        cell: Cell[Any] = Cell()
        self.tasks.add(task)
        # The arguments are kept until the result is known: it is the core that gives up the stubs among them.
        task.add_done_callback(partial(self._task_done, cell, arguments))
        return cell

    def _task_started(self) -> None:
        account = self.account
        if account.over:
            self.line.put_off(self._task_started)
            return
        self._unstarted -= 1
        while self._queue and (not self._unstarted or _is_coroutine_function(self._queue[0][1])):
            cell, function, args, kwargs = self._queue.popleft()
            try:
                result: Cell[Any] | object = self.start(function, args, kwargs, in_turn=True)
            except BaseException as error:  # whatever it is, the caller is told
                cell.reject(error)
                continue
            if isinstance(result, Cell):
                result.then(cell.resolve, cell.reject)
            else:
                cell.resolve(result)
            account.spent += WORK_PER_CALL
            if account.spent > account.look_at and account.is_over():
                self._unstarted += 1  # for the calls to come: those that are in the queue have not started
                self.line.put_off(self._task_started)
                return

    def _task_done(self, cell: Cell[Any], arguments: object, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        try:
            value = _outcome(task)
        except BaseException as error:  # whatever it is, the caller is told
            cell.reject(error)
        else:
            cell.resolve(value)

    def _leave_to_loop(self, error: BaseException) -> NoReturn:
        """Rejects the call and lets the loop end the program, as it would had one of its own callbacks raised."""

        def propagate() -> None:
            raise error

        self._loop.call_soon(propagate)
        raise RpcError(f"The called method raised {type(error).__name__}.") from error


class Wire(Protocol):
    """What a transport offers to its connection."""

    def write(self, messages: list[Any]) -> None:
        """Sends the messages, in order, as one write; each is what the connection's encoding says, text as bytes."""
        ...

    def close(self, reason: BaseException) -> None:
        """Closes the transport after what has been written; called once. The transport answers with
        `Connection.lost`.
        """
        ...

    def buffered(self) -> int:
        """Bytes that were written and have not left this process."""
        ...


class Connection:
    """One session and the transport that carries it.

    The messages of a loop turn go out in one write at its end; where there are many, in one for every burst of them, so
    that the peer does its part while this side does its own. While the transport holds back, messages stay in the
    session's outbox, which is bounded by `Limits.outbox_bytes`.

    Parameters:
        main: what the peer sees as our main object; None if there is none.
        loop: the event loop; by default the running one.
        limits: bounds of the session.
        observer: is told of failures; by default they are logged.
        context: calls run in copies of it; by default, of the current one.
        tasks: see `AsyncioHost`.
        encoding: what the transport carries: JSON text as bytes; or trees ("json"), in which bytes may stay as they are
            ("json-with-bytes"), for a transport that encodes them by itself.
        errors: which errors the peer is sent as they are; see `serve`.

    Attributes:
        session: the session that is driven.
        host: runs the session's calls.
    """

    def __init__(
        self,
        main: RpcTarget | None = None,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        limits: Limits = DEFAULT_LIMITS,
        observer: Observer | None = None,
        context: contextvars.Context | None = None,
        tasks: set[asyncio.Task[Any]] | None = None,
        encoding: Encoding = "string",
        errors: Disclosure = "all",
    ) -> None:
        self._loop = loop or asyncio.get_running_loop()
        self.limits = limits
        observer = observer or Observer()
        self.host = AsyncioHost(self._loop, observer=observer, context=context, tasks=tasks, limits=limits)
        self.host.disclosure = errors
        self.session = Session(
            None if main is None else target_hook(main, self.host),
            host=self.host,
            wake=self._wake,
            on_closed=self._session_closed,
            on_burst=self._write_burst,
            limits=limits,
            observer=observer,
            encoding=encoding,
        )
        self._account = self.host.account
        self._wire: Wire | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._flush_due = False
        self._paused = False
        self._close_reason: BaseException | None = None

    # ---- for the application

    def serve_main(self, main: RpcTarget) -> None:
        """Offers a main object to the peer, in place of the one given before; to be called before anything arrives."""
        self.session.export_main(target_hook(main, self.host))

    def main(self, stub: Callable[[Hook], S]) -> S:
        """The peer's main object.

        Parameters:
            stub: the class of the stub.

        Returns:
            A stub that owns the session: disposing it ends the session.
        """
        return stub(self.session.remote_main)

    def stats(self) -> SessionStats:
        """Counts of what the session holds and has done."""
        return self.session.stats()

    @property
    def queued_bytes(self) -> int:
        """Bytes that wait for a peer that does not read, in the session and in the transport."""
        return self.session.outbox_bytes + (0 if self._wire is None else self._wire.buffered())

    def abort(self, error: BaseException, *, notify: bool = True) -> None:
        """Ends the session; does nothing if it has ended.

        Parameters:
            error: the reason, with which everything in progress fails.
            notify: whether to tell the peer.
        """
        self.session.abort(error, notify=notify)

    async def drained(self) -> None:
        """Waits until every call that the peer is waiting for has been answered. Raises the session's reason if it ends
        before that.
        """
        answered: asyncio.Future[None] = self._loop.create_future()

        def on_value(_: None) -> None:
            if not answered.done():
                answered.set_result(None)

        def on_error(error: BaseException) -> None:
            if not answered.done():
                answered.set_exception(error)

        self.session.drain().then(on_value, on_error)
        await answered

    @property
    def is_drained(self) -> bool:
        """Whether every call that the peer is waiting for has been answered."""
        return self.session.drain().settled

    @property
    def closed(self) -> bool:
        """Whether the session has ended and its transport is gone."""
        return self._closed.done()

    async def wait_closed(self) -> None:
        """Waits until the session has ended and its transport is gone; for whatever reason, so it raises nothing."""
        await asyncio.shield(self._closed)

    def when_closed(self, callback: Callable[[], object]) -> None:
        """Calls back once the session has ended and its transport is gone."""
        self._closed.add_done_callback(lambda _: callback())

    # ---- for the transport

    def attach(self, wire: Wire) -> None:
        """Starts writing to the transport, with what waits already."""
        self._wire = wire
        self._wake()

    def received(self, messages: Sequence[Any]) -> None:
        """Takes messages that arrived together, in order, and writes what answers to them are ready at once. Some may
        have to wait until other sessions have had their turn.

        Parameters:
            messages: each as the connection's encoding says; a tuple of text and attachments, where both ends have
                agreed on them.
        """
        self._flush_due = True  # by the flush below, so that none needs to be scheduled meanwhile
        session = self.session
        try:
            left = session.receive_all(messages)
        finally:
            if session.releases and session.nobody_waits and not session.closed:
                # Results came in and are given back. Whoever waited for them goes on in this turn of the loop, most
                # often with another call, which then goes out in the same write.
                self._loop.call_soon(self.flush)
            else:
                self.flush()
        if left is not None:
            self.host.line.put_off(partial(self.received, left))

    @property
    def behind(self) -> bool:
        """Whether something that has been received waits for the session's turn."""
        return self._account.over

    def tell_when_behind(self, callback: Callable[[bool], None]) -> None:
        """Calls back with True when something that has been received has to wait, and with False when nothing does any
        more.
        """
        self.host.line.on_wait = callback

    def has_worked(self, work: int) -> bool:
        """Counts work of the transport's own.

        Parameters:
            work: units; see `core.account`.

        Returns:
            Whether other sessions are to go first.
        """
        account = self._account
        account.spent += work
        return account.spent > account.look_at and account.is_over()

    def in_order(self, work: Callable[[], object]) -> None:
        """Does something once what has been received so far has been taken; at once if it has."""
        self.host.line.in_order(work)

    def flush(self) -> None:
        """Writes what waits in the outbox now, unless the transport holds back; closes the transport if the session has
        ended.
        """
        self._flush_due = False
        wire = self._wire
        if wire is None or (self._paused and self._close_reason is None):
            return
        session = self.session
        messages = session.take_outbox()
        if messages:
            wire.write(messages)
        if self._close_reason is not None:
            self._wire = None
            wire.close(self._close_reason)
        elif session.held_back is not None:
            session.let_streams_go_on()

    def pause_writing(self) -> None:
        """The transport holds back: messages stay in the outbox."""
        self._paused = True

    def resume_writing(self) -> None:
        """The transport takes messages again."""
        self._paused = False
        self._wake()

    def lost(self, error: BaseException) -> None:
        """The transport is gone.

        Parameters:
            error: why, for what is in progress; ignored if the session has ended already.
        """
        self._wire = None
        self.host.line.in_order(partial(self._end, error))

    def _end(self, error: BaseException) -> None:
        self.session.abort(error, notify=False)
        if not self._closed.done():
            self._closed.set_result(None)

    # ---- for the session

    def _wake(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self.flush)

    def _write_burst(self) -> None:
        if self._wire is not None and not self._paused:
            self._wire.write(self.session.take_burst())

    def _session_closed(self, reason: BaseException) -> None:
        self._close_reason = reason
        self._wake()
