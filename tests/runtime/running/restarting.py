"""A server that is restarted, as tests see it."""

from __future__ import annotations

import asyncio
import signal
from typing import Self

from tests.runtime.running.program import Program

ALL = "all workers have been restarted"


class Restarted:
    """A server that is restarted, and what it logs."""

    def __init__(self, running: Program) -> None:
        self.running = running
        self.url = running.url
        self.lines: list[str] = []
        self._more = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    def hang_up(self) -> None:
        self.running.process.send_signal(signal.SIGHUP)

    async def logs(self, part: str, times: int = 1) -> None:
        """Waits for so many lines that have a part."""
        while sum(part in line for line in self.lines) < times:
            self._more.clear()
            await self._more.wait()

    async def ends(self) -> int:
        """Stops it; returns the exit code."""
        if self.running.process.returncode is None:
            self.running.process.terminate()
        code = await self.running.process.wait()
        await self._reading
        return code

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def _read(self) -> None:
        assert self.running.process.stderr is not None
        async for line in self.running.process.stderr:
            self.lines.append(line.decode())
            self._more.set()
