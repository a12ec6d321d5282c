"""Workers as processes that tests start, stop and kill. Rule: each is ended by its own id, none outlives its test."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict
from pathlib import Path

from capnweb_runtime.scale import Bounds

ROOT = Path(__file__).parents[2]
START = 60
"""Seconds that a worker has to say that it serves."""


class Worker:
    """A worker that runs.

    Attributes:
        url: where it serves.
        since: when it began to, by the monotonic clock.
    """

    def __init__(self, engine: str, name: str, bounds: Bounds, clock_off: int = 0, more: Sequence[str] = ()) -> None:
        self.url = ""
        self.since = 0.0
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 — closed in `kill`
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.scale.worker", engine, "--name", name),
                *("--bounds", json.dumps(asdict(bounds)), "--clock-off", str(clock_off)),
                *more,
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def name(self) -> str:
        """Of this one, and of no other."""
        return f"worker {self.pid}"

    async def ready(self) -> None:
        """Wait until it serves. Raises AssertionError, with what it logged, if it does not."""
        assert self._process.stdout is not None
        async with asyncio.timeout(START):
            said = await asyncio.to_thread(self._process.stdout.readline)
        self.url = said.removeprefix("serving ").strip()
        self.since = time.monotonic()
        assert said.startswith("serving "), f"a worker said {said!r}, and logged: {self.logged()}"

    def logged(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def pause(self) -> None:
        """As a machine that hangs: it does nothing, and its connections stay."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """As the power does; may be called twice."""
        self._process.kill()
        self._process.wait(60)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self.log.close()


async def start(engine: str, name: str, bounds: Bounds, *, clock_off: int = 0, more: Sequence[str] = ()) -> Worker:
    """One more worker, whose time of day may be off by some seconds, and which may be given more options."""
    worker = Worker(engine, name, bounds, clock_off, more)
    try:
        await worker.ready()
    except BaseException:
        worker.kill()
        raise
    return worker


@contextlib.asynccontextmanager
async def workers(engine: str, name: str, count: int, bounds: Bounds | None = None) -> AsyncGenerator[list[Worker]]:
    """So many workers on one engine. Those that are in the list at the end are killed; more may be added to it."""
    running: list[Worker] = []
    try:
        starting = [Worker(engine, name, bounds or Bounds()) for _ in range(count)]
        running.extend(starting)
        await asyncio.gather(*(worker.ready() for worker in starting))
        yield running
    finally:
        for worker in running:
            worker.kill()
