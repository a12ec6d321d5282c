"""What is asked of a hook that is not known yet. Rule: one object for each question, which is its own answer's cell;
and one that nobody wants to know any more takes nothing.

A peer may ask a hundred thousand things of one result. Each object more would be one more for Python's garbage
collector to look at, whenever it looks at all of them, with every session waiting.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from capnweb_runtime.core.cell import Cell
from capnweb_runtime.core.held import WAITER
from capnweb_runtime.core.hook import Codec, Hook, Host, Path, Payload

WORK_PER_WAITER: Final = 8
"""Units of work that it takes, about, to go on with one of those who wait for a promise."""


class Asked(Cell[Any]):
    """A question, and the cell of its answer. Abstract.

    Parameters:
        host: counts it, and lets others go first.

    Raises:
        LimitExceeded: there is no room for it.
    """

    __slots__ = ("host",)

    def __init__(self, host: Host) -> None:
        held = host.held
        held.bytes += WAITER
        if held.bytes > held.look_at:
            held.look(WAITER)
        Cell.__init__(self)
        self.host: Host | None = host

    def on_value(self, hook: Hook, others_first: bool = True) -> None:
        """The hook is known: it is asked.

        Parameters:
            hook: the hook.
            others_first: whether others are to go first once the session has had its turn.
        """
        host = self.host
        if host is None:  # it was given up meanwhile
            return
        if others_first:
            account = host.account
            account.spent += WORK_PER_WAITER
            if account.spent > account.look_at and account.is_over():
                host.put_off(partial(self.on_value, hook, False))
                return
        self.host = None
        host.held.bytes -= WAITER
        try:
            self.answer(hook)
        except Exception as error:  # a disposed hook, say: the error belongs to whoever waits for the result
            self.reject(error)

    def on_error(self, error: BaseException) -> None:
        """There will be no hook."""
        self._no_longer_waits()
        self.refuse()
        self.reject(error)

    def _no_longer_waits(self) -> None:
        host, self.host = self.host, None
        if host is not None:
            host.held.bytes -= WAITER

    def answer(self, hook: Hook) -> None:
        """Asks the hook."""
        raise NotImplementedError

    def refuse(self) -> None:
        """Gives up what the question has in it."""

    def give_up(self) -> bool:
        """Nobody wants to know the answer any more: takes the question back if it has no other effect, or its session
        has ended, and those that wait for it have given up, too. Whether it did.
        """
        host = self.host
        self.forget(is_given_up)
        if host is None or self.is_awaited or not (self.is_read() or host.held.ended):
            return False
        self._no_longer_waits()
        self.refuse()
        return True

    def is_read(self) -> bool:
        """Whether it is of no consequence if nobody knows the answer."""
        return True


def is_given_up(waiter: object) -> bool:
    """Whether what waits for a cell does not want to know any more."""
    return isinstance(waiter, Asked) and waiter.host is None


class AskedGet(Asked):
    """Reads what is at a path."""

    __slots__ = ("_expect", "_path")

    def __init__(self, host: Host, path: Path, expect: Codec | None) -> None:
        super().__init__(host)
        self._path = path
        self._expect = expect

    def answer(self, hook: Hook) -> None:
        self.resolve(hook.get(self._path, self._expect))


class AskedCall(Asked):
    """Calls what is at a path; owns the arguments."""

    __slots__ = ("_args", "_expect", "_path")

    def __init__(self, host: Host, path: Path, args: Payload, expect: Codec | None) -> None:
        super().__init__(host)
        self._path = path
        self._args: Payload | None = args
        self._expect = expect

    def answer(self, hook: Hook) -> None:
        args, self._args = self._args, None
        if args is not None:
            self.resolve(hook.call(self._path, args, self._expect))

    def refuse(self) -> None:
        args, self._args = self._args, None
        if args is not None:
            args.dispose()

    def is_read(self) -> bool:
        return False


class AskedUse(Asked):
    """Does something else with the hook.

    Parameters:
        host: see `Asked`.
        use: what to do.
        otherwise: what to do if there is no hook.
    """

    __slots__ = ("_otherwise", "_use")

    def __init__(self, host: Host, use: Callable[[Hook], Hook], otherwise: Callable[[], None] | None = None) -> None:
        super().__init__(host)
        self._use: Callable[[Hook], Hook] | None = use
        self._otherwise = otherwise

    def answer(self, hook: Hook) -> None:
        use, self._use, self._otherwise = self._use, None, None
        if use is not None:
            self.resolve(use(hook))

    def refuse(self) -> None:
        otherwise, self._use, self._otherwise = self._otherwise, None, None
        if otherwise is not None:
            otherwise()

    def is_read(self) -> bool:
        return self._otherwise is None


class AskedPull(Asked):
    """Waits for the value."""

    __slots__ = ()

    def answer(self, hook: Hook) -> None:
        pulled = hook.pull()
        if isinstance(pulled, Payload):
            self.resolve(pulled)
        else:
            pulled.then(self.resolve, self.reject)

    def drop(self) -> None:
        """Whoever asked is gone."""
        self._waiters = None
        self._no_longer_waits()


class Disposal(Asked):
    """Disposes the hook once it is known; there is always room for that."""

    __slots__ = ()

    def __init__(self, host: Host) -> None:
        Cell.__init__(self)
        host.held.bytes += WAITER
        self.host = host

    def answer(self, hook: Hook) -> None:
        hook.dispose()

    def is_read(self) -> bool:
        return False
