"""The place of one worker, in which one process after another serves. Rule: one that has died is followed by another;
one that is to be replaced goes on until the other serves, and for good if that does not.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from capnweb_runtime.running.port import SharedPort
from capnweb_runtime.running.process import WorkerProcess, started
from capnweb_runtime.serving.peer import logger

FIRST_DELAY: Final = 0.25
"""Seconds after which a worker that has ended is followed by another."""
LONGEST_DELAY: Final = 30.0
STEADY: Final = 60.0
"""Seconds after which a worker counts as one that works: what was before is forgotten."""
START: Final = 60.0
"""Seconds that a process has until it serves, if another is to leave for it."""


def delay_after(before: float, lived: float) -> float:
    """How long to wait before a worker that has ended is followed by another.

    Parameters:
        before: seconds that were waited for this one; 0 if none.
        lived: seconds for which it ran.
    """
    if lived >= STEADY or not before:
        return FIRST_DELAY
    return min(2 * before, LONGEST_DELAY)


class Post:
    """See above.

    Parameters:
        number: which of the workers it is.
        command: what starts a process.
        port: where they listen.
        ready: numbers of further sockets, which all workers have in common.
        patience: seconds that a process has to leave.

    Attributes:
        served: where the first process serves, once it does.
    """

    def __init__(
        self, number: int, command: Sequence[str], port: SharedPort, ready: Sequence[int], patience: float
    ) -> None:
        self._number = number
        self._command = command
        self._port = port
        self._ready = ready
        self._patience = patience
        self._sockets: list[socket.socket] = []
        self._current: WorkerProcess | None = None
        self._processes: set[WorkerProcess] = set()  # those that have not ended
        self._changing = asyncio.Lock()
        self._stopping = asyncio.Event()
        self.served: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def live(self) -> int:
        """Has one process after another, until told to stop, or until the first ends that should have served.

        Returns:
            The exit code of the last one.
        """
        loop = asyncio.get_running_loop()
        delay = 0.0
        try:
            while True:
                began = loop.time()
                current = await self._occupied()
                if await current.serves() and not self.served.done():
                    self.served.set_result(current.where.result())
                await current.has_ended()
                code = current.ended.result()
                if self._stopping.is_set() or not self.served.done():
                    for process in [*self._processes]:
                        await process.has_ended()
                    return code
                if await self._is_replaced(current):
                    delay = 0.0
                    continue
                self._close_sockets()  # whom the system would give to them, it gives to the others meanwhile
                delay = delay_after(delay, loop.time() - began)
                how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
                logger.warning("worker %d ended with %s; another follows in %s s", self._number, how, delay)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), delay)
                    return code
        finally:
            self._close_sockets()
            for process in [*self._processes]:
                await process.kill()

    async def restart(self) -> bool:
        """Has another process take the place of this one, which is told to leave, and waits until that is gone.

        Returns:
            Whether the other one serves. If it does not, this one goes on.
        """
        async with self._changing:
            if self._stopping.is_set():
                return False
            old = self._current
            try:
                process = await self._start()
            except OSError as error:
                logger.error("worker %d goes on as it is: no process can be started: %s", self._number, error)
                return False
            if not await process.serves(START):
                how = f"has not served within {START:g} s" if not process.ended.done() else "ended before it served"
                await process.kill()
                logger.error("worker %d goes on as it is: the process to follow it %s", self._number, how)
                return False
            self._current = process
        if old is not None:
            await self._send_away(old)
        return True

    async def _send_away(self, old: WorkerProcess) -> None:
        """Has a process end whose place another has taken."""
        if old.where.done():
            old.leave()
            logger.info("another process serves as worker %d, and the one before it leaves", self._number)
        else:  # it has nobody
            old.stop()
        if not await old.has_ended(self._patience):
            logger.warning("killing a process of worker %d that did not leave in time", self._number)
            await old.kill()

    def stop(self) -> None:
        """Tells what runs here to stop, and lets none follow."""
        self._stopping.set()
        self._close_sockets()  # else clients would wait here in vain
        for process in self._processes:
            process.stop()

    async def _occupied(self) -> WorkerProcess:
        """The process that serves here, started if there is none."""
        async with self._changing:
            if self._current is None or self._current.ended.done():
                self._current = await self._start()
            return self._current

    async def _is_replaced(self, process: WorkerProcess) -> bool:
        """Whether another has taken the place of a process, once it is known of one that is about to."""
        async with self._changing:
            return self._current is not process

    async def _start(self) -> WorkerProcess:
        if not self._sockets:
            self._sockets = self._port.sockets()
        common = [("--handed", number) for number in self._ready]
        own = [("--own", one.fileno()) for one in self._sockets]
        process = await started(self._command, [*common, *own])
        self._processes.add(process)
        process.ended.add_done_callback(lambda _: self._processes.discard(process))
        if self._stopping.is_set():
            process.stop()
        return process

    def _close_sockets(self) -> None:
        for one in self._sockets:
            one.close()
        self._sockets = []
