"""A WebSocket proxy that keeps every message: what two clients of the same server say can then be compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


@dataclass(slots=True)
class Recorder:
    """What passed through the proxy, each direction in order.

    Attributes:
        url: where a client connects.
        sent: the client's messages, as text.
        received: the server's messages, as text.
        ended: set once the client's connection is closed and all of its messages are in ``sent``.
    """

    url: str
    sent: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def recording(upstream: str) -> AsyncIterator[Recorder]:
    """Run a proxy in front of the server at ``upstream``, for one client."""
    recorder = Recorder("")

    async def handle(client: ServerConnection) -> None:
        async with connect(upstream, compression=None) as server:
            answers = asyncio.create_task(_pass_on(server, client, recorder.received))
            await _pass_on(client, server, recorder.sent)
            recorder.ended.set()
            await server.close()
            await answers

    async with serve(handle, "127.0.0.1", 0, compression=None) as proxy:
        recorder.url = f"ws://127.0.0.1:{next(iter(proxy.sockets)).getsockname()[1]}/"
        yield recorder


async def _pass_on(
    source: ClientConnection | ServerConnection, target: ClientConnection | ServerConnection, record: list[str]
) -> None:
    try:
        async for message in source:
            assert isinstance(message, str), "the protocol uses text frames"
            record.append(message)
            await target.send(message)
    except ConnectionClosed:
        pass  # either end may go first
