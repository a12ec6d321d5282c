"""Workers that are processes, which tests may kill and stop. Rule: every process that was started is ended."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.placed.workers import SECRET

ROOT = Path(__file__).parents[2]


class Process:
    """One worker: `async with Process(url, application, "a", ttl) as a:`.

    Attributes:
        url: where it serves clients.
    """

    def __init__(self, engine: str, application: str, name: str, ttl: float) -> None:
        self.url = ""
        self._arguments = [engine, application, name, str(ttl), SECRET]

    def kill(self) -> None:
        """It is gone before it knows."""
        self._process.kill()
        self._process.wait(60)

    def pause(self) -> None:
        """It stands still."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def leave(self) -> None:
        """It ends by itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert await asyncio.to_thread(self._process.wait, 60) == 0

    async def __aenter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: ASYNC220  (it takes no time)
            [sys.executable, "-m", "tests.placed.worker", *self._arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = (await asyncio.to_thread(self._process.stdout.readline)).strip()
        assert self.url, "the worker did not start"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
