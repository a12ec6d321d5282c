"""A process of a worker, seen from the one that started it. Rule: it serves from when it says so until it has ended; it
is told to leave by a line, and to stop by a signal.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress

from capnweb_runtime.running.supervised import LEAVE


class WorkerProcess:
    """See above; made by `started`.

    Attributes:
        where: where it serves, once it does.
        ended: its exit code, once it has ended.
    """

    def __init__(self, process: Process, line: socket.socket) -> None:
        self._process = process
        self._line = line
        self.where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[int] = asyncio.ensure_future(process.wait())
        hearing = asyncio.ensure_future(self._hear())
        self.ended.add_done_callback(lambda _: hearing.cancel())

    async def serves(self, seconds: float | None = None) -> bool:
        """Whether it serves: waits until it does, has ended, or has taken too long.

        Parameters:
            seconds: how long to wait; None means without end.
        """
        await asyncio.wait((self.where, self.ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return self.where.done() and not self.ended.done()

    def leave(self) -> None:
        """Tells it that another has taken its place: it accepts nobody any more, and ends when its calls have ended."""
        with suppress(OSError):  # it has ended
            self._line.send(LEAVE)

    def stop(self) -> None:
        """Tells it to stop."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    async def kill(self) -> None:
        """Ends it at once."""
        if not self.ended.done():
            with suppress(ProcessLookupError):
                self._process.kill()
        await self.has_ended()

    async def has_ended(self, seconds: float | None = None) -> bool:
        """Whether it has ended: waits until it has, or for some time."""
        await asyncio.wait([self.ended], timeout=seconds)
        return self.ended.done()

    async def _hear(self) -> None:
        with self._line:
            heard = b""
            while not heard.endswith(b"\n"):
                more = await asyncio.get_running_loop().sock_recv(self._line, 4096)
                if not more:
                    return
                heard += more
            self.where.set_result(heard.decode().rstrip())
            await self.has_ended()


async def started(command: Sequence[str], sockets: Sequence[tuple[str, int]]) -> WorkerProcess:
    """Starts a process.

    Parameters:
        command: what it runs.
        sockets: what it is handed over: for each the option that names it, and its number.
    """
    ours, theirs = socket.socketpair()
    try:
        ours.setblocking(False)
        with theirs:
            handed = [("--supervised", theirs.fileno()), *sockets]
            process = await asyncio.create_subprocess_exec(
                *command,
                *(text for option, number in handed for text in (option, str(number))),
                pass_fds=[number for _, number in handed],
                start_new_session=True,  # Ctrl-C at a terminal is for us to pass on
            )
    except BaseException:
        ours.close()
        raise
    return WorkerProcess(process, ours)
