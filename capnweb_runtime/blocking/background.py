"""The event loop behind blocking stubs. Rule: all of a session happens on this loop, in one daemon thread that a
process starts when it first needs it; other threads hand work in and wait.

What runs on the loop must not wait for it: a blocking call made from there is refused, since it would wait for itself.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import sys
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final, Protocol, TypeVar

from capnweb_runtime.errors import SessionClosed

T = TypeVar("T")

_AT_EXIT: Final = 1.0
"""Seconds that the sessions of a process that ends may take to say goodbye."""


_BLOCKS: Final = (
    "a blocking call here would stop the event loop that is running, and with it everything else that runs there: "
    "connect with connect() and await the stub that is not blocking, or make the call in another thread, with "
    "await asyncio.to_thread(...)"
)


def _in_notebook() -> bool:
    """Whether this is code of a notebook's cell, or of IPython's prompt: it runs inside of an event loop that waits for
    it anyway.
    """
    module = sys.modules.get("IPython")
    return module is not None and module.get_ipython() is not None


class Closable(Protocol):
    """A session that ends with the process."""

    async def aclose(self) -> None:
        """Ends it; on the loop."""
        ...


class Background:
    """An event loop in a thread of its own.

    Attributes:
        sessions: the sessions on it that are in use.
    """

    def __init__(self) -> None:
        self.sessions: weakref.WeakSet[Closable] = weakref.WeakSet()
        self._loop = asyncio.new_event_loop()
        self._process = os.getpid()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="capnweb", daemon=True)
        self._thread.start()

    @property
    def usable(self) -> bool:
        """Whether the thread runs: in this process, and the process is not about to end."""
        return not self._ended and self._process == os.getpid()

    @property
    def inside(self) -> bool:
        """Whether the caller runs on the loop."""
        return threading.current_thread() is self._thread

    def wait(self, begin: Callable[[], Awaitable[T]], patience: float | None) -> T:
        """Awaits on the loop what `begin` gives there.

        Parameters:
            begin: called on the loop; what it gives is cancelled if the wait ends early.
            patience: seconds to wait; None means without end.

        Returns:
            The outcome; raises what it failed with.

        Raises:
            RuntimeError: the caller runs on the loop itself, or on another one, which would stand still.
            TimeoutError: it took longer.
            SessionClosed: the process was forked since, or is about to end.
        """
        if self.inside:
            raise RuntimeError(
                "a blocking call inside a callback or a target would wait for itself, as both run on the thread that "
                "answers it: make the function async and await a stub that is not blocking, or hand the work to "
                "another thread"
            )
        if asyncio._get_running_loop() is not None and not _in_notebook():
            raise RuntimeError(_BLOCKS)
        if not self.usable:
            raise SessionClosed(
                "the process is about to end"
                if self._ended
                else "the session belongs to the process that this one was forked from: connect again here"
            )
        if patience is not None and patience <= 0:
            raise TimeoutError("the time for this call was up before it began")
        outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
        try:
            self._loop.call_soon_threadsafe(self._begin, begin, outcome)
            done, _ = concurrent.futures.wait((outcome,), patience)
            if not done:
                raise TimeoutError(f"the call took longer than {patience:g} s; it has been given up")
        except BaseException:  # also KeyboardInterrupt, which may come as soon as the call has begun
            outcome.cancel()
            raise
        if outcome.cancelled():
            raise SessionClosed("the call was cancelled, because the process is about to end")
        return outcome.result()

    def here(self, function: Callable[[], T]) -> T:
        """Calls a function on the loop, at once if the caller runs there."""
        if self.inside:
            return function()

        async def call() -> T:
            return function()

        return self.wait(call, None)

    def soon(self, function: Callable[[], object]) -> None:
        """Calls a function on the loop, without waiting; also from finalizers. Does nothing if the loop is gone."""
        if self.usable:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function)

    def end(self) -> None:
        """Ends all sessions and the thread; called when the process ends."""
        if not self.usable or self.inside:
            return
        self._ended = True
        ending: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(self._begin, self._end, ending)
        concurrent.futures.wait((ending,), _AT_EXIT * 2)
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_AT_EXIT)
        if not self._thread.is_alive():
            self._loop.close()

    def _begin(self, begin: Callable[[], Awaitable[T]], outcome: concurrent.futures.Future[T]) -> None:
        if outcome.cancelled():
            return
        task = self._loop.create_task(_settle(begin, outcome))

        def on_done(_: object) -> None:
            if outcome.cancelled():
                self._loop.call_soon_threadsafe(task.cancel)

        outcome.add_done_callback(on_done)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        while True:
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:  # of a callback or a target; its caller has been told
                context = {"message": "a callback or target on the thread of capnweb", "exception": error}
                self._loop.call_exception_handler(context)
            else:
                return

    async def _end(self) -> None:
        me = asyncio.current_task()
        closing = [asyncio.ensure_future(session.aclose()) for session in self.sessions]
        if closing:
            await asyncio.wait(closing, timeout=_AT_EXIT)
        rest = [task for task in asyncio.all_tasks() if task is not me]
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=_AT_EXIT / 2)
        await self._loop.shutdown_asyncgens()  # what is kept for a loop, such as an HTTP client, ends with it


async def _settle(begin: Callable[[], Awaitable[T]], outcome: concurrent.futures.Future[T]) -> None:
    """Tells what an awaitable comes to, unless nobody wants to know any more."""
    try:
        value = await begin()
    except asyncio.CancelledError:
        outcome.cancel()
    except BaseException as error:  # whatever it is, it belongs to the caller
        if outcome.set_running_or_notify_cancel():
            outcome.set_exception(error)
    else:
        if outcome.set_running_or_notify_cancel():
            outcome.set_result(value)


# ---- the one of this process

_lock = threading.Lock()
_current: Background | None = None
_left_behind: Final[list[Background]] = []
"""Those of processes that this one was forked from: closing what is shared with a parent would break the parent's."""


def background() -> Background:
    """The loop of this process, which is started if it does not run."""
    global _current  # noqa: PLW0603  # one thread for a process is the point of it
    with _lock:
        if _current is None:
            _current = Background()
            atexit.register(_current.end)
        return _current


def _forked() -> None:
    global _lock, _current  # noqa: PLW0603  # as above; another thread may have held the lock when the process forked
    _lock = threading.Lock()
    if _current is not None:
        _left_behind.append(_current)
        _current = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


# ---- how long to wait

_deadline: Final[ContextVar[tuple[float | None] | None]] = ContextVar("capnweb_deadline", default=None)


@contextmanager
def timeout(seconds: float | None) -> Iterator[None]:
    """Bounds the time that all blocking calls in a `with` block may take together, in place of
    `connect_blocking(timeout=...)`. The call during which the time is up raises TimeoutError, and so do later ones.

    Parameters:
        seconds: how long, from now on; None means without end. A block inside another cannot extend that.
    """
    outer, until = _deadline.get(), None if seconds is None else time.monotonic() + seconds
    if outer is not None and outer[0] is not None:
        until = outer[0] if until is None else min(outer[0], until)
    token = _deadline.set((until,))
    try:
        yield
    finally:
        _deadline.reset(token)


def patience(default: float | None) -> float | None:
    """How many seconds a call may take that begins now: what is left of the `timeout` block, or else the default."""
    deadline = _deadline.get()
    if deadline is None:
        return default
    return None if deadline[0] is None else max(deadline[0] - time.monotonic(), 0.0)
