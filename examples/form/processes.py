"""Servers as processes of their own, started and ended by whoever runs an example.

Rule: a program says on one line that it is ready, `serving URL`, and whoever started it ends it, whatever happens.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from tempfile import TemporaryFile

START = 30
"""Seconds that a program has to say that it is ready."""
END = 10
"""Seconds that a program has to end after SIGTERM, before it is killed."""
READY = "serving "


class Program:
    """A process that serves.

    Attributes:
        url: where, as it said.
        process: the process itself.
    """

    def __init__(self, url: str, process: asyncio.subprocess.Process) -> None:
        self.url = url
        self.process = process

    @property
    def port(self) -> int:
        """The port in its URL."""
        return int(self.url.rsplit(":", 1)[1].split("/", 1)[0])

    async def line(self) -> str:
        """The next line that it prints; empty when it has ended."""
        assert self.process.stdout is not None
        async with asyncio.timeout(START):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def stop(self) -> int:
        """Ask it to end, as a supervisor does, and wait. Returns its exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> int:
        """End it as a machine that loses power does (kill -9), and wait. Returns its exit code."""
        return await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> int:
        tell(self.process, how)
        try:
            async with asyncio.timeout(END):
                return await self.process.wait()
        except TimeoutError:
            tell(self.process, signal.SIGKILL)
            return await self.process.wait()


def tell(process: asyncio.subprocess.Process, how: signal.Signals) -> None:
    """Send a signal to a process, if it has not ended. Not by its own `send_signal`, which waits for one that has just
    died, and takes its exit code away from the event loop.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, how)


@asynccontextmanager
async def started(module: str, *arguments: str, env: Mapping[str, str] | None = None) -> AsyncGenerator[Program]:
    """Start `python -m MODULE ARGUMENTS`, wait until it says `serving URL`, and end it afterwards.

    Parameters:
        module: the module to run. Its output is flushed.
        arguments: for it. `--port 0` is usual: it takes a free port and tells which.
        env: variables of the environment besides ours.

    Raises:
        RuntimeError: it ended, or said something else; with what it said.
    """
    with TemporaryFile() as log:  # what it logs would only stand between the lines of the example
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        )
        program = Program("", process)
        try:
            said = await program.line()
            if not said.startswith(READY):
                log.seek(0)
                told = said + log.read().decode(errors="replace")
                raise RuntimeError(f"python -m {module} was to say {READY!r} and a URL, and said: {told}")
            program.url = said.removeprefix(READY).split()[0]
            yield program
        finally:
            await program.stop()
