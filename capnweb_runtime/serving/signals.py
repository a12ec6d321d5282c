"""Serving until the process is told to stop. Rule: the first signal lets calls end, the second one waits for nobody,
and a third one does whatever it does without this.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Protocol

from capnweb_runtime.serving.peer import logger

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stoppable(Protocol):
    """What is known of a server here."""

    def wait_closed(self) -> Coroutine[Any, Any, None]: ...

    def drain(self, timeout: float | None = None) -> Coroutine[Any, Any, None]: ...

    def close_at_once(self) -> Coroutine[Any, Any, None]: ...


async def stopped_by_signals(
    server: Stoppable, grace: float | None, on_stop: Callable[[], Awaitable[object]] | None = None
) -> None:
    """Waits until the server is closed, and closes it at a signal; see `Server.run`."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "run() works in the main thread only, where Python hands over signals; "
            "elsewhere wait_closed() waits, and drain() ends the server"
        )
    loop = asyncio.get_running_loop()
    first: asyncio.Future[str] = loop.create_future()
    second: asyncio.Future[str] = loop.create_future()

    def on_signal(name: str) -> None:
        told = second if first.done() else first
        if not told.done():
            told.set_result(name)

    with _handled(loop, on_signal):
        if await _ends(server.wait_closed(), first):
            return
        logger.info("stopping, as told by %s", first.result())
        if await _ends(server.drain(grace) if on_stop is None else _stop(server, grace, on_stop), second):
            return
    await server.close_at_once()


async def _stop(server: Stoppable, grace: float | None, on_stop: Callable[[], Awaitable[object]]) -> None:
    """Lets the application finish what is no call, and drains the server in the time that is left."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with asyncio.timeout(grace):
            await on_stop()
    except TimeoutError as error:
        logger.warning("on_stop of run() was given up after %s s", grace, exc_info=error)
    except Exception:
        logger.exception("on_stop of run() has failed; the server is stopped all the same")
    await server.drain(None if grace is None else max(0.0, grace - (loop.time() - begun)))


async def _ends(work: Coroutine[Any, Any, None], event: asyncio.Future[str]) -> bool:
    """Runs a coroutine up to an event; whether it has ended by then. If not, it is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((task, event), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            return False
        await task
        return True
    finally:
        task.cancel()


@contextmanager
def _handled(loop: asyncio.AbstractEventLoop, on_signal: Callable[[str], None]) -> Iterator[None]:
    """Has the signals handled in the loop, and puts back what handled them before."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            try:
                loop.add_signal_handler(number, on_signal, number.name)
            except NotImplementedError:  # on Windows
                signal.signal(
                    number, lambda number, _: loop.call_soon_threadsafe(on_signal, signal.Signals(number).name)
                )
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            if handler is not None:  # else none that Python knows of
                signal.signal(number, handler)
