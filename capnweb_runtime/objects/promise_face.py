"""A promise's outcome as asyncio sees it. Rule: cancelling a wait cancels that wait only; the call goes on until its
promise is disposed.

`gather` and `wait_for` would wrap what is no Future in a Task each, which costs more than the call. `FutureFace` gives
promises the methods that asyncio looks for, at run time only: type checkers, and so editors, do not see them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, NoReturn

PENDING: Final = 0
VALUE: Final = 1
ERROR: Final = 2


class Outcome:
    """The value or error of a promise, once delivered, and who waits for it.

    Attributes:
        state: PENDING, VALUE or ERROR.
        value: the value or error.
        cancelled: whether the waits that were begun by callbacks have been cancelled; a new one starts afresh.
    """

    __slots__ = ("_callbacks", "_waiters", "cancelled", "state", "value")

    def __init__(self) -> None:
        self.state = PENDING
        self.value: Any = None
        self._waiters: list[asyncio.Future[Any]] | None = None
        self._callbacks: list[tuple[Callable[[Any], object], Context | None, asyncio.AbstractEventLoop]] | None = None
        self.cancelled = False

    def waiter(self) -> asyncio.Future[Any]:
        """A future of the running loop that gets the outcome; cancelling it concerns nobody else."""
        future = asyncio.get_running_loop().create_future()
        if self.state != PENDING:
            self._fill(future)
        elif self._waiters is None:
            self._waiters = [future]
        else:
            self._waiters.append(future)
        return future

    def settle(self, promise: Any, state: int, value: Any) -> None:
        """Delivers the outcome to all who wait; later calls are ignored."""
        if self.state != PENDING:
            return
        self.state = state
        self.value = value
        waiters, self._waiters = self._waiters, None
        if waiters is not None:
            for future in waiters:
                if not future.done():
                    self._fill(future)
        if self._callbacks is not None:
            self._call_back(promise)

    def _fill(self, future: asyncio.Future[Any]) -> None:
        if self.state == VALUE:
            future.set_result(self.value)
        elif isinstance(self.value, StopIteration):  # which asyncio refuses, because a coroutine cannot pass it on
            future.set_exception(RuntimeError("the call raised StopIteration"))
        else:
            future.set_exception(self.value)

    def _call_back(self, promise: Any) -> None:
        callbacks, self._callbacks = self._callbacks, None
        for callback, context, loop in callbacks or ():
            loop.call_soon(callback, promise, context=context)

    def add_callback(self, promise: Any, callback: Callable[[Any], object], context: Context | None) -> None:
        """Calls back on the running loop once there is an outcome; a wait that was cancelled starts afresh."""
        self.cancelled = False
        added = callback, context, asyncio.get_running_loop()
        if self._callbacks is None:
            self._callbacks = [added]
        else:
            self._callbacks.append(added)
        if self.state != PENDING:
            self._call_back(promise)

    def remove_callback(self, callback: Callable[[Any], object]) -> int:
        """Takes a callback back and returns how often it had been added."""
        callbacks = self._callbacks or []
        self._callbacks = [entry for entry in callbacks if entry[0] != callback]
        return len(callbacks) - len(self._callbacks)

    def cancel(self, promise: Any) -> bool:
        """Cancels the waits that were begun by callbacks; False if there is an outcome already."""
        if self.done:
            return False
        self.cancelled = True
        self._call_back(promise)
        return True

    @property
    def done(self) -> bool:
        """Whether there is an outcome, or the waits have been cancelled."""
        return self.cancelled or self.state != PENDING

    def error(self) -> BaseException | None:
        """The error, or None for a value."""
        if self.state == PENDING or self.cancelled:
            self._refuse()
        return self.value if self.state == ERROR else None

    def result(self) -> Any:
        """The value; raises the error."""
        if self.state == PENDING or self.cancelled:
            self._refuse()
        if self.state == ERROR:
            raise self.value
        return self.value

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
            # asyncio reads this wherever a wait begins, to see whether it has a future: one that was cancelled before
            # starts afresh.
            if self._outcome is not None:
                self._outcome.cancelled = False
            return False

        def get_loop(self):
            return asyncio.get_running_loop()

        def add_done_callback(self, callback, *, context=None):
            (self._outcome or self._begun()).add_callback(self, callback, context)

        def remove_done_callback(self, callback):
            return self._begun().remove_callback(callback)

        def cancel(self, msg=None):
            return self._begun().cancel(self)

        def cancelled(self):
            return (self._outcome or self._begun()).cancelled

        def done(self):
            return self._begun().done

        def result(self):
            return (self._outcome or self._begun()).result()

        def exception(self):
            return (self._outcome or self._begun()).error()

        def _make_cancelled_error(self):  # which gather asks a cancelled future for
            return asyncio.CancelledError()


_FACE: Final = tuple((name, member) for name, member in vars(FutureFace).items() if not name.startswith("_"))
"""The public members of a Future, and what they are here."""
