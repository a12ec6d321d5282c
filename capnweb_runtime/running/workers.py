"""Several processes that serve one port. Rule: each is the same command, told to share the port; one that ends is
followed by another, later the more often that happens, until all are told to stop.

Connections are shared out by the system (SO_REUSEPORT): one belongs to one worker for as long as it lasts.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final

from capnweb_runtime.running.failures import Failed, cannot_listen, place
from capnweb_runtime.serving.peer import logger
from capnweb_runtime.serving.signals import stopped_by_signals
from capnweb_runtime.serving.socket_file import SocketFile

FIRST_DELAY: Final = 0.25
"""Seconds after which a worker that has ended is followed by another."""
LONGEST_DELAY: Final = 30.0
STEADY: Final = 60.0
"""Seconds after which a worker counts as one that works: what was before is forgotten."""
PATIENCE: Final = 20.0
"""Seconds that a worker has beyond those that it was given, before it is killed."""


def delay_after(before: float, lived: float) -> float:
    """How long to wait before a worker that has ended is followed by another.

    Parameters:
        before: seconds that were waited for this one; 0 if none.
        lived: seconds for which it ran.
    """
    if lived >= STEADY or not before:
        return FIRST_DELAY
    return min(2 * before, LONGEST_DELAY)


def run_workers(options: argparse.Namespace) -> None:
    """Serves in several processes until told to stop.

    Parameters:
        options: those of `serve`.

    Raises:
        Failed: nothing can be served.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise Failed("--workers needs a system on which processes can share a port (SO_REUSEPORT), which this is not")
    with ExitStack() as held:
        command = [sys.executable, "-m", "capnweb_runtime", *options.arguments]
        ready = [one.fileno() for one in options.sockets]
        try:
            if options.port is not None:
                command += ["--port", str(_reserve(options.host, options.port, held))]
            if options.unix is not None:
                file = SocketFile(options.unix)
                held.enter_context(file.socket)
                held.callback(file.remove)
                ready.append(file.socket.fileno())
        except OSError as error:
            raise cannot_listen(error, place(options.host, options.port or 0)) from None
        for number in ready:
            command += ["--handed", str(number)]
        asyncio.run(_supervise(command, ready, options.workers, options.drain))


def _reserve(hosts: Sequence[str], port: int, held: ExitStack) -> int:
    """Keeps a port for processes that share it; nobody is accepted here.

    Parameters:
        hosts: addresses that are to have it.
        port: the port; 0 means any.
        held: keeps it.
    """
    for host in hosts:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            # One that does not share finds out whether anybody is there, also of those that would share with us.
            with _bound(family, kind, protocol, (address[0], port, *address[2:]), shared=False) as alone:
                port = alone.getsockname()[1]
            held.enter_context(_bound(family, kind, protocol, (address[0], port, *address[2:]), shared=True))
    return port


def _bound(family: int, kind: int, protocol: int, address: tuple[object, ...], *, shared: bool) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # as the loop's servers do
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except BaseException:
        made.close()
        raise
    return made


async def _supervise(command: Sequence[str], ready: Sequence[int], count: int, drain: float) -> None:
    workers = Workers([Worker(number, command, ready) for number in range(1, count + 1)])
    stopping = asyncio.ensure_future(stopped_by_signals(workers, drain + PATIENCE))
    await asyncio.sleep(0)  # signals are handled from now on
    try:
        where = await workers.start()
        if where is not None:
            print(f"serving {where} with {count} workers", flush=True)
        await stopping
    finally:
        stopping.cancel()
        await workers.close_at_once()


class Worker:
    """One process after another.

    Parameters:
        number: which of the workers it is.
        command: what starts a process.
        ready: numbers of the sockets that it is handed over.

    Attributes:
        served: where it serves, once the first process does.
    """

    def __init__(self, number: int, command: Sequence[str], ready: Sequence[int]) -> None:
        self._number = number
        self._command = command
        self._ready = ready
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self.served: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def live(self) -> int:
        """Has one process after another, until told to stop, or until the first ends that should have served.

        Returns:
            The exit code of the last one.
        """
        loop = asyncio.get_running_loop()
        delay = 0.0
        while True:
            began = loop.time()
            code = await self._run()
            if self._stopping.is_set() or not self.served.done():
                return code
            delay = delay_after(delay, loop.time() - began)
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            logger.warning("worker %d ended with %s; another follows in %s s", self._number, how, delay)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
                return code

    async def _run(self) -> int:
        """Runs one process to its end; returns its exit code."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    *("--supervised", str(theirs.fileno())),
                    pass_fds=[theirs.fileno(), *self._ready],
                    start_new_session=True,  # Ctrl-C at a terminal is for us to pass on
                )
            if self._stopping.is_set():
                self.tell(signal.SIGTERM)
            try:
                await self._hear(ours)
                return await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    async def _hear(self, line: socket.socket) -> None:
        """Waits until the process serves, or has ended."""
        line.setblocking(False)
        heard = b""
        while not heard.endswith(b"\n"):
            more = await asyncio.get_running_loop().sock_recv(line, 4096)
            if not more:
                return
            heard += more
        if not self.served.done():
            self.served.set_result(heard.decode().rstrip())

    def stop(self) -> None:
        """Tells the process to stop, and lets none follow."""
        self._stopping.set()
        self.tell(signal.SIGTERM)

    def tell(self, number: signal.Signals) -> None:
        """Sends the process a signal, if there is one."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


class Workers:
    """All workers of a server, to be stopped as one.

    Parameters:
        workers: the workers.
    """

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers
        self._living: set[asyncio.Task[int]] = set()
        self._stopping = False
        self._closed = asyncio.Event()

    async def start(self) -> str | None:
        """Starts one, and the others once that serves.

        Returns:
            Where they serve; None if they were told to stop meanwhile.

        Raises:
            Failed: one has ended that should serve; it has said why.
        """
        for some in (self._workers[:1], self._workers[1:]):
            if not self._stopping:
                await asyncio.gather(*map(self._start, some))
        return None if self._stopping else self._workers[0].served.result()

    async def wait_closed(self) -> None:
        """Waits until all have ended for good."""
        await self._closed.wait()

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Tells all to stop, and waits for them; those that take longer are killed.

        Parameters:
            timeout: seconds to wait.
        """
        self._stopping = True
        for worker in self._workers:
            worker.stop()
        await self._end(timeout)

    async def close_at_once(self) -> None:
        """Tells all to stop at once; those that do not are killed."""
        self._stopping = True
        for worker in self._workers:
            worker.stop()
        await self._end(PATIENCE)

    async def _start(self, worker: Worker) -> None:
        living = asyncio.ensure_future(worker.live())
        self._living.add(living)
        await asyncio.wait((living, worker.served), return_when=asyncio.FIRST_COMPLETED)
        if living.done() and not self._stopping:
            raise Failed(None, living.result() if living.result() > 0 else 1)

    async def _end(self, seconds: float | None) -> None:
        if self._living:
            _, late = await asyncio.wait(self._living, timeout=seconds)
            for living in late:
                logger.warning("killing a worker that did not end within %s s", seconds)
                living.cancel()
            if late:
                await asyncio.wait(late)
        self._closed.set()
