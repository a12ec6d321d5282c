"""A line that takes time, between a client and a server that are on one machine.

Rule: nothing is dropped, reordered or slowed down; every byte is held back by half of the round trip, each way. Only
the opening of a connection takes no time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

PIECE = 64 * 1024


@asynccontextmanager
async def slow_line(port: int, round_trip: float) -> AsyncGenerator[int]:
    """A port that leads to another one of this machine, and takes so long.

    Parameters:
        port: where the server listens.
        round_trip: seconds there and back.
    """
    lines: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.create_task(_line(reader, writer, port, round_trip))
        lines.add(line)
        line.add_done_callback(lines.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for line in tuple(lines):
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


async def _line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, round_trip: float) -> None:
    """One connection, both ways, until both ends have closed it."""
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_way(reader, far_writer, round_trip / 2))
            group.create_task(_way(far_reader, writer, round_trip / 2))
    finally:
        writer.close()
        far_writer.close()


async def _way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """One way: each piece so much later than it came, in order; and then the end."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        data = b"-"
        while data:
            try:
                data = await reader.read(PIECE)
            except ConnectionError:
                data = b""  # it was cut off: for the other end that is the end, too
            pieces.put_nowait((loop.time() + delay, data))

    async with asyncio.TaskGroup() as group:
        group.create_task(read())
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
        with suppress(OSError):
            writer.write_eof()
