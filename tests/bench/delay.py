"""A slow line: `python -m tests.bench.delay PORT TARGET SECONDS` forwards connections to a port of this machine, and
holds back every byte by half of the round trip, each way. It prints READY once it accepts connections.
"""

from __future__ import annotations

import argparse
import asyncio
from functools import partial


async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Passes on what is read, each piece so much later, in order."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        data = b"-"
        while data:
            data = await reader.read(1 << 16)
            pieces.put_nowait((loop.time() + delay, data))

    reading = asyncio.create_task(read())
    try:
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                return
            writer.write(data)
    finally:
        reading.cancel()
        writer.close()


async def connected(
    target: int, delay: float, near_reader: asyncio.StreamReader, near_writer: asyncio.StreamWriter
) -> None:
    """Serves one connection, both ways, until either end closes it."""
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
    await asyncio.gather(
        forward(near_reader, far_writer, delay), forward(far_reader, near_writer, delay), return_exceptions=True
    )


async def main(port: int, target: int, round_trip: float) -> None:
    server = await asyncio.start_server(partial(connected, target, round_trip / 2), "127.0.0.1", port)
    print("READY", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("target", type=int)
    parser.add_argument("seconds", type=float)
    options = parser.parse_args()
    asyncio.run(main(options.port, options.target, options.seconds))
