"""Two workers and what they share, for as long as it takes to show them: processes with a Redis, or what can be had of
that in one process where there is no Redis.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from capnweb_runtime import serve
from capnweb_runtime.scale import MemoryBackplane, MemoryStore
from examples.demo_scale.board import Board
from examples.form.processes import started, tell

START = 30.0
"""Seconds that Redis has to start."""


class Workers(Protocol):
    """Two workers.

    Attributes:
        story: what they are, in a line or two.
        killing: how one is killed, in words.
        urls: where clients connect.
    """

    story: list[str]
    killing: str
    urls: list[str]

    async def kill(self, worker: int) -> None:
        """Ends a worker in the middle of whatever it does. Another one takes its place."""
        ...


class Processes:
    """See `Workers`.

    Parameters:
        url: where they serve.
        command: what has started them.
    """

    killing = "kill -9"

    def __init__(self, url: str, command: str) -> None:
        self.urls = [url]
        self.story = ["each is a process, and what they share is in a Redis that was started for this:", command]

    async def kill(self, worker: int) -> None:
        """See `Workers`."""
        os.kill(worker, signal.SIGKILL)


class Servers:
    """See `Workers`. Each is a server of this process with a backplane of its own on one store."""

    killing = "its server is closed at once"

    def __init__(self, stack: AsyncExitStack) -> None:
        self.urls: list[str] = []
        self.story = [
            "redis-server is not installed here: both are in this process, and share its memory. With it",
            "(on Debian: apt-get install redis-server) each is a process, and is killed with kill -9.",
        ]
        self._store = MemoryStore()
        self._stack = stack
        self._numbers = count(1)
        self._lives: dict[int, AsyncExitStack] = {}

    async def begin(self, port: int = 0) -> None:
        """Starts one more."""
        number, life = next(self._numbers), await self._stack.enter_async_context(AsyncExitStack())
        backplane = await life.enter_async_context(MemoryBackplane(self._store))
        board = Board(backplane, number)
        server = await life.enter_async_context(serve(lambda peer: board, "127.0.0.1", port))
        self._lives[number] = life
        if not port:
            self.urls.append(server.url)

    async def kill(self, worker: int) -> None:
        """See `Workers`."""
        await self._lives.pop(worker).aclose()
        await self.begin(int(self.urls[worker - 1].rsplit(":", 1)[1].rstrip("/")))


@asynccontextmanager
async def two_workers() -> AsyncGenerator[Workers]:
    """Two workers, as good as this machine can have them."""
    async with AsyncExitStack() as stack:
        program = shutil.which("redis-server")
        if program is None:
            servers = Servers(stack)
            await servers.begin()
            await servers.begin()
            yield servers
            return
        backplane = await stack.enter_async_context(redis(program))
        command = ["serve", "examples.demo_scale.board:board", "--workers", "2", "--backplane"]
        served = await stack.enter_async_context(started("capnweb_runtime", *command, backplane, "--port", "0"))
        yield Processes(served.url, f"python -m capnweb_runtime {' '.join(command)} redis://...")


@asynccontextmanager
async def redis(program: str) -> AsyncGenerator[str]:
    """A Redis of our own, that keeps nothing. Gives its URL."""
    with TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        free.close()
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
        process = await asyncio.create_subprocess_exec(program, *options, stdout=PIPE, stderr=DEVNULL)
        try:
            assert process.stdout is not None
            async with asyncio.timeout(START):
                while b"Ready to accept connections" not in (line := await process.stdout.readline()):
                    if not line:
                        raise RuntimeError(f"{Path(program).name} did not start")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            tell(process, signal.SIGKILL)
            await process.wait()
