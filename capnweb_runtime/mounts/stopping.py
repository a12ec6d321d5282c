"""Draining before the application's server hears that it is to stop. Rule: a signal reaches whoever had it before, once
the calls in progress have been answered, or when it comes a second time.

Most servers close every WebSocket as soon as they are told to stop, and tell the application afterwards. They hear of a
signal by a handler, or by a byte that Python writes to a socket of the event loop; both come here first.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

from capnweb_runtime.serving.peer import logger

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
Handler = Callable[[int, FrameType | None], Any]


class Stop:
    """What becomes of the signals, as long as they come here first.

    Parameters:
        drain: makes what is awaited first.
        loop: where.
    """

    def __init__(self, drain: Callable[[], Coroutine[Any, Any, None]], loop: asyncio.AbstractEventLoop) -> None:
        self._drain = drain
        self._loop = loop
        self._handlers: dict[int, Handler] = {}
        self._woken, self._waking = socket.socketpair()
        self._loops_own = -1  # where the loop is woken
        self._draining: asyncio.Task[None] | None = None
        self._came: set[int] = set()

    def take(self) -> None:
        """Takes the signals whose handlers can be called later."""
        self._woken.setblocking(False)
        self._waking.setblocking(False)
        self._loop.add_reader(self._woken, self._look)
        self.take_again()
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._handle)

    def take_again(self) -> None:
        """Takes the place where the loop is woken, if it is the loop's: uvloop takes that again when it is run again,
        as it is by servers that run it for their start alone.
        """
        before = signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        if before != self._waking.fileno():
            self._loops_own = before

    def give_back(self) -> None:
        """Gives them back, unless somebody else has taken them."""
        for number, handler in self._handlers.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)
        taken = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(self._loops_own if taken == self._waking.fileno() else taken)
        self._loop.remove_reader(self._woken)
        self._woken.close()
        self._waking.close()

    def _look(self) -> None:
        """Passes on what is none of ours."""
        with suppress(BlockingIOError):
            for number in self._woken.recv(4096):
                if number not in self._handlers:
                    self._wake_loop(number)

    def _wake_loop(self, number: int) -> None:
        if self._loops_own >= 0:
            with suppress(OSError):
                os.write(self._loops_own, bytes((number,)))

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number in self._came:
            self._pass_on(number)
            return
        self._came.add(number)
        self._loop.call_soon_threadsafe(self._begin, number)

    def _begin(self, number: int) -> None:
        if self._draining is None:
            logger.info("%s: ending the sessions of a mount", signal.Signals(number).name)
            self._draining = self._loop.create_task(self._drain())
        self._draining.add_done_callback(lambda _: self._pass_on(number))

    def _pass_on(self, number: int) -> None:
        self._handlers[number](number, None)
        self._wake_loop(number)


@contextmanager
def stopping_after(drain: Callable[[], Coroutine[Any, Any, None]]) -> Iterator[Stop | None]:
    """While the block runs, SIGINT and SIGTERM reach their handlers when this is done. Only the main thread can see to
    that: in another one nothing changes, nor on Windows.

    Parameters:
        drain: makes what is awaited first.

    Yields:
        What is to be told of each new session, by `take_again`; None where nothing changes.
    """
    if threading.current_thread() is not threading.main_thread() or os.name == "nt":
        yield None
        return
    stop = Stop(drain, asyncio.get_running_loop())
    stop.take()
    try:
        yield stop
    finally:
        stop.give_back()
