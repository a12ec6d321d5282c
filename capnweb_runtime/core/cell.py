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
from typing import Any, Final, Generic, Protocol, TypeVar

T = TypeVar("T")
_OnValue = Callable[[Any], object]
_OnError = Callable[[BaseException], object]

_PENDING: Final = 0  # the one that is false, which is asked at every turn
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


def _call_back(callback: Callable[[Any], object], outcome: Any) -> None:
    """Calls back after what is due already; at once if nothing is, and then what has become due by it. A callback must
    not raise.
    """
    queue = _local.queue
    due = queue.due
    if queue.running:
        due.append((callback, outcome))
        return
    queue.running = True
    try:
        callback(outcome)
        while due:
            callback, outcome = due.popleft()
            callback(outcome)
    finally:
        queue.running = False


def behind_what_is_due(function: Callable[[T], object], argument: T) -> None:
    """Calls a function after every callback that is due already; at once if none is. What goes on later has itself put
    off like this: what it has asked so far may be due, be put off as well, and is to stand before it then.

    Parameters:
        function: the function; it must not raise.
        argument: what it is called with.
    """
    _call_back(function, argument)


class Waiter(Protocol):
    """What waits for a cell as one object, where there may be very many: a pair of callbacks takes three times as much,
    and as many containers for Python's garbage collector to look at.
    """

    def on_value(self, value: Any, /) -> object:
        """Called with the value."""
        ...

    def on_error(self, error: BaseException, /) -> object:
        """Called with the error."""
        ...


class Cell(Generic[T]):
    """A value or an error that is known now or later, once."""

    __slots__ = ("_outcome", "_state", "_waiters")

    def __init__(self) -> None:
        self._state = _PENDING
        self._outcome: Any = None
        # One pair, as nearly always, or one object, or a list of both.
        self._waiters: Any = None

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
        if not self._state:
            waiters = self._waiters
            if waiters is None:
                self._waiters = on_value, on_error
            elif type(waiters) is list:
                waiters.append((on_value, on_error))
            else:
                self._waiters = [waiters, (on_value, on_error)]
        else:
            _call_back(on_value if self._state == _VALUE else on_error, self._outcome)

    def wait(self, waiter: Waiter) -> None:
        """Like `then`, with the methods of one object."""
        if self._state:
            self.then(waiter.on_value, waiter.on_error)
        elif self._waiters is None:
            self._waiters = waiter
        elif type(self._waiters) is list:
            self._waiters.append(waiter)
        else:
            self._waiters = [self._waiters, waiter]

    def forget(self, given_up: Callable[[object], bool]) -> None:
        """Drops those who wait, if none of them wants to know any more.

        Parameters:
            given_up: whether what was given to `wait` does not.
        """
        waiters = self._waiters
        if waiters is None or type(waiters) is tuple:
            return
        if all(map(given_up, waiters)) if type(waiters) is list else given_up(waiters):
            self._waiters = None

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits."""
        return self._waiters is not None

    def replace(self, waiter: tuple[_OnValue, _OnError], by: tuple[_OnValue, _OnError]) -> None:
        """Calls others back in place of those that `then` was called with, unless they have been already."""
        waiters = self._waiters
        if isinstance(waiters, list):
            self._waiters = [by if one == waiter else one for one in waiters]
        elif waiters == waiter:
            self._waiters = by

    def resolve(self, value: T) -> None:
        """Settles with a value; ignored if settled already."""
        if self._state:
            return
        self._state = _VALUE
        self._outcome = value
        waiters = self._waiters
        if waiters is None:
            return
        self._waiters = None
        if type(waiters) is tuple:
            _call_back(waiters[0], value)
            return
        if type(waiters) is not list:
            _call_back(waiters.on_value, value)
            return
        queue = _local.queue
        for waiter in waiters:
            queue.due.append((waiter[0] if type(waiter) is tuple else waiter.on_value, value))
        if not queue.running:
            _call_back(*queue.due.popleft())

    def reject(self, error: BaseException) -> None:
        """Settles with an error; ignored if settled already."""
        if self._state:
            return
        self._state = _ERROR
        self._outcome = error
        waiters, self._waiters = self._waiters, None
        if waiters is None:
            return
        queue = _local.queue
        due = queue.due
        if type(waiters) is tuple:
            due.append((waiters[1], error))
        elif type(waiters) is list:
            for waiter in waiters:
                due.append((waiter[1] if type(waiter) is tuple else waiter.on_error, error))
        else:
            due.append((waiters.on_error, error))
        if not queue.running:
            _call_back(*queue.due.popleft())
