"""Several processes that serve one port. Rule: each is the same command, told to share the port; one that ends is
followed by another, later the more often that happens, until all are told to stop.

At SIGHUP one after the other has another process take its place: that serves before the old one is told to leave, on
the same sockets. See `port` for those, and `post` for one of the places.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from capnweb_runtime.running.failures import Failed, cannot_listen, place
from capnweb_runtime.running.port import SharedPort
from capnweb_runtime.running.post import Post
from capnweb_runtime.serving.peer import logger
from capnweb_runtime.serving.signals import stopped_by_signals
from capnweb_runtime.serving.socket_file import SocketFile

PATIENCE: Final = 20.0
"""Seconds that a worker has beyond those that it was given, before it is killed."""


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
            port = SharedPort(() if options.port is None else options.host, options.port or 0, held)
            if options.port is not None:
                command += ["--port", str(port.number)]
            if options.unix is not None:
                file = SocketFile(options.unix)
                held.enter_context(file.socket)
                held.callback(file.remove)
                ready.append(file.socket.fileno())
        except OSError as error:
            raise cannot_listen(error, place(options.host, options.port or 0)) from None
        asyncio.run(_supervise(command, port, ready, options.workers, options.drain))


async def _supervise(command: Sequence[str], port: SharedPort, ready: Sequence[int], count: int, drain: float) -> None:
    posts = [Post(number, command, port, ready, drain + PATIENCE) for number in range(1, count + 1)]
    workers = Workers(posts)
    stopping = asyncio.ensure_future(stopped_by_signals(workers, drain + PATIENCE))
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, workers.restart)
    await asyncio.sleep(0)  # signals are handled from now on
    try:
        where = await workers.start()
        if where is not None:
            print(f"serving {where} with {count} workers", flush=True)
        await stopping
    finally:
        stopping.cancel()
        await workers.close_at_once()


class Workers:
    """All workers of a server, to be stopped as one.

    Parameters:
        posts: the place of each.
    """

    def __init__(self, posts: Sequence[Post]) -> None:
        self._posts = posts
        self._living: set[asyncio.Task[int]] = set()
        self._stopping = False
        self._started = asyncio.Event()
        self._closed = asyncio.Event()
        self._restarting: asyncio.Task[None] | None = None
        self._again = False

    async def start(self) -> str | None:
        """Starts one, and the others once that serves.

        Returns:
            Where they serve; None if they were told to stop meanwhile.

        Raises:
            Failed: one has ended that should serve; it has said why.
        """
        for some in (self._posts[:1], self._posts[1:]):
            if not self._stopping:
                await asyncio.gather(*map(self._start, some))
        self._started.set()
        return None if self._stopping else self._posts[0].served.result()

    def restart(self) -> None:
        """Has another process take the place of each, one after the other; once more, if that is going on already."""
        if self._stopping:
            return
        self._again = True
        if self._restarting is None or self._restarting.done():
            self._restarting = asyncio.ensure_future(self._restart())
        else:
            logger.info("the workers are restarted once more after this time")

    async def wait_closed(self) -> None:
        """Waits until all have ended for good."""
        await self._closed.wait()

    async def drain(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (a grace period; nothing times out)
        """Tells all to stop, and waits for them; those that take longer are killed.

        Parameters:
            timeout: seconds to wait.
        """
        await self._stop(timeout)

    async def close_at_once(self) -> None:
        """Tells all to stop at once; those that do not are killed."""
        await self._stop(PATIENCE)

    async def _start(self, post: Post) -> None:
        living = asyncio.ensure_future(post.live())
        self._living.add(living)
        await asyncio.wait((living, post.served), return_when=asyncio.FIRST_COMPLETED)
        if living.done() and not self._stopping:
            raise Failed(None, living.result() if living.result() > 0 else 1)

    async def _restart(self) -> None:
        await self._started.wait()
        while self._again:
            self._again = False
            logger.info("restarting the workers, one after the other")
            for post in self._posts:
                if not await post.restart():
                    logger.error("the workers that were not restarted yet go on as they are; see to it, and try again")
                    break
            else:
                logger.info("all workers have been restarted")

    async def _stop(self, seconds: float | None) -> None:
        self._stopping = True
        if self._restarting is not None:
            self._restarting.cancel()
        for post in self._posts:
            post.stop()
        if self._living:
            _, late = await asyncio.wait(self._living, timeout=seconds)
            for living in late:
                logger.warning("killing a worker that did not end within %s s", seconds)
                living.cancel()
            if late:
                await asyncio.wait(late)
        self._closed.set()
