"""Runs the application's code for a session on asyncio. Rule: calls start in the order in which they came, each in a
Context of its own.
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
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.held import HeldBytes, HeldTotal
from capnweb_runtime.core.hook import Hook
from capnweb_runtime.core.mismatch import SENT_BY
from capnweb_runtime.driving.host import HostBase
from capnweb_runtime.driving.turns import Line, Turns
from capnweb_runtime.errors import RpcError, as_answer
from capnweb_runtime.limits import DEFAULT_LIMITS, Limits
from capnweb_runtime.objects.refusals import refuse_elsewhere
from capnweb_runtime.objects.stub import outside
from capnweb_runtime.observe import Observer

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from capnweb_runtime.core.calls import CallHandle, Carried

WORK_PER_CALL: Final = 20
"""Units of work that it takes, about, to start a call."""
HAS_EAGER_TASKS: Final = sys.version_info >= (3, 12)
"""Whether a task can run up to its first wait while it is created."""
UNASKED_SECONDS: Final = 0.05
"""How long peers have for asking for a result before what it takes is counted."""

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


class Begun(asyncio.Future[Any]):
    """What a function returns whose call has begun, and goes on without a task of its own: the host waits for it as it
    is, and on any Python other calls do not wait until it has started.
    """


def start_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], context: contextvars.Context
) -> asyncio.Task[Any]:
    """A task, which has begun if this Python can do that; otherwise tasks begin in order in the loop's next turn."""
    if HAS_EAGER_TASKS:
        return _eager_task(loop, coroutine, context)
    return asyncio.Task(coroutine, loop=loop, context=context)


@lru_cache(maxsize=1024)
def _is_awaitable(cls: type) -> bool:
    """Whether its instances can be awaited; asking the class each time costs as much as a short call, and several times
    that where its metaclass looks attributes up by itself.
    """
    return hasattr(cls, "__await__")


