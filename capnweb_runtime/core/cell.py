"""A one-shot promise that settles synchronously. Rule: callbacks run in the order in which they were added, through
one queue, never recursively.

A Cell costs a twelfth of an asyncio.Future and wakes no event loop, which is what keeps calls in arrival order:
whatever waits for a value continues within the message that brought it. The queue is per thread, since sessions of one
event loop may feed each other.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")
_OnValue = Callable[[Any], object]
_OnError = Callable[[BaseException], object]

_PENDING: Final = 0
_VALUE: Final = 1
_ERROR: Final = 2


class _Queue:
    """Callbacks that are due."""

    __slots__ = ("due", "running")

    def __init__(self) -> None:
        self.due: deque[tuple[Callable[[Any], object], Any]] = deque()
        self.running = False


class _Thread(threading.local):
    """What a thread has of its own: one attribute, since reading one costs several times what it does elsewhere."""

    def __init__(self) -> None:
        self.queue = _Queue()


_local = _Thread()


def _run_due(queue: _Queue) -> None:
    """Runs the callbacks that are due, and those that become so. A callback must not raise."""
    queue.running = True
    due = queue.due
    try:
        while due:
            callback, value = due.popleft()
            callback(value)
    finally:
        queue.running = False


class Cell(Generic[T]):
    """A value or an error that is known now or later, once."""

    __slots__ = ("_outcome", "_state", "_waiters")

    def __init__(self) -> None:
        self._state = _PENDING
        self._outcome: Any = None
        # One pair, as nearly always, or a list of them.
        self._waiters: tuple[_OnValue, _OnError] | list[tuple[_OnValue, _OnError]] | None = None

    @property
    def settled(self) -> bool:
        """Whether the value or the error is known."""
        return self._state != _PENDING

    @property
    def fulfilled(self) -> bool:
        """Whether a value is known."""
        return self._state == _VALUE

    @property
    def value(self) -> T | None:
        """The value, if it is known."""
        return self._outcome if self._state == _VALUE else None

    def then(self, on_value: Callable[[T], object], on_error: Callable[[BaseException], object]) -> None:
        """Calls one of the two with the outcome, after every callback that is due already; at once if none is.

        Parameters:
            on_value: called with the value.
            on_error: called with the error.
        """
        if self._state == _PENDING:
            waiters = self._waiters
            if waiters is None:
                self._waiters = on_value, on_error
            elif isinstance(waiters, tuple):
                self._waiters = [waiters, (on_value, on_error)]
            else:
                waiters.append((on_value, on_error))
        else:
            queue = _local.queue
            queue.due.append((on_value if self._state == _VALUE else on_error, self._outcome))
            if not queue.running:  # otherwise the callback that is running comes first
                _run_due(queue)

    def replace(self, waiter: tuple[_OnValue, _OnError], by: tuple[_OnValue, _OnError]) -> None:
        """Calls others back in place of those that `then` was called with, unless they have been already."""
        waiters = self._waiters
        if isinstance(waiters, list):
            self._waiters = [by if one == waiter else one for one in waiters]
        elif waiters == waiter:
            self._waiters = by

    def resolve(self, value: T) -> None:
        """Settles with a value; ignored if settled already."""
        if self._state == _PENDING:
            self._settle(_VALUE, value)

    def reject(self, error: BaseException) -> None:
        """Settles with an error; ignored if settled already."""
        if self._state == _PENDING:
            self._settle(_ERROR, error)

    def _settle(self, state: int, outcome: Any) -> None:
        self._state = state
        self._outcome = outcome
        waiters, self._waiters = self._waiters, None
        if waiters is None:
            return
        queue = _local.queue
        due = queue.due
        if isinstance(waiters, tuple):
            due.append((waiters[0 if state == _VALUE else 1], outcome))
        else:
            for on_value, on_error in waiters:
                due.append((on_value if state == _VALUE else on_error, outcome))
        if not queue.running:
            _run_due(queue)
