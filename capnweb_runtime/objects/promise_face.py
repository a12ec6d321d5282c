"""A promise's outcome as asyncio sees it. Rule: cancelling a wait cancels that wait only; the call goes on for as long
as anybody waits for its promise, or holds it. What has not arrived is waited for where its session lives.

`gather` and `wait_for` would wrap what is no Future in a Task each, which costs more than the call. `FutureFace` gives
promises the methods that asyncio looks for, at run time only: type checkers, and so editors, do not see them.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import _get_running_loop
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, NoReturn
from weakref import ref

from capnweb_runtime.core.broken import ErrorHook
from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.hook import Payload
from capnweb_runtime.errors import wire_message
from capnweb_runtime.objects.refusals import refuse_elsewhere
from capnweb_runtime.observe import logger_named, printable

logger: Final = logger_named("capnweb_runtime.promises")

PENDING: Final = 0
VALUE: Final = 1
ERROR: Final = 2


class Unseen:
    """An error that nobody has asked for. It is told at DEBUG, when its promise is gone; while that is not shown, it
    costs nothing.

    Calls whose results nobody wants are no mistake, so nothing louder would do; the side that runs them reports what
    they raise. But who looks for an `await` that was forgotten, or a call on a session that had ended, turns the log
    on.

    Attributes:
        seen: whether somebody has.
    """

    __slots__ = ("_error", "_what", "seen")

    def __init__(self, error: BaseException, what: str) -> None:
        self.seen = False
        self._error = error
        self._what = what

    def __del__(self) -> None:
        if not self.seen:
            error = self._error
            told = printable(wire_message(error))
            logger.debug("%s failed, and nobody awaited it: %s: %s", self._what, type(error).__name__, told)


def unseen(error: BaseException, promise: Any) -> Unseen | None:
    """Keeps an eye on the error of a promise; nothing if the log does not show it.

    Parameters:
        error: what it failed with.
        promise: named in the log by its `repr`.
    """
    return Unseen(error, repr(promise)) if logger.isEnabledFor(logging.DEBUG) else None


class UnseenHook(ErrorHook):
    """The result of a call that failed before it was sent."""

    __slots__ = ("_unseen",)

    def __init__(self, error: BaseException, what: str) -> None:
        super().__init__(error)
        self._unseen = Unseen(error, what)

    def pull(self) -> Payload | Cell[Payload]:
        self._unseen.seen = True
        return super().pull()


class Waiter(asyncio.Future[Any]):
    """A wait for a promise, which lives until it ends: asyncio keeps a future for as long as whoever it wakes runs."""

    __slots__ = ("promise",)
    promise: Any

    def cancel(self, msg: Any = None) -> bool:
        given_up = super().cancel(msg)
        if given_up:
            promise, self.promise = self.promise, None
            if promise is not None:
                promise._wait_given_up()
        return given_up


def if_held(promise: Any) -> tuple[Callable[[Payload], None], Callable[[BaseException], None]]:
    """What delivers an outcome to a promise for as long as somebody holds that."""
    held = ref(promise)

    def deliver(payload: Payload) -> None:
        if (promise := held()) is not None:
            promise._deliver(payload)

    def fail(error: BaseException) -> None:
        if (promise := held()) is not None:
            promise._fail(error)

    return deliver, fail


class Outcome:
    """The value or error of a promise, once delivered, and who waits for it.

    Parameters:
        home: the event loop on which it may be waited for; None if on any.

    Attributes:
        state: PENDING, VALUE or ERROR.
        value: the value or error.
        cancelled: whether the promise was cancelled, as a future. If that was to end a wait that had begun, a later one
            starts afresh.
        home: the same.
    """

    _told: bool  # once it was cancelled: whether those whose wait that was to end have been called back
    _unseen: Unseen | None  # once it is an error

    __slots__ = ("_callbacks", "_told", "_unseen", "_waiters", "cancelled", "home", "state", "value")

    def __init__(self, home: asyncio.AbstractEventLoop | None = None) -> None:
        self.state = PENDING
        self.value: Any = None
        self.home = home
        self._waiters: list[Waiter] | None = None
        self._callbacks: list[tuple[Callable[[Any], object], Context | None, asyncio.AbstractEventLoop]] | None = None
        self.cancelled = False

    def waiter(self, running: asyncio.AbstractEventLoop | None, promise: Any = None) -> asyncio.Future[Any]:
        """A future of the running loop that gets the outcome; cancelling it concerns nobody else.

        Parameters:
            running: that loop, if one runs. Up to Python 3.11 asking for it takes a system call.
            promise: whose outcome this is, which the wait keeps; None if nobody has to be kept.

        Raises:
            RuntimeError: the outcome is still to come, to another loop.
        """
        loop = self._loop_elsewhere(running) if running is None or running is not self.home else running
        future = Waiter(loop=loop)  # which costs no more than what the loop makes, being made in one call less
        future.promise = None
        if self.cancelled and self.is_cancelled():
            future.cancel()
        elif self.state != PENDING:
            self._fill(future)
        else:
            future.promise = promise
            if self._waiters is None:
                self._waiters = [future]
            else:
                self._waiters.append(future)
        return future

    @property
    def awaited(self) -> bool:
        """Whether anybody waits for it."""
        return bool(self._callbacks) or any(not future.done() for future in self._waiters or ())

    def _loop_elsewhere(self, running: asyncio.AbstractEventLoop | None) -> asyncio.AbstractEventLoop:
        """The loop for a wait that begins elsewhere than at home; what has arrived may be had anywhere."""
        if self.home is not None:
            if self.state == PENDING:
                refuse_elsewhere(self.home)
            return running or self.home
        return asyncio.get_running_loop()

    def is_cancelled(self) -> bool:
        """Whether a wait that begins now is one for a promise that was cancelled; to be asked if it was."""
        if self._told:
            self.cancelled = False
        return self.cancelled

    def settle(self, promise: Any, state: int, value: Any) -> None:
        """Delivers the outcome to all who wait; later calls are ignored."""
        if self.state != PENDING:
            return
        self.state = state
        self.value = value
        if state == ERROR:
            self._unseen = unseen(value, promise)
        waiters = self._waiters
        if waiters is not None:
            self._waiters = None
            for future in waiters:
                if future.done():  # cancelled
                    continue
                future.promise = None  # the loop keeps the wait while whoever waited goes on
                if state == VALUE:
                    future.set_result(value)
                else:
                    self._fill(future)
        if self._callbacks is not None:
            self._call_back(promise)

    def _fill(self, future: asyncio.Future[Any]) -> None:
        if self.state == VALUE:
            future.set_result(self.value)
            return
        self._seen()
        if isinstance(self.value, StopIteration):  # which asyncio refuses, because a coroutine cannot pass it on
            future.set_exception(RuntimeError("the call raised StopIteration"))
        else:
            future.set_exception(self.value)

    def _seen(self) -> None:
        unseen, self._unseen = self._unseen, None
        if unseen is not None:
            unseen.seen = True

    def _call_back(self, promise: Any) -> None:
        callbacks, self._callbacks = self._callbacks, None
        for callback, context, loop in callbacks or ():
            loop.call_soon(callback, promise, context=context)

    def add_callback(
        self,
        promise: Any,
        callback: Callable[[Any], object],
        context: Context | None,
        running: asyncio.AbstractEventLoop | None,
    ) -> None:
        """Calls back on the running loop, or at home if none runs, once there is an outcome.

        Raises:
            RuntimeError: the outcome is still to come, to another loop.
        """
        loop = self._loop_elsewhere(running) if running is None or running is not self.home else running
        added = callback, context, loop
        if self._callbacks is None:
            self._callbacks = [added]
        else:
            self._callbacks.append(added)
        if self.state != PENDING or (self.cancelled and self.is_cancelled()):
            self._call_back(promise)

    def remove_callback(self, callback: Callable[[Any], object]) -> int:
        """Takes a callback back and returns how often it had been added."""
        callbacks = self._callbacks or []
        self._callbacks = [entry for entry in callbacks if entry[0] != callback]
        return len(callbacks) - len(self._callbacks)

    def cancel(self, promise: Any) -> bool:
        """Cancels the promise as a future; False if there is an outcome already.

        Waits that were begun by callbacks, as those of `gather` and `wait_for` are, end with that, and once they have
        been called back the promise can be waited for again: the wait was given up, not the promise. Without any, the
        promise stays cancelled, as a task does.
        """
        if self.done:
            return False
        self.cancelled = True
        self._told = False
        if self._callbacks:
            loop = self._callbacks[-1][2]
            self._call_back(promise)
            loop.call_soon(self._all_told)
        return True

    def _all_told(self) -> None:
        self._told = True

    @property
    def done(self) -> bool:
        """Whether there is an outcome, or the waits have been cancelled."""
        return self.cancelled or self.state != PENDING

    def error(self) -> BaseException | None:
        """The error, or None for a value."""
        if self.state == VALUE and not self.cancelled:
            return None
        if self.state == PENDING or self.cancelled:
            self._refuse()
        self._seen()
        return self.value  # type: ignore[no-any-return]  # what it failed with

    def result(self) -> Any:
        """The value; raises the error."""
        if self.state == VALUE and not self.cancelled:
            return self.value
        if self.state == PENDING or self.cancelled:
            self._refuse()
        self._seen()
        raise self.value

    def _refuse(self) -> NoReturn:
        if self.cancelled:
            raise asyncio.CancelledError
        raise asyncio.InvalidStateError("the result has not arrived")


class FutureFace:
    """Base of promises with the methods by which asyncio takes them for futures.

    A promise class whose interface or model has a member of such a name keeps its member, and asyncio leaves its
    promises alone: otherwise a wait that is given up would call a remote `cancel`.
    """

    __slots__ = ()

    if not TYPE_CHECKING:

        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__(**kwargs)
            if any(getattr(cls, name) is not member for name, member in _FACE):
                cls._asyncio_future_blocking = None  # which tells asyncio that this is no Future

        @property
        def _asyncio_future_blocking(self):
            # asyncio reads this wherever a wait begins, to see whether it has a future: one whose last wait was
            # cancelled starts afresh.
            outcome = self._outcome
            if outcome is not None and outcome.cancelled:
                outcome.is_cancelled()
            return False

        def get_loop(self):
            outcome, running = self._outcome, _get_running_loop()
            home = self._hook.home if outcome is None else outcome.home
            if running is None:
                # of a call that has failed already, this raises what it failed with
                return home or self._hook.host.home
            # asyncio compares what it is given with the loop that runs, and would not say what to do instead
            if home is not None and running is not home and (outcome is None or outcome.state == PENDING):
                refuse_elsewhere(home)
            return running

        def add_done_callback(self, callback, *, context=None):
            running = _get_running_loop()
            (self._outcome or self._begin(running)).add_callback(self, callback, context, running)

        def remove_done_callback(self, callback):
            return self._begun().remove_callback(callback)

        def cancel(self, msg=None):
            cancelled = self._begun().cancel(self)
            if cancelled:
                self._wait_given_up()
            return cancelled

        def cancelled(self):
            return (self._outcome or self._begun()).cancelled

        def done(self):
            return self._begun().done

        def result(self):
            return (self._outcome or self._begun()).result()

        def exception(self):
            return (self._outcome or self._begun()).error()

        _cancel_message = None  # this and the next are what gather asks a cancelled future for

        def _make_cancelled_error(self):
            return asyncio.CancelledError()


_FACE: Final = tuple((name, member) for name, member in vars(FutureFace).items() if not name.startswith("_"))
"""The public members of a Future, and what they are here."""
