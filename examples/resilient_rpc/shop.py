"""The shop as a process that is killed and started again, at the same port and with the same file."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from examples.form.processes import Program, started


class ShopProcess:
    """One shop, in one process after another: `async with ShopProcess(file) as server`.

    Parameters:
        file: what it remembers.

    Attributes:
        port: where it is.
        restarts: how often it was started again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._programs = AsyncExitStack()
        self._program: Program | None = None
        self._ended = asyncio.Event()
        self.port = 0
        self.restarts = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._programs.aclose()

    @property
    def url(self) -> str:
        """Where it is, without a proxy."""
        return f"ws://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        """Starts it, for the first time or again."""
        options = ("--port", str(self.port), "--file", str(self._file))
        self._program = await self._programs.enter_async_context(started("examples.resilient_rpc.server", *options))
        self.restarts += self.port != 0
        self.port = self._program.port

    async def kill(self) -> None:
        """Ends it as a machine does that loses power: kill -9."""
        assert self._program is not None
        await self._program.kill()
        self._ended.set()

    async def again(self) -> None:
        """Starts it again once it has been killed."""
        await self._ended.wait()
        self._ended.clear()
        await self.start()
