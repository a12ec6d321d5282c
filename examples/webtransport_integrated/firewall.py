"""A network that lets no UDP through, to be tried on one machine: TCP goes on to a server, and UDP goes nowhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass
class Firewall(asyncio.DatagramProtocol):
    """What stands before a server.

    Attributes:
        port: of it.
        swallowed: how many datagrams have come, to which nobody answers.
        passed: how many TCP connections have gone through.
    """

    port: int = 0
    swallowed: int = 0
    passed: int = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        """See `asyncio.DatagramProtocol`."""
        self.swallowed += 1


@asynccontextmanager
async def firewall(server: int) -> AsyncGenerator[Firewall]:
    """A firewall before a port of this machine."""
    wall = Firewall()

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wall.passed += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server)
        await asyncio.gather(_copied(reader, far_writer), _copied(far_reader, writer))

    async with await asyncio.start_server(through, "127.0.0.1", 0) as listening:
        wall.port = listening.sockets[0].getsockname()[1]
        udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: wall, local_addr=("127.0.0.1", wall.port)
        )
        try:
            yield wall
        finally:
            udp.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