async def _wait_for(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _in_a_moment(held: HeldBytes) -> None:
    """See `HeldBytes.remind`; called on the session's loop."""
    asyncio.get_running_loop().call_later(UNASKED_SECONDS, held.overdue)


def _nothing(_: object) -> None:
    """Has nothing to do."""


def is_coroutine_function(function: Callable[..., Any]) -> bool:
    """Whether calling it runs none of its body; a wrapper around one does not count."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_COROUTINE)


class _CancelledCall(RpcError):
    """What the caller is told of a call that was cancelled."""

    def __init__(self) -> None:
        super().__init__("The call was cancelled on the side that ran it.")


def _failure(task: asyncio.Future[Any]) -> BaseException | None:
    """What a task has raised, as an error that a peer can be told; None if it has a value. It is not raised once more,
    or the frames in which that happens would keep whoever waits, and be kept by it.
    """
    if task.cancelled():
        return _CancelledCall()
    error = task.exception()
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        told = RpcError(f"The called method raised {type(error).__name__}.")
        told.__cause__ = error
        return told
    return error if error is None or isinstance(error, Exception) else as_answer(error)


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
        limits: bounds of the session.
        total: what the sessions of the server hold together, if it is counted.

    Attributes:
        tasks: the session's calls in progress; the set keeps them alive.
        line: what the session has put off until others have had their turn.
        threads: where a subclass runs plain functions; None means on the loop.
    """

    __slots__ = (
        "_collect_due",
        "_context",
        "_disposals",
        "_disposers",
        "_eager",
        "_loop",
        "_queue",
        "_unstarted",
        "_when_disposed",
        "line",
        "tasks",
        "threads",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        observer: Observer | None = None,
        context: contextvars.Context | None = None,
        eager: bool = HAS_EAGER_TASKS,
        limits: Limits = DEFAULT_LIMITS,
        total: HeldTotal | None = None,
    ) -> None:
        super().__init__(observer or Observer(), limits, total, loop, asyncio._get_running_loop)
        self.line = Line(Turns.of(loop), self.account)
        self.held.remind = _in_a_moment
        self._loop = loop
        if context is None:
            with outside():
                context = contextvars.copy_context()
        self._context = context
        self._eager = eager
        self.tasks: set[asyncio.Future[Any]] = set()
        # Plain tasks whose first step has not run, and the calls that came since.
        self._unstarted = 0
        self._queue: deque[
            tuple[Cell[Any], Callable[..., Any], Sequence[Any], Mapping[str, Any], contextvars.Context]
        ] = deque()
        self.threads: Executor | None = None
        self._collect_due = False
        self._disposers: set[asyncio.Task[Any]] = set()  # those that have not ended
        self._disposals = 0  # disposers that have not begun
        self._when_disposed: Callable[[], object] | None = None

    def elsewhere(self) -> None:
        """See `capnweb_runtime.core.hook.Host.elsewhere`."""
        refuse_elsewhere(self._loop)

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
        if self._unstarted and not in_turn and (self._queue or not is_coroutine_function(function)):
            cell: Cell[Any] = Cell()
            self._queue.append((cell, function, args, kwargs, self._context))
            return cell
        context = self._context.copy()
        try:
            result: object = context.run(function, *args, **kwargs) if kwargs else context.run(function, *args)
        except asyncio.CancelledError:
            raise _CancelledCall() from None
        except (SystemExit, KeyboardInterrupt) as error:
            self._leave_to_loop(error)
        except Exception:
            raise
        except BaseException as error:  # a GeneratorExit, say
            raise as_answer(error) from error
        cls: Any = type(result)
        if not _is_awaitable(cls):
            return result
        if isinstance(result, Begun):
            return self._follow(result, (args, kwargs))
        coroutine = result if asyncio.iscoroutine(result) else _wait_for(cast(Awaitable[Any], result))
        return self._start_task(coroutine, context, (args, kwargs))

    call = start

    def arrived(self, carried: Carried) -> Any:
        """See `capnweb_runtime.core.hook.Host.arrived`."""
        # Of no use to sessions in which no call carries anything.
        from capnweb_runtime.driving.deadline import Arrived  # noqa: PLC0415

        return Arrived(carried)

    def within(self, carried: Any, work: Callable[..., Any], *args: Any) -> Any:
        """See `capnweb_runtime.core.hook.Host.within`: calls run in copies of a Context that says so."""
        outer, self.carried = self.carried, carried
        own, self._context = self._context, self._context.copy()
        self._context.run(carried.enter)
        try:
            return work(*args)
        finally:
            self.carried, self._context = outer, own

    def passing_on(self, carried: Any, work: Callable[[Hook], object], called: Hook) -> None:
        """See `capnweb_runtime.core.hook.Host.passing_on`."""
        # Of no use to sessions in which no call carries anything.
        from capnweb_runtime.driving.deadline import pass_on  # noqa: PLC0415

        pass_on(self, carried, work, called)

    def bounded(self, hook: Hook, carried: Any) -> Hook:
        """See `capnweb_runtime.core.hook.Host.bounded`."""
        bounded: Hook = carried.bounded(hook)
        return bounded

    def handle(self, function: Callable[..., Any]) -> CallHandle | None:
        """See `capnweb_runtime.core.hook.Host.handle`: what runs in a thread cannot be cancelled."""
        # Of no use to a program none of whose calls can be cancelled.
        from capnweb_runtime.driving.handle import IN_THREAD, Handle  # noqa: PLC0415

        return None if getattr(function, IN_THREAD, False) else Handle(function, is_coroutine_function(function))

    def now(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def put_off(self, work: Callable[[], object]) -> None:
        """Does something in the session's next turn."""
        self.line.put_off(work)

    def cancel_all(self) -> None:
        """Cancels the session's calls in progress and rejects those that have not started."""
        queue, self._queue = self._queue, deque()
        for cell, _, _, _, _ in queue:
            cell.reject(_CancelledCall())
        for task in tuple(self.tasks):
            task.cancel()

    def once_begun(self, work: Callable[[], None]) -> None:
        """See `capnweb_runtime.core.hook.Host.once_begun`."""
        if not self._unstarted:
            work()
            return

        def begin(_: object = None) -> None:
            self._disposals -= 1
            work()
            self._tell_disposed()

        cell: Cell[Any] = Cell()
        cell.then(_nothing, begin)  # where it is not started, as all others are cancelled
        self._disposals += 1
        self._queue.append((cell, begin, (), {}, self._context))

    def finish(self, awaitable: Awaitable[Any]) -> Any:
        """See `capnweb_runtime.core.hook.Host.finish`."""
        task = self._loop.create_task(_wait_for(awaitable), context=self._context.copy())
        cell: Cell[Any] = Cell()
        self._disposers.add(task)
        task.add_done_callback(partial(self._task_done, cell, None))
        task.add_done_callback(self._disposer_done)
        return cell

    @property
    def disposing(self) -> bool:
        """Whether an async disposer is running, or any is still to begin."""
        return bool(self._disposers) or self._disposals > 0

    def when_disposed(self, callback: Callable[[], object]) -> None:
        """Calls back once no async disposer is running; at once if none is. There is one such callback."""
        self._when_disposed = callback
        self._tell_disposed()

    def cancel_disposers(self) -> None:
        """Cancels the async disposers that are running."""
        for task in tuple(self._disposers):
            task.cancel()

    def _disposer_done(self, task: asyncio.Task[Any]) -> None:
        self._disposers.discard(task)
        self._tell_disposed()

    def _tell_disposed(self) -> None:
        if not self.disposing and self._when_disposed is not None:
            callback, self._when_disposed = self._when_disposed, None
            callback()

    def report(self, where: str, error: BaseException) -> None:
        """Tells the observer that code of the application failed. Being cancelled is no failure, nor is not to have
        caught that the peer sends chunks of another type than is declared: it gets the error as an answer.
        """
        if not isinstance(error, _CancelledCall) and vars(error).get(SENT_BY) is not self:
            super().report(where, error)

    def wake_from_anywhere(self) -> None:
        """See `HostBase.wake_from_anywhere`; also after the loop has been closed."""
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
                failure = _failure(task)
                if failure is not None:
                    raise failure
                return task.result()
        else:
            task = asyncio.Task(coroutine, loop=self._loop, context=context)
            # The loop runs what it was given in order: this comes right after the first step of the task.
            self._unstarted += 1
            self._loop.call_soon(self._task_started)
        return self._follow(task, arguments)

    def _follow(self, task: asyncio.Future[Any], arguments: object) -> Cell[Any]:
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
        while self._queue and (not self._unstarted or is_coroutine_function(self._queue[0][1])):
            cell, function, args, kwargs, context = self._queue.popleft()
            own, self._context = self._context, context
            try:
                result: Cell[Any] | object = self.start(function, args, kwargs, in_turn=True)
            except BaseException as error:  # whatever it is, the caller is told
                cell.reject(error)
                continue
            finally:
                self._context = own
            if isinstance(result, Cell):
                result.then(cell.resolve, cell.reject)
            else:
                cell.resolve(result)
            account.spent += WORK_PER_CALL
            if account.spent > account.look_at and account.is_over():
                self._unstarted += 1  # for the calls to come: those that are in the queue have not started
                self.line.put_off(self._task_started)
                return

    def _task_done(self, cell: Cell[Any], arguments: object, task: asyncio.Future[Any]) -> None:
        self.tasks.discard(task)
        failure = _failure(task)
        if failure is None:
            cell.resolve(task.result())
        else:
            cell.reject(failure)

    def _leave_to_loop(self, error: BaseException) -> NoReturn:
        """Rejects the call and lets the loop end the program, as it would had one of its own callbacks raised."""

        def propagate() -> None:
            raise error

        self._loop.call_soon(propagate)
        raise RpcError(f"The called method raised {type(error).__name__}.") from error
