"""A slow line to an engine: a proxy that holds back what passes, both ways. Rule: nothing is lost or reordered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import partial

from tests.bench.delay import connected


@contextlib.asynccontextmanager
async def slow_line(port: int, round_trip: float) -> AsyncGenerator[int]:
    """A port of this machine that leads to another, with so many seconds there and back."""
    tasks = set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(connected(port, round_trip / 2, reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(partial(accept), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in [*tasks]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
